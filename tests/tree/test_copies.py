"""Pickles, deep copies and branch copies of random trees."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings

from typedcat import ADict, Config, TypedConfig

from .strategies import Sub, assert_sound, dicts, flags_of, subs

PROTOCOLS = range(2, pickle.HIGHEST_PROTOCOL + 1)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(subs())
def test_a_config_and_its_copies(model: Sub) -> None:
    cfg = model.build(Config())
    pickled = [pickle.loads(pickle.dumps(cfg, protocol)) for protocol in PROTOCOLS]
    for made in (cfg.copy(), copy.copy(cfg), copy.deepcopy(cfg), Config(cfg), *pickled):
        assert made == cfg
        assert repr(made) == repr(cfg)
        assert flags_of(made) == model.flags()
        assert {name: type(at) for name, at in made.named_branches} == {n: type(at) for n, at in cfg.named_branches}
        assert_sound(made)
        made["new"] = 1
        assert cfg == model.plain()


@settings(max_examples=60, deadline=None)
@given(subs())
def test_branch_copies_share_leaves_and_deep_copies_do_not(model: Sub) -> None:
    cfg = model.build(Config())
    for one, two in zip(cfg.leaves, cfg.copy().leaves, strict=True):
        assert one is two
    cfg.lst = [[1]]
    deep = copy.deepcopy(cfg)
    deep.lst[0].append(2)
    assert cfg.lst == [[1]]


@settings(max_examples=60, deadline=None)
@given(dicts())
def test_an_adict_and_its_copies(data: dict[Any, Any]) -> None:
    tree = ADict(data)
    for made in (tree.copy(), copy.deepcopy(tree), ADict(tree), pickle.loads(pickle.dumps(tree))):
        assert type(made) is ADict
        assert made == data
        assert_sound(made)


@settings(max_examples=40, deadline=None)
@given(subs())
def test_a_pickle_is_frozen_as_it_was_and_a_copy_is_writable(model: Sub) -> None:
    cfg = model.build(Config()).freeze()
    made = pickle.loads(pickle.dumps(cfg))
    assert all(at.is_frozen for at in made.branches)
    assert not any(at.is_frozen for at in cfg.copy().branches)


def test_deepcopy_memo_is_shared_with_what_surrounds_the_tree() -> None:
    leaf = [1]
    cfg = Config(a={"b": leaf})
    made, other = copy.deepcopy((cfg, leaf))
    assert made.a.b is other


def test_one_tree_twice_in_a_container() -> None:
    cfg = Config(a={"b": 1})
    one, two = copy.deepcopy([cfg, cfg])
    assert one is two
    sub, root = copy.deepcopy([cfg.a, cfg])
    assert sub == root.a


def test_a_leaf_that_refers_to_the_tree() -> None:
    class Holder:
        def __init__(self) -> None:
            self.cfg: Any = None

    holder = Holder()
    cfg = Config(holder=holder)
    holder.cfg = cfg
    assert copy.deepcopy(cfg).holder is not holder
    made = copy.deepcopy(cfg)
    assert made.holder.cfg is made


def test_user_attributes_of_a_class() -> None:
    class Mine(Config):
        def total(self) -> int:
            return sum(v for v in self.values() if isinstance(v, int))

    cfg = Mine(a=1, b={"c": 2})
    for made in (cfg.copy(), copy.deepcopy(cfg)):
        assert type(made) is Mine
        assert made.total() == 1
        assert made.b.total() == 2


@pytest.mark.parametrize("how", ["copy", "deepcopy", "pickle"])
def test_typed_nodes_keep_their_classes(how: str) -> None:
    cfg = Train(epochs=3)
    ways: dict[str, Callable[[], Any]] = {
        "copy": cfg.copy,
        "deepcopy": lambda: copy.deepcopy(cfg),
        "pickle": lambda: pickle.loads(pickle.dumps(cfg)),
    }
    made = ways[how]()
    assert type(made) is Train
    assert type(made.loader) is Loader
    assert made == cfg
    with pytest.raises(AttributeError):
        setattr(made.loader, "batch_siz", 1)  # noqa: B010 - a checker knows that it is an error


class Loader(TypedConfig):
    """A typed subtree."""

    batch_size: int = 8


class Train(TypedConfig):
    """A typed root."""

    loader: Loader = Loader()
    epochs: int = 1
