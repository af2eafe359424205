"""`save_mmcv`: mmengine reads back what was saved, and what it could not is refused, all of it at once."""

from __future__ import annotations

import math
import subprocess
import sys
from collections import OrderedDict
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from typedcat import Cfg2Tune, Config, Param2Tune, load_config
from typedcat.errors import SaveError


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read_back(file: Path) -> Any:
    config = pytest.importorskip("mmengine.config").Config
    return config.fromfile(str(file))


def test_the_text(project: Path) -> None:
    cfg = Config(lr=0.1, steps=[])
    cfg.model = Config(type="ResNet", depths=(3,), norm={"affine": True, "no name": {1: None}})
    assert cfg.save_mmcv(project / "new folder/a.py") == project / "new folder/a.py"
    assert (project / "new folder/a.py").read_text(encoding="utf-8") == (
        "# Written by typedcat.\n"
        "lr = 0.1\n"
        "steps = []\n"
        "model = dict(type='ResNet', depths=(3,), norm={'affine': True, 'no name': {1: None}})\n"
    )


def test_a_frozen_config_does_not_change(project: Path) -> None:
    Path("configs/run").mkdir(parents=True)
    Path("configs/run/cfg.py").write_text("model = dict(type='A')\n", encoding="utf-8")
    cfg = load_config("configs/run/cfg.py", experiments_root="work_dirs")
    before = cfg.to_dict()
    saved = cfg.save_mmcv(cfg.rslt_dir + "/mmcv_config.py")
    assert f"{saved}" == "work_dirs/run/mmcv_config.py"
    assert (cfg.is_frozen, cfg.to_dict()) == (True, before)
    assert read_back(saved).to_dict() == before | {"work_dir": "work_dirs/run"}


def test_work_dir_is_what_the_config_says(project: Path) -> None:
    saved = Config(rslt_dir="a", work_dir="b").save_mmcv("x.py")
    assert read_back(saved).to_dict() == {"rslt_dir": "a", "work_dir": "b"}


def test_a_config_that_is_not_loaded_is_saved_loaded(project: Path) -> None:
    base = Config(lr=0.1, rslt_dir="r")
    cfg = Config(caps=base, epochs=3)
    cfg.steps = cfg.DEP(lambda c: c.epochs * 10)
    back = read_back(cfg.save_mmcv("a.py"))
    assert (back.lr, back.epochs, back.steps) == (0.1, 3, 30)


def test_classes_are_imported(project: Path) -> None:
    cfg = Config(
        a={"type": Fraction, "others": [{"type": Decimal}, {"type": OrderedDict}], "make": Fraction.from_float},
        join=Path.joinpath,
        kind=int,
        Decimal={"value": 1},
    )
    back = read_back(cfg.save_mmcv("a.py"))
    assert set(back.to_dict()) == {"a", "join", "kind", "Decimal"}
    assert (back.a.type, back.a.others[0].type, back.a.others[1].type) == (Fraction, Decimal, OrderedDict)
    assert back.a.make == Fraction.from_float
    assert (back.join, back.kind, back.Decimal.value) == (Path.joinpath, int, 1)
    assert Config("a.py") == cfg


def test_what_a_module_has_one_of_is_imported(project: Path) -> None:
    torch = pytest.importorskip("torch")
    cfg = Config(optim={"type": torch.optim.AdamW}, model=Config(torch_dtype=torch.float16))
    back = load_config(cfg.save_mmcv("a.py"), create_rslt_dir=False)
    assert (back.optim.type, back.model.torch_dtype) == (torch.optim.AdamW, torch.float16)
    assert read_back(Path("a.py")).model.torch_dtype in (torch.float16, "torch.float16")


def test_what_mmengine_would_fill_in(project: Path) -> None:
    cfg = Config(a="{{ fileDirname }}", b=["{{ _base_.a }}", "{{$HOME:x}}"], c={"{{ fileBasename }}": b"{{{{"})
    assert read_back(cfg.save_mmcv("a.py")).to_dict() == cfg.to_dict()
    assert Config("a.py") == cfg


def test_keys_that_look_like_other_configs(project: Path) -> None:
    pytest.importorskip("mmengine")
    for cfg in (Config(cfg={"a": 1}, get_config=2), Config(cfg2=1), Config()):
        assert read_back(cfg.save_mmcv("a.py")).to_dict() == cfg.to_dict()
        assert Config("a.py") == cfg


def test_what_cannot_be_expressed(project: Path) -> None:
    cfg = Config({"two words": 1, "class": 2, "_base_": 3, "filename": 4, "__x": 5, 6: 6, "dict": 7})
    cfg.model.obj = object()
    cfg.model.made = [lambda: 1]
    cfg.model.old = {"_delete_": True}
    with pytest.raises(SaveError) as caught:
        cfg.save_mmcv("a.py")
    keys = {key for key, _ in caught.value.problems}
    assert keys == {
        "['two words']", "['class']", "_base_", "filename", "__x", "[6]", "dict",
        "model.obj", "model.made[0]", "model.old._delete_",
    }  # fmt: skip
    assert not Path("a.py").exists()


def test_what_is_tuned_cannot(project: Path) -> None:
    with pytest.raises(SaveError, match="lr"):
        Cfg2Tune(lr=Param2Tune([1, 2])).save_mmcv("a.py")


def test_too_deep(project: Path) -> None:
    cfg = Config()
    at = cfg
    for _ in range(3_000):
        at.a = Config()
        at = at.a
    at.a = 1
    with pytest.raises(SaveError, match="nested too deeply"):
        cfg.save_mmcv("a.py")


def test_writing_needs_no_mmengine(project: Path) -> None:
    code = "import sys; sys.modules['mmengine'] = None; from typedcat import Config; Config(a=1).save_mmcv('a.py')"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert Path("a.py").read_text(encoding="utf-8").endswith("a = 1\n")


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary(), st.just(...),
    st.complex_numbers(allow_nan=False),
)  # fmt: skip
KEYS = st.one_of(st.text(max_size=4), st.sampled_from(["type", "class", "items", "a b", "{{ fileDirname }}", "ﬁ"]))
INNER = KEYS.filter(lambda key: key != "_delete_")
VALUES = st.recursive(
    st.one_of(
        SCALARS, st.sets(st.integers()), st.frozensets(st.text(max_size=3)), st.sampled_from([Fraction, Decimal])
    ),
    lambda values: st.one_of(
        st.lists(values, max_size=3),
        st.lists(values, max_size=3).map(tuple),
        st.dictionaries(st.one_of(INNER, st.integers(), st.none()), values, max_size=3),
    ),
    max_leaves=12,
)
NAMES = st.sampled_from(["model", "lr", "x", "Fraction", "data_root", "γ", "cfg2", "_private", "test_cfg", "type"])


def classes_in(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(classes_in, value.values()))
    return any(map(classes_in, value)) if isinstance(value, (list, tuple)) else value in (Fraction, Decimal)


def named(value: Any) -> Any:
    """A value as mmengine's `to_dict` gives it: what is imported by its name."""
    if isinstance(value, dict):
        return {key: named(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(named, value))
    return f"{value.__module__}.{value.__qualname__}" if value in (Fraction, Decimal) else value


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_round_trip(values: dict[str, Any]) -> None:
    cfg = Config(values)
    file = cfg.save_mmcv("saved.py")
    assert read_back(file).to_dict() == (named(values) if classes_in(values) else values)
    assert Config(file).to_dict() == values


def test_numbers_that_are_none(project: Path) -> None:
    back = read_back(Config(a=math.nan, b=[math.inf, -math.inf], c=complex(math.nan, 1)).save_mmcv("a.py"))
    assert math.isnan(back.a)
    assert back.b == [math.inf, -math.inf]
    assert back.c != back.c
