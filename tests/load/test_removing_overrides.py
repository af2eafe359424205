"""Overrides that remove a key: `~key`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from typedcat import Cfg2Tune, Config, Param2Tune, load_config
from typedcat.errors import OverrideError, ValidationError
from typedcat.tree.typed import TypedConfig
from typedcat.tune.grid.grid import Grid


def tree() -> Config:
    cfg = Config(lr=1, opt={"cls": "SGD", "ini": {"momentum": 0.9, "lr": 0.1}}, steps=[1, {"a": 2}])
    cfg.double = cfg.DEP(lambda c: 2 * c.opt.ini.lr)
    return cfg


def load(*overrides: str) -> Any:
    return load_config(tree(), overrides=overrides, create_rslt_dir=False)


def test_leaves_subtrees_and_dependencies() -> None:
    assert load("~lr", "~opt.ini.momentum", "~steps") == {
        "opt": {"cls": "SGD", "ini": {"lr": 0.1}}, "double": 0.2
    }  # fmt: skip
    assert load("~opt", "~double") == {"lr": 1, "steps": [1, {"a": 2}]}
    assert load("~opt.ini", "+opt.ini.lr=3").double == 6


def test_a_subtree_that_its_first_key_has_made() -> None:
    cfg = Config(lr=1)
    cfg.opt.ini.momentum = 0.9
    assert load_config(cfg, overrides=["~opt.ini"], create_rslt_dir=False) == {"lr": 1, "opt": {}}
    assert load_config(cfg, overrides=["~opt"], create_rslt_dir=False) == {"lr": 1}


def test_a_value_that_is_given_has_to_be_the_one() -> None:
    assert "lr" not in load("~lr=1")
    with pytest.raises(OverrideError) as caught:
        load("~lr=2")
    assert str(caught.value) == "override '~lr=2': 'lr' is 1, not 2, and stays"
    cfg = Config(size=(1, 2), opt={"lr": 1})
    assert load_config(cfg, overrides=["~size=(1,2)"], create_rslt_dir=False) == {"opt": {"lr": 1}}


def test_what_an_inherited_config_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text("a: 1\nb: {c: 2, d: 3}\n")
    Path("child.py").write_text("from typedcat import Config\ncfg = Config(caps='base.yaml')\ncfg.e = 4\n")
    cfg = load_config("child.py", "runs", ".", overrides=["~b.c", "~a"])
    assert cfg == {"b": {"d": 3}, "e": 4, "rslt_dir": "runs/~b.c,~a"}


def test_in_every_child_of_a_tune_config() -> None:
    cfg = Cfg2Tune(lr=Param2Tune([1, 2]), other={"a": 1, "b": 2}, rslt_dir="runs")
    children: list[Any] = [child for _, child in Grid(cfg, ["~other.a"]).loaded()]
    assert [(child.lr, child.other) for child in children] == [(1, {"b": 2}), (2, {"b": 2})]


class Train(TypedConfig):
    epochs: int
    lr: float = 0.5


def test_a_schema_says_what_can_be_missing() -> None:
    assert load_config(Train(epochs=1, lr=2), overrides=["~lr"], create_rslt_dir=False).lr == 0.5
    with pytest.raises(OverrideError, match="'epochs' is not set"):
        load_config(Config(schema=Train), overrides=["~epochs"], create_rslt_dir=False)
    with pytest.raises(ValidationError, match="epochs"):
        load_config(Train(epochs=1), overrides=["~epochs"], create_rslt_dir=False)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("~lrr", "override '~lrr': there is no key 'lrr'\n  did you mean 'lr'?"),
        ("~opt.nothing", "override '~opt.nothing': there is no key 'opt.nothing'"),
        ("~steps[0]", "override '~steps[0]': 'steps[0]' is inside of a list or dict\n  give 'steps' a new value"),
        ("~", "override '~': "),
    ],
)  # fmt: skip
def test_what_cannot_be_removed(override: str, said: str) -> None:
    with pytest.raises(OverrideError) as caught:
        load(override)
    assert str(caught.value).startswith(said)
