"""Depth is no limit."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest

from typedcat import DEP, ADict, Config, load_config

DEPTH = 3000


def deep(kind: Any, leaf: Any = 1) -> Any:
    tree = kind(deep_dict())
    bottom(tree).leaf = leaf
    return tree


def bottom(tree: Any) -> Any:
    for _ in range(DEPTH):
        tree = tree["k"]
    return tree


def deep_dict() -> dict[str, Any]:
    data: dict[str, Any] = {"leaf": 1}
    for _ in range(DEPTH):
        data = {"k": data}
    return data


@pytest.fixture(params=[Config, ADict])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.mark.slow
def test_built_by_one_assignment(kind: Any) -> None:
    tree = node = kind()
    for _ in range(DEPTH):
        node = node.k
    assert tree == {}
    node.leaf = 1
    assert tree == deep_dict()


def test_built_from_a_dict_and_back(kind: Any) -> None:
    tree = kind(deep_dict())
    assert bottom(tree).leaf == 1
    assert bottom(tree.to_dict()) == {"leaf": 1}


def test_compared(kind: Any) -> None:
    assert deep(kind) == deep(kind)
    assert deep(kind) != deep(kind, 2)
    assert deep(kind) == deep_dict()


def test_copied(kind: Any) -> None:
    tree = deep(kind)
    for made in (tree.copy(), copy.copy(tree), copy.deepcopy(tree), kind(tree), pickle.loads(pickle.dumps(tree))):
        assert made == tree
        bottom(made).leaf = 5
        assert bottom(tree).leaf == 1


def test_merged(kind: Any) -> None:
    tree = deep(kind)
    other = deep(kind)
    bottom(other).more = 2
    tree.update(other)
    assert bottom(tree) == {"leaf": 1, "more": 2}
    assert bottom(tree | deep_dict()).leaf == 1


def test_frozen_printed_and_walked(kind: Any) -> None:
    tree = deep(kind).freeze()
    assert bottom(tree).is_frozen
    assert tree.to_txt("t").count(".k") == DEPTH
    assert repr(tree).count("'k'") == DEPTH
    assert tree._repr_html_().count("<summary>") == DEPTH
    assert sum(1 for _ in tree.named_branches) == DEPTH + 1
    assert sum(1 for _ in tree.named_ckl) == 1


def test_mounted_and_cleared() -> None:
    cfg = Config()
    cfg.a = deep(Config)
    cfg.b = cfg.a
    assert cfg.a == cfg.b
    assert bottom(cfg.b).find_root() is cfg
    del cfg.a
    cfg.clear()


@pytest.mark.slow
def test_loaded_and_its_origin() -> None:
    cfg = Config(caps=deep(Config))
    node: Any = cfg
    for _ in range(DEPTH):
        node = node["k"]
    node.own = DEP(lambda c: 2)
    loaded = load_config(cfg, create_rslt_dir=False)
    assert bottom(loaded) == {"leaf": 1, "own": 2}
    assert loaded.origin(".".join(["k"] * DEPTH + ["leaf"]))[0].value == 1


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["yaml", "json", "pkl"])
def test_files(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / f"configs/deep/cfg.{ending}"
    file.parent.mkdir(parents=True)
    if ending == "pkl":
        deep(Config).save_pkl(file)
    else:
        file.write_text('{"k": ' * DEPTH + '{"leaf": 1}' + "}" * DEPTH)
    loaded = load_config(file, create_rslt_dir=False)
    assert bottom(loaded).leaf == 1
    assert load_config(loaded.save_pkl(tmp_path / "again.pkl"), create_rslt_dir=False) == loaded
