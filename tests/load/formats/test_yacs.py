"""Configs of yacs and detectron2: `_C`, `get_cfg_defaults()`, a `CfgNode`, YAML with `_BASE_`, tuples in YAML."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

from typedcat import Cfg2Tune, Config, Param2Tune, load_config
from typedcat.errors import (
    ConfigCodeError,
    ConfigContentError,
    ConfigFormatError,
    ConfigNotFoundError,
    InheritanceError,
)

DEFAULTS = """
from yacs.config import CfgNode as CN

_C = CN()
_C.MODEL = CN()
_C.MODEL.WEIGHT = None
_C.MODEL.RESNETS = CN(new_allowed=True)
_C.MODEL.RESNETS.DEPTH = 50
_C.SOLVER = CN()
_C.SOLVER.BASE_LR = 0.001
_C.SOLVER.STEPS = (30000,)
_C.INPUT = CN()
_C.INPUT.SIZES = [640, 672]
"""
GETTER = f"{DEFAULTS}\ndef get_cfg_defaults():\n    return _C.clone()\n"
MADE = {
    "MODEL": {"WEIGHT": None, "RESNETS": {"DEPTH": 50}},
    "SOLVER": {"BASE_LR": 0.001, "STEPS": (30000,)},
    "INPUT": {"SIZES": [640, 672]},
}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, text: str) -> str:
    path = Path("configs", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    return str(path)


def contents(path: str) -> dict[str, Any]:
    cfg = load_config(path, create_rslt_dir=False).to_dict()
    cfg.pop("rslt_dir", None)
    return cfg


def plain(node: Any) -> Any:
    """A `CfgNode` as a dict."""
    return {key: plain(value) for key, value in node.items()} if isinstance(node, dict) else node


class TestPython:
    @pytest.mark.parametrize(
        "text", [DEFAULTS, GETTER, f"{DEFAULTS}\ncfg = _C\n", f"{DEFAULTS}\nconfig = _C.clone()\nconfig.freeze()\n"]
    )
    def test_every_style(self, text: str) -> None:
        pytest.importorskip("yacs")
        path = write("defaults.py", text)
        assert contents(path) == MADE
        assert Config(path).to_dict() == MADE
        assert load_config(Config(caps=path), create_rslt_dir=False).to_dict() == MADE

    def test_it_can_be_inherited_and_tuned(self) -> None:
        pytest.importorskip("yacs")
        tune = Cfg2Tune(caps=write("defaults.py", GETTER), rslt_dir="runs")
        tune.MODEL.RESNETS.DEPTH = 101
        tune.SOLVER.BASE_LR = Param2Tune([0.01, 0.02])
        assert [(cfg.SOLVER.BASE_LR, cfg.MODEL.RESNETS.DEPTH) for cfg in tune.get_cfgs()] == [(0.01, 101), (0.02, 101)]

    def test_yacs_reads_what_is_saved(self) -> None:
        yacs = pytest.importorskip("yacs.config")
        config = Config(write("defaults.py", GETTER))
        with config.save_yaml("saved.yaml").open(encoding="utf-8") as file:
            read = yacs.CfgNode.load_cfg(file)
        assert read.MODEL.RESNETS.DEPTH == 50
        assert read.SOLVER.STEPS == [30000]

    def test_a_getter_with_arguments_gives_way_to_the_defaults(self) -> None:
        path = write("defaults.py", "_C = dict(A=1)\ndef get_cfg_defaults(name):\n    return {}\n")
        assert contents(path) == {"A": 1}

    def test_mistakes(self) -> None:
        with pytest.raises(ConfigContentError, match="'_C' must be a Config or a dict, got 3"):
            load_config(write("a.py", "_C = 3\n"))
        with pytest.raises(ConfigContentError, match=r"a\.py:1: 'get_cfg_defaults\(\)' must return .*\n  end it with"):
            load_config(write("a.py", "def get_cfg_defaults():\n    _C = {}\n"))
        with pytest.raises(ConfigCodeError, match=r"a\.py:2: ZeroDivisionError"):
            load_config(write("a.py", "def get_cfg_defaults():\n    return 1 / 0\n"))


class TestLazyConfig:
    """Only detectron2 reads those; files that import something for their configs are told apart from them."""

    CALLS = "LazyCall = lambda target: lambda **kw: OmegaConf.create({'_target_': target, **kw})\n"

    @pytest.fixture(autouse=True)
    def files(self) -> None:
        pytest.importorskip("omegaconf")
        write("lazy.py", f"from omegaconf import OmegaConf\n{self.CALLS}")
        write("model.py", "from .lazy import LazyCall as L\nmodel = L('a.Net')(depth=50)\ntrain = dict(steps=9)\n")

    @pytest.mark.parametrize("text", ["", "lr = 0.1\n", "model.depth = 18\nbest = model\n"])
    def test_the_way_out_is_named(self, text: str) -> None:
        path = write("a.py", f"from .model import model\n{text}")
        for one, name in (path, "model"), ("configs/model.py", "model"):
            with pytest.raises(ConfigContentError, match=f"a LazyConfig of detectron2: {name}") as caught:
                load_config(one)
            assert f"LazyConfig.load({str(Path(one).absolute())!r})" in str(caught.value)

    def test_attributes_of_dicts_are_made_by_detectron2(self) -> None:
        with pytest.raises(ConfigCodeError, match=r"a\.py:2: AttributeError.*\n.* cfg = LazyConfig\.load"):
            load_config(write("a.py", "from .model import train\ntrain.steps = 3\n"))

    def test_other_files_import_too(self) -> None:
        assert contents(write("a.py", "from .model import train\nsteps = train['steps'] + 1\n")) == {"steps": 10}
        assert contents(write("b.py", "from .model import model\ncfg = model\n")) == {"_target_": "a.Net", "depth": 50}
        with pytest.raises(ConfigCodeError) as caught:
            load_config(write("c.py", "from .model import train\nfrom typedcat import Config\ncfg = train.steps\n"))
        assert "LazyConfig" not in str(caught.value)


class TestYaml:
    def test_bases(self) -> None:
        write("Base.yaml", "MODEL:\n  DEPTH: 50\n  NAME: fpn\nSOLVER:\n  STEPS: (60000, 80000)\n")
        write("extra.yaml", "SOLVER:\n  GAMMA: 0.1\n")
        one = write("coco/one.yaml", '_BASE_: "../Base.yaml"\nMODEL:\n  DEPTH: 101\n')
        two = write("coco/two.yaml", "_BASE_: [one.yaml, ../extra.yaml]\nVERSION: 2\n")
        inherited: dict[str, Any] = {"MODEL": {"DEPTH": 101, "NAME": "fpn"}, "SOLVER": {"STEPS": (60000, 80000)}}
        assert contents(one) == inherited
        inherited["SOLVER"]["GAMMA"] = 0.1
        assert contents(two) == inherited | {"VERSION": 2}
        assert [str(one) for one in load_config(two, create_rslt_dir=False).origin("MODEL.DEPTH")] == [
            "configs/coco/one.yaml:3",
            "configs/Base.yaml:2",
        ]

    def test_bases_are_relative_to_the_file_alone(self) -> None:
        Path("base.yaml").write_text("A: 1\n", encoding="utf-8")
        write("base.yaml", "A: 2\n")
        assert contents(write("a.yaml", "_BASE_: base.yaml\n")) == {"A": 2}

    def test_mounted_and_inherited(self) -> None:
        write("base.yaml", "A: 1\nB: 2\n")
        path = write("a.yaml", "_BASE_: base.yaml\nB: 3\n")
        mounted = Config(C=1)
        mounted.net = Config(path)
        assert load_config(mounted, create_rslt_dir=False).to_dict() == {"C": 1, "net": {"A": 1, "B": 3}}
        assert load_config(Config(caps=path), create_rslt_dir=False).to_dict() == {"A": 1, "B": 3}

    def test_a_patch_over_the_defaults(self) -> None:
        pytest.importorskip("yacs")
        patch = write("exp.yaml", "SOLVER:\n  STEPS: (1, 2)\n  BASE_LR: 1e-3\nMODEL:\n  WEIGHT: None\n")
        cfg = load_config(Config(caps=[write("defaults.py", GETTER), patch]), create_rslt_dir=False)
        assert cfg.SOLVER.to_dict() == {"STEPS": (1, 2), "BASE_LR": 1e-3}
        assert cfg.MODEL.WEIGHT is None

    def test_texts_in_quotes_and_other_configs_stay(self) -> None:
        assert contents(write("a.yaml", "GPU: '0'\nNAME: (no tuple\nEXPR: (a + b)\n")) == {
            "GPU": "0",
            "NAME": "(no tuple",
            "EXPR": "(a + b)",
        }
        assert contents(write("a.yaml", "steps: (1, 2)\nlr: 1e-3\n")) == {"steps": "(1, 2)", "lr": "1e-3"}

    @pytest.mark.parametrize("text", ["{[]: 1, 2: 3}", "{[1], [2]}", "[{}, {{}: 1}]"])
    def test_what_python_reads_and_cannot_make_stays_text(self, text: str) -> None:
        assert contents(write("a.yaml", f"A: '{text}'\n")) == {"A": text}

    @pytest.mark.parametrize(
        "written",
        [
            "('market1501')",
            "('0')",
            r"('D:\data')",
            "(640)",
            "(None)",
            "((1, 2), (3, 4))",
            "60000, 80000",
            "1,",
            "-1, .5",
            "a, b",
            "'[1, 2]'",
            "'(1, 2)'",
            "(1, 2",
            "(1 + 2)",
            "1e3",
            "+.5E-1",
            "[1e-3, None, '(1, 2)']",
        ],
    )
    @pytest.mark.filterwarnings("ignore:.*invalid escape sequence")  # in yacs
    def test_texts_are_what_yacs_makes_of_them(self, written: str) -> None:
        yacs = pytest.importorskip("yacs.config")
        path = write("a.yaml", f"B:\n  C: {written}\nA: {written}\n")
        there = yacs.CfgNode(new_allowed=True)
        there.B = yacs.CfgNode(new_allowed=True)
        there.merge_from_file(path)
        assert repr(contents(path)) == repr(plain(there))

    def test_tuples(self) -> None:
        path = write(
            "a.yaml",
            """
            a: !!python/tuple [1, 2]
            b:
              - !!python/tuple
                - x
                - !!python/tuple []
              - {c: !!python/tuple [[3]]}
            """,
        )
        assert contents(path) == {"a": (1, 2), "b": [("x", ()), {"c": ([3],)}]}
        assert contents(str(Config(caps=write("b.yaml", "n: &n !!python/tuple [1]\nm: *n\n")).save_yaml("c.yaml")))

    def test_other_tags_are_refused(self) -> None:
        with pytest.raises(ConfigFormatError, match=r"a\.yaml:2:5: the tag !!python/name:os\.system is not known"):
            load_config(write("a.yaml", "a: 1\nb:  !!python/name:os.system\n"))
        with pytest.raises(ConfigFormatError, match="does not fit"):
            load_config(write("a.yaml", "a: !!python/tuple 3\n"))

    def test_mistakes(self) -> None:
        write("Base-FPN.yaml", "A: 1\n")
        with pytest.raises(ConfigNotFoundError, match=r"did you mean 'Base-FPN.yaml'\?\n .* configs/a\.yaml:2"):
            load_config(write("a.yaml", "A: 1\n_BASE_: Base-FPNN.yaml\n"))
        with pytest.raises(ConfigContentError, match=r"a\.yaml:2: _BASE_ is a path or a list of paths, got 3"):
            load_config(write("a.yaml", "A: 1\n_BASE_: 3\n"))
        with pytest.raises(InheritanceError, match=r"a\.yaml -> configs/b\.yaml -> configs/a\.yaml"):
            write("b.yaml", "_BASE_: a.yaml\n")
            load_config(write("a.yaml", "_BASE_: b.yaml\n"))
