"""`Config.from_x_to_y`: what is written stands alone, has no result folder of loading's, and replaces no source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from typedcat import Config, load_config
from typedcat.errors import ConfigContentError, ConfigFileError, ConfigFormatError, SaveError, TuneError

BASE = """\
from collections import OrderedDict

from typedcat import Config

cfg = Config()
cfg.epochs = 10
cfg.opt.lr = cfg.DEP(lambda c: c.epochs / 100)
cfg.betas = [0.9, 0.999]
"""
CHILD = """\
from typedcat import Config

cfg = Config(caps="configs/base/cfg.py")
cfg.epochs = 20
"""
WANTED = {"epochs": 20, "opt": {"lr": 0.2}, "betas": [0.9, 0.999]}
CFG, CHILD_CFG = "configs/base/cfg.py", "configs/base,child/cfg.py"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in {CFG: BASE, CHILD_CFG: CHILD}.items():
        write(name, text)
    return tmp_path


def write(name: str, text: str) -> str:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")
    return name


def again(file: str) -> dict[str, Any]:
    """What a file of another place loads to."""
    loaded = load_config(file, create_rslt_dir=False).to_dict()
    loaded.pop("rslt_dir", None)
    return loaded


TYPES = [
    ("typedcat", "y.py"),
    ("alchemy-cat", "y.py"),
    ("yaml", "y.yaml"),
    ("yaml", "y.yml"),
    ("json", "y.json"),
    ("pkl", "y.pkl"),
    (None, "deep/er/y.yaml"),
    (None, "y.py"),
]


@pytest.mark.parametrize(("y_type", "file"), TYPES)
def test_the_loaded_form_is_written(y_type: str | None, file: str) -> None:
    config = Config.from_x_to_y(CHILD_CFG, file, y_type)
    assert config == WANTED
    assert not config.is_frozen
    Path(CFG).unlink()  # it is not needed any more
    assert again(file) == WANTED
    assert {path.name for path in Path().iterdir()} == {"configs", Path(file).parts[0]}  # no result folder


@pytest.mark.parametrize(("y_type", "file"), TYPES)
def test_what_is_converted_twice_is_the_same(y_type: str | None, file: str) -> None:
    Config.from_x_to_y(CHILD_CFG, "one/cfg.yaml")
    Config.from_x_to_y("one/cfg.yaml", file, y_type)
    Config.from_x_to_y(file, "two.yaml")
    assert Path("two.yaml").read_bytes() == Path("one/cfg.yaml").read_bytes()


def test_as_mmcv() -> None:
    mmengine = pytest.importorskip("mmengine")
    Config.from_x_to_y(CHILD_CFG, "y.py", "mmcv")
    assert mmengine.Config.fromfile("y.py").to_dict() == WANTED
    assert again("y.py") == WANTED


FOREIGN = {
    "toml": ("x.toml", "epochs = 20\nbetas = [0.9, 0.999]\n[opt]\nlr = 0.2\n"),
    "json": ("x.json", '{"epochs": 20, "opt": {"lr": 0.2}, "betas": [0.9, 0.999]}'),
    "interpolation": ("x.yaml", "epochs: 20\nopt: {lr: 0.2}\nbetas: ['${opt.lr}', 0.999]\n"),
    "alchemycat": (
        "x.py",
        "from alchemy_cat.dl_config import Config, DEP\ncfg = Config()\ncfg.epochs = 20\n"
        "cfg.opt.lr = DEP(lambda c: c.epochs / 100)\ncfg.betas = [0.9, 0.999]\n",
    ),
    "mmcv": ("x.py", "_base_ = []\nepochs = 20\nopt = dict(lr=0.2)\nbetas = [0.9, 0.999]\n"),
}


@pytest.mark.parametrize("system", FOREIGN)
def test_from_other_systems(system: str) -> None:
    name, text = FOREIGN[system]
    if system in ("interpolation", "mmcv"):
        pytest.importorskip("mmengine" if system == "mmcv" else "omegaconf")
    Config.from_x_to_y(write(name, text), "y.yaml")
    wanted = WANTED | ({"betas": [0.2, 0.999]} if system == "interpolation" else {})
    assert yaml.safe_load(Path("y.yaml").read_text()) == wanted
    Config.from_x_to_y(name, "y.py")
    assert again("y.py") == wanted


class TestTheResultFolder:
    def test_is_kept_where_the_config_sets_it(self) -> None:
        write(CHILD_CFG, CHILD + "cfg.rslt_dir = 'mine'\n")
        assert Config.from_x_to_y(CHILD_CFG, "y.json").rslt_dir == "mine"
        assert json.loads(Path("y.json").read_text())["rslt_dir"] == "mine"

    def test_is_known_while_dependencies_are_computed(self) -> None:
        write(CFG, BASE + "cfg.log = cfg.DEP(lambda c: c.rslt_dir + '/log')\n")
        assert Config.from_x_to_y(CFG, "y.yaml") == {
            "epochs": 10, "opt": {"lr": 0.1}, "betas": [0.9, 0.999], "log": "base/log",
        }  # fmt: skip

    def test_of_a_recorded_run_is_left_out(self) -> None:
        load_config(CHILD_CFG).save_pkl("runs/one/cfg.pkl")
        Config.from_x_to_y("runs/one/cfg.pkl", "y.yaml")
        assert yaml.safe_load(Path("y.yaml").read_text()) == WANTED

    def test_a_config_outside_of_the_config_root(self) -> None:
        Config.from_x_to_y(write("elsewhere/cfg.yaml", "a: 1\n"), "y.json")
        assert json.loads(Path("y.json").read_text()) == {"a": 1}


class TestRefusals:
    @pytest.mark.parametrize("source", [CFG, CHILD_CFG])
    def test_sources_are_not_overwritten(self, source: str) -> None:
        before = Path(source).read_bytes()
        with pytest.raises(ConfigFileError, match="would be lost"):
            Config.from_x_to_y(CHILD_CFG, source)
        with pytest.raises(ConfigFileError, match="would be lost"):
            Config.from_x_to_y(CHILD_CFG, f"configs/../{source}")
        Path("link.py").symlink_to(source)
        with pytest.raises(ConfigFileError, match="would be lost"):
            Config.from_x_to_y(CHILD_CFG, "link.py")
        assert Path(source).read_bytes() == before

    def test_anything_else_is_overwritten(self) -> None:
        write("y.yaml", "old: 1\n")
        Config.from_x_to_y(CHILD_CFG, "y.yaml")
        assert again("y.yaml") == WANTED

    @pytest.mark.parametrize(
        ("file", "y_type", "message"),
        [
            ("y.txt", None, r"y\.txt: no config format has the ending '\.txt'; configs are written as \.py, \.yaml"),
            ("y", None, "a name without an ending"),
            ("y.txt", "yaml", r"y\.txt: yaml configs end in \.yaml or \.yml, .*\n  write to y\.yaml"),
            ("y.yaml", "mmcv", r"mmcv configs end in \.py.*\n  write to y\.py"),
            ("y.json", "alchemy-cat", r"write to y\.py"),
        ],
    )
    def test_endings(self, file: str, y_type: str | None, message: str) -> None:
        with pytest.raises(ConfigFormatError, match=message):
            Config.from_x_to_y(CHILD_CFG, file, y_type)
        assert not Path(file).exists()

    def test_an_unknown_format(self) -> None:
        with pytest.raises(ValueError, match="no format 'yml'; did you mean"):
            Config.from_x_to_y(CHILD_CFG, "y.yml", "yml")

    def test_values_that_the_format_cannot_express(self) -> None:
        write(CFG, BASE + "cfg.cls = OrderedDict\ncfg.f = lambda: 1\n")
        write("y.yaml", "old: 1\n")
        with pytest.raises(SaveError) as caught:
            Config.from_x_to_y(CHILD_CFG, "y.yaml")
        assert [key for key, _ in caught.value.problems] == ["cls", "f"]
        assert Path("y.yaml").read_text() == "old: 1\n"  # untouched

    @pytest.mark.parametrize("file", ["y.py", "y.yaml", "y.json"])
    def test_a_tune_config(self, file: str) -> None:
        tune = "from typedcat import Cfg2Tune, Param2Tune\ncfg = Cfg2Tune(caps='configs/base/cfg.py')\n"
        write("configs/tune/cfg.py", tune + "cfg.epochs = Param2Tune([1, 2])\n")
        with pytest.raises(TuneError, match=r"configs/tune/cfg\.py is a tune config: it stands for many configs"):
            Config.from_x_to_y("configs/tune/cfg.py", file)
        assert not Path(file).exists()

    def test_a_tune_config_as_a_pickle(self) -> None:
        tune = "from typedcat import Cfg2Tune, Param2Tune\ncfg = Cfg2Tune(caps='configs/base/cfg.py')\n"
        write("configs/tune/cfg.py", tune + "cfg.epochs = Param2Tune([1, 2])\n")
        Config.from_x_to_y("configs/tune/cfg.py", "configs/tuned/cfg.pkl")
        tuned = load_config("configs/tuned/cfg.pkl", create_rslt_dir=False)
        assert list(tuned.epochs.optional_val) == [1, 2]

    def test_where_nothing_can_be_written(self) -> None:
        Path("y.yaml").mkdir()
        with pytest.raises(ConfigFileError, match=r"y\.yaml: cannot be written: "):
            Config.from_x_to_y(CHILD_CFG, "y.yaml")
        write("file", "")
        with pytest.raises(ConfigFileError, match="cannot be written"):
            Config.from_x_to_y(CHILD_CFG, "file/y.yaml")
        assert {path.name for path in Path().iterdir()} == {"configs", "y.yaml", "file"}

    def test_a_config_that_does_not_load(self) -> None:
        write(CFG, "cfg = 1\n")
        with pytest.raises(ConfigContentError, match="must be a Config or a dict"):
            Config.from_x_to_y(CHILD_CFG, "y.yaml")
        assert not Path("y.yaml").exists()


def test_a_typed_config_keeps_its_class() -> None:
    write(
        "keys.py", "from typedcat import TypedConfig\nclass Train(TypedConfig):\n    epochs: int\n    lr: float = 0.1\n"
    )
    write("configs/typed/cfg.py", "from keys import Train\nfrom typedcat import Config\n"
          "cfg = Config(schema=Train)\ncfg.epochs = 3\n")  # fmt: skip
    Config.from_x_to_y("configs/typed/cfg.py", "y.py")
    assert "schema=keys.Train" in Path("y.py").read_text()
    assert again("y.py") == {"epochs": 3, "lr": 0.1}
    Config.from_x_to_y("configs/typed/cfg.py", "y.yaml")
    assert again("y.yaml") == {"epochs": 3, "lr": 0.1}
