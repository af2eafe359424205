"""Random programs over a tree, step by step against a model in plain dicts."""

from __future__ import annotations

import copy
import pickle
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from typedcat import ADict, Config
from typedcat.errors import FrozenError

from .strategies import Sub, assert_sound, dicts, leaves, sub_of

KEYS: list[Any] = ["a", "b", "c", "items", "x y", "class", 1, None]
keys = st.sampled_from(KEYS)
paths = st.lists(keys, min_size=1, max_size=4)
small = dicts(keys)


class TreeMachine(RuleBasedStateMachine):
    """Both hold the same after each step."""

    kind: ClassVar[Any]

    def __init__(self) -> None:
        super().__init__()
        self.tree = self.kind()
        self.model = Sub()

    # -- finding the way

    def way(self, path: list[Any]) -> tuple[Any, Sub] | None:
        """The node and the model at a path, both made out of nothing if they are absent; None if a leaf is there."""
        if not self.is_free(path):
            return None
        node, model = self.tree, self.model
        for i, key in enumerate(path):
            node = node[key] if i % 2 or not isinstance(key, str) or hasattr(type(node), key) else getattr(node, key)
            model = model.items.setdefault(key, Sub())
        return node, model

    def is_free(self, path: list[Any]) -> bool:
        model: Any = self.model
        for key in path:
            model = model.items.get(key, Sub())
            if not isinstance(model, Sub):
                return False
        return True

    def found(self, path: list[Any]) -> tuple[Any, Sub] | None:
        """The node and the model at a path that is there."""
        node, model = self.tree, self.model
        for key in path:
            if not isinstance(model.items.get(key), Sub):
                return None
            node, model = node[key], model.items[key]
        return node, model

    # -- writing

    @rule(path=paths, value=leaves, as_attribute=st.booleans())
    def assign(self, path: list[Any], value: Any, as_attribute: bool) -> None:
        if (at := self.way(path[:-1])) is None:
            return
        node, model = at
        if as_attribute and isinstance(path[-1], str) and not hasattr(type(node), path[-1]):
            setattr(node, path[-1], value)
        else:
            node[path[-1]] = value
        model.items[path[-1]] = value

    @rule(path=paths, data=small)
    def assign_a_tree(self, path: list[Any], data: dict[Any, Any]) -> None:
        if (at := self.way(path[:-1])) is None:
            return
        tree = self.kind(data)
        at[0][path[-1]] = tree
        at[1].items[path[-1]] = sub_of(data)
        assert at[0][path[-1]] is tree, "a tree that hangs nowhere is mounted itself"

    @rule(path=paths)
    def delete(self, path: list[Any]) -> None:
        if (at := self.found(path[:-1])) is None:
            return
        node, model = at
        if path[-1] in model.items:
            gone = node[path[-1]]
            del node[path[-1]]
            del model.items[path[-1]]
            if isinstance(gone, Config):
                assert gone.find_root() is gone
        else:
            with pytest.raises(KeyError):
                del node[path[-1]]

    @rule(path=paths)
    def pop(self, path: list[Any]) -> None:
        if (at := self.found(path[:-1])) is None:
            return
        node, model = at
        if path[-1] not in model.items:
            assert node.pop(path[-1], "default") == "default"
            with pytest.raises(KeyError):
                node.pop(path[-1])
            return
        value = model.items.pop(path[-1])
        assert node.pop(path[-1]) == (value.plain() if isinstance(value, Sub) else value)

    @rule(path=paths)
    def popitem(self, path: list[Any]) -> None:
        if (at := self.found(path[:-1])) is None:
            return
        node, model = at
        if model.items:
            key, value = model.items.popitem()
            assert node.popitem() == (key, value.plain() if isinstance(value, Sub) else value)
        else:
            with pytest.raises(KeyError):
                node.popitem()

    @rule(path=paths)
    def clear(self, path: list[Any]) -> None:
        if (at := self.found(path[:2])) is not None:
            at[0].clear()
            at[1].items.clear()

    @rule(path=paths, value=leaves)
    def setdefault(self, path: list[Any], value: Any) -> None:
        if (at := self.way(path[:-1])) is None:
            return
        node, model = at
        given = node.setdefault(path[-1], value)
        expected = model.items.setdefault(path[-1], value)
        assert given == (expected.plain() if isinstance(expected, Sub) else expected)

    @rule(path=paths, data=small, how=st.sampled_from(["update", "|=", "dict_update", "incremental"]))
    def merge(self, path: list[Any], data: dict[Any, Any], how: str) -> None:
        if (at := self.way(path[:2])) is None:
            return
        node, model = at
        if how == "update":
            node.update(data)
        elif how == "|=":
            node |= data
        else:
            node.dict_update(data, incremental=how == "incremental")
        (model.merge_incrementally if how == "incremental" else model.merge)(sub_of(data))

    @rule(path=paths, value=leaves)
    def two_handles_to_one_missing_key(self, path: list[Any], value: Any) -> None:
        if not self.is_free(path) or self.found(path) is not None:
            return
        handles = []
        for _ in range(2):
            node = self.tree
            for key in path:
                node = node[key]
            handles.append(node)
        handles[0]["one"] = value
        handles[1]["two"] = value
        model = self.model
        for key in path:
            model = model.items.setdefault(key, Sub())
        model.items.update(one=value, two=value)

    # -- what changes nothing

    @rule(path=paths)
    def read(self, path: list[Any]) -> None:
        node: Any = self.tree
        model: Any = self.model
        for key in path:
            if not isinstance(model, Sub):
                return
            if key not in model.items:
                assert not node[key]
                assert node[key] == {}
                assert key not in node
                assert node.get(key) is None
                assert node.get(key, 5) == 5
                assert list(node[key].x.y) == []
                return
            node, model = node[key], model.items[key]

    @rule(path=paths, value=leaves)
    def write_while_frozen(self, path: list[Any], value: Any) -> None:
        assert self.tree.freeze() is self.tree
        node: Any = self.tree
        for key in path[:-1]:
            child = dict.get(node, key)
            if isinstance(child, type(self.tree)):
                node = child
        assert node.is_frozen
        for write in (
            lambda: node.__setitem__(path[-1], value),
            lambda: node.pop(path[-1], None),
            lambda: node.update({path[-1]: value}),
            node.clear,
            lambda: node.setdefault("not there", value),
        ):
            with pytest.raises(FrozenError):
                write()
        assert self.tree == self.model.plain()
        self.tree.unfreeze()
        assert not node.is_frozen

    # -- copies take the place of the tree

    @rule(how=st.sampled_from(["copy", "copy.copy", "deepcopy", "pickle", "constructor", "or", "exec", "dict"]))
    def replace_by_a_copy(self, how: str) -> None:
        old = self.tree
        new: Any
        if how == "exec":
            found: dict[str, Any] = {}
            exec(old.to_txt("new"), {"Config": Config, "ADict": ADict}, found)
            new = found["new"]
        else:
            new = {
                "copy": old.copy,
                "copy.copy": lambda: copy.copy(old),
                "deepcopy": lambda: copy.deepcopy(old),
                "pickle": lambda: pickle.loads(pickle.dumps(old)),
                "constructor": lambda: self.kind(old),
                "or": lambda: old | {},
                "dict": lambda: self.kind(old.to_dict()),
            }[how]()
        assert type(new) is self.kind
        assert new == old
        assert repr(new) == repr(old)
        assert not {id(node) for node in new.branches} & {id(node) for node in old.branches}
        old.clear()
        self.tree = new

    # -- what always holds

    @invariant()
    def the_same(self) -> None:
        plain = self.model.plain()
        assert self.tree == plain
        assert plain == self.tree
        assert repr(self.tree) == repr(plain), "keys in the same order"
        assert self.tree.to_dict() == plain
        assert {**self.tree} == plain
        assert len(self.tree) == len(plain)
        assert bool(self.tree) == bool(plain)

    @invariant()
    def sound(self) -> None:
        assert_sound(self.tree)


class ConfigMachine(TreeMachine):
    """A `Config`: a node has one parent."""

    kind = Config

    @rule(source=paths, goal=paths)
    def mount_a_subtree_elsewhere(self, source: list[Any], goal: list[Any]) -> None:
        if self.found(source[:2]) is None or (at := self.way(goal[:-1])) is None:
            return
        found = self.found(source[:2])
        assert found is not None
        node, model = found
        copied = model.copy()
        at[0][goal[-1]] = node
        if source[:2] != goal:
            at[1].items[goal[-1]] = copied

    @rule(path=paths, value=leaves)
    def plain_dicts_that_are_assigned_stay_leaves(self, path: list[Any], value: Any) -> None:
        if (at := self.way(path[:-1])) is None:
            return
        leaf = {"a": {"b": value}}
        at[0][path[-1]] = leaf
        assert at[0][path[-1]] is leaf
        at[0][path[-1]] = value
        at[1].items[path[-1]] = value

    @precondition(lambda self: self.model.items)
    @rule()
    def find_root(self) -> None:
        for node in self.tree.branches:
            assert node.find_root() is self.tree


class ADictMachine(TreeMachine):
    """An `ADict`."""

    kind = ADict


TestConfig = ConfigMachine.TestCase
TestConfig.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestADict = ADictMachine.TestCase
TestADict.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
