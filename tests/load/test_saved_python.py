"""`save_py`: the file loads to an equal config, keys in their order, at any depth."""

from __future__ import annotations

import collections
import importlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tree.strategies import leaves
from typedcat import Config, load_config


def again(cfg: Config, folder: Path) -> Any:
    """The config as it comes back from a file."""
    return load_config(cfg.save_py(folder / "saved.py"), create_rslt_dir=False, config_root=folder, rslt_dir="r")


def order(node: Any) -> Any:
    return [(key, order(value) if isinstance(value, Config) else None) for key, value in node.items()]


def test_the_order_of_keys(tmp_path: Path) -> None:
    cfg = Config()
    cfg.z = 1
    cfg.s.b.c = 2
    cfg.a = 3
    cfg.s.a = 4
    cfg.e = Config()
    cfg.w.override().x = 1
    cfg.cls = collections.OrderedDict
    cfg["items"].y = 1
    cfg.last = None
    loaded = again(cfg, tmp_path)
    assert order(loaded)[:-1] == order(cfg)
    assert loaded.w.is_whole


def test_classes_of_modules_that_their_package_hides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "hiding_optim"
    package.mkdir()
    (package / "__init__.py").write_text("from .adam import Adam\nfrom .sgd import sgd\ndel adam\n", encoding="utf-8")
    (package / "adam.py").write_text("class Adam: ...\n", encoding="utf-8")
    (package / "sgd.py").write_text("class SGD: ...\ndef sgd(): ...\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    optim = importlib.import_module("hiding_optim")
    sgd = importlib.import_module("hiding_optim.sgd")
    loaded = again(Config(cls=optim.Adam, other=sgd.SGD, func=optim.sgd), tmp_path)
    assert (loaded.cls, loaded.other, loaded.func) == (optim.Adam, sgd.SGD, sgd.sgd)


def test_torch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    values = {"cls": torch.optim.AdamW, "dtype": torch.bfloat16, "format": torch.channels_last, "list": [torch.int8]}
    assert again(Config(values), tmp_path).items() >= values.items()


@pytest.mark.slow
def test_3000_levels(tmp_path: Path) -> None:
    cfg = Config()
    node = cfg
    for level in range(3000):
        node[f"k{level % 7}"] = Config()
        node.before = level
        node = node[f"k{level % 7}"]
    node.x = 1
    loaded = again(cfg, tmp_path)
    del loaded.unfreeze()["rslt_dir"]
    assert loaded == cfg


@pytest.mark.parametrize(
    "value",
    [range(3), range(1, 9, 2), slice(1, None, 2), bytearray(b"x"), list[int], dict[str, list[int]], dict.fromkeys,
     collections.OrderedDict.fromkeys],
)  # fmt: skip
def test_values_that_have_a_text(value: Any, tmp_path: Path) -> None:
    assert again(Config(v=value, w=[value]), tmp_path).v == value


KEYS = st.sampled_from(["a", "b", "items", "x y", "class", 1])
TREES = st.recursive(st.dictionaries(KEYS, leaves, max_size=3), lambda d: st.dictionaries(KEYS, d | leaves, max_size=3))


@settings(max_examples=50, deadline=None)
@given(TREES)
def test_any_tree(tmp_path_factory: pytest.TempPathFactory, data: dict[Any, Any]) -> None:
    cfg = Config(data)
    loaded = again(cfg, tmp_path_factory.mktemp("saved"))
    assert order(loaded)[:-1] == order(cfg)
    del loaded.unfreeze()["rslt_dir"]
    assert repr(loaded) == repr(cfg)
