"""Copies and conversions of trees: branch copy, deep copy, from and to plain dicts. No recursion: depth is no limit."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, TypeVar

from ..errors import MountError
from .anchors import anchored
from .keys import format_path
from .node import (
    CONTAINERS,
    WHOLE,
    Node,
    adopt,
    blank,
    extra_of,
    mirror,
    plain_class,
    set_extra,
    set_origins,
    set_state,
)
from .origin import Place, Site
from .sameness import equal_values
from .values import Deferred

N = TypeVar("N", bound=Node)


def branch_copy(node: N) -> N:
    """A copy of the tree structure; leaves are shared. It is a root of its own, not frozen."""
    node.__ready__()
    if not node.__one_parent__:
        return _graph_copy(node)
    root = _shell(node)
    stack: list[tuple[Node, Node]] = [(node, root)]
    while stack:
        source, target = stack.pop()
        dict.update(target, dict.items(source))
        for key, value in dict.items(source):
            if isinstance(value, Node) and isinstance(value, target.__branch_type__):
                child = _shell(value)
                adopt(target, key, child)
                dict.__setitem__(target, key, child)
                stack.append((value, child))
        mirror(target)
    return root


def _graph_copy(node: N) -> N:
    """A branch copy of a tree that may hold a subtree twice, or be circular, through lists as well."""
    root = _shell(node)
    memo: dict[int, Any] = {id(node): root}
    stack: list[tuple[Any, Any]] = [(node, root)]

    def copied(value: Any) -> Any:
        if id(value) in memo:
            return memo[id(value)]
        if is_deep_tuple(value):
            return tuple(copied(item) for item in value)
        if isinstance(value, Node):
            new: Any = branch_copy(value) if value.__one_parent__ else _shell(value)
        elif type(value) in (dict, list):
            new = type(value)()
        else:
            return value
        memo[id(value)] = new
        if not (isinstance(value, Node) and value.__one_parent__):
            stack.append((value, new))
        return new

    while stack:
        source, target = stack.pop()
        if isinstance(target, list):
            target.extend(copied(item) for item in source)
            continue
        for key, value in dict.items(source):
            dict.__setitem__(target, key, copied(value))
        if isinstance(target, Node):
            mirror(target)
    return root


def is_deep_tuple(value: Any) -> bool:
    """Whether a value is a tuple in which a dict or list stands: part of the structure of an `ADict`, as lists are."""
    return type(value) is tuple and any(isinstance(item, (dict, list)) or is_deep_tuple(item) for item in value)


def _shell(node: N) -> N:
    new = blank(plain_class(node))
    set_state(new, node.__state__ & WHOLE)
    set_origins(new, dict(node.__origins__))
    if node.__extra__ is not None:
        set_extra(new, node.__extra__.copy())
    return new  # type: ignore[no-any-return]  # `blank` makes any class


def deep_copy(node: N, memo: dict[int, Any] | None = None) -> N:
    """A copy of the tree with its leaves deep-copied; `memo` as in `copy.deepcopy`."""
    memo = {} if memo is None else memo
    if id(node) in memo:
        return memo[id(node)]  # type: ignore[no-any-return]  # what was put there for this node
    node.__ready__()
    root = _shell(node)
    memo[id(node)] = root
    stack: list[tuple[Node, Node]] = [(node, root)]
    while stack:
        source, target = stack.pop()
        for key, value in dict.items(source):
            if id(value) in memo and not target.__one_parent__:
                new = memo[id(value)]
            elif isinstance(value, Node) and isinstance(value, target.__branch_type__):
                new = _shell(value)
                memo[id(value)] = new
                adopt(target, key, new)
                stack.append((value, new))
            else:
                new = copy.deepcopy(value, memo)
            dict.__setitem__(target, key, new)
        mirror(target)
    return root


def graft(
    target: Node,
    source: Mapping[Any, Any],
    site: Site | Place,
    *,
    into_lists: bool = False,
    home: Node | None = None,
) -> None:
    """Fill an empty node with the contents of a mapping: what is a dict there becomes a subtree here.

    Below a config only its own subtrees are subtrees (a dict that somebody assigned to a key stays the leaf it is);
    below any other mapping every dict is one.

    Args:
        target: an empty node.
        source: what to take over; shared and circular references are kept where the target's class has room for them.
        site: who sets the values, for those that do not know it.
        into_lists: whether dicts inside lists become subtrees as well.
        home: the node that `target` is going to be merged into, on whose tree bound dependencies may have been made.

    Raises:
        MountError: a circular reference in a tree whose nodes have one parent, or a dependency of another tree.
        NotLoadedError: a node in it is not loaded yet.
    """
    _Graft(target, source, site, into_lists, home).run()


class _Graft:
    """One run of `graft`: a stack of containers still to be filled instead of recursion."""

    def __init__(
        self, target: Node, source: Mapping[Any, Any], site: Site | Place, into_lists: bool, home: Node | None
    ) -> None:
        self.home = home
        self.site = site
        self.into_lists = into_lists
        self.single = target.__one_parent__
        self.top = target
        self.memo: dict[int, Any] = {id(source): target}
        self.seen: list[Any] = [source]  # keeps what `memo` knows by its id alive
        self.stack: list[tuple[Any, Any, int]] = [(source, target, 0)]

    def run(self) -> None:
        if isinstance(self.stack[0][0], Node):
            self.stack[0][0].__ready__()
        open_sources: list[int] = []  # the way from the root to where we are, to see a circle
        while self.stack:
            source, target, level = self.stack.pop()
            if self.single:
                del open_sources[level:]
                # A circle is as deep as one likes, so it is enough to look for one where trees rarely are.
                if len(open_sources) > 64 and id(source) in open_sources:
                    raise MountError(format_path(()) or "cfg", "a circular reference cannot become a config")
                open_sources.append(id(source))
            if isinstance(target, list):
                target.extend(self.value(target, None, item, source, level) for item in source)
            else:
                self.fill(target, source, level)

    def fill(self, target: Node, source: Mapping[Any, Any], level: int) -> None:
        copied = isinstance(source, Node) and source.__one_parent__
        if isinstance(source, Node):
            _take_state(target, source)
        for key, value in _items(source):
            if isinstance(value, (dict, list, tuple, set, frozenset, Deferred)):
                value = self.value(target, key, value, source, level)
                if not copied and isinstance(value, (*CONTAINERS, Deferred)) and self.single:
                    home, below = (target, 0) if self.home is None else (self.home, level)
                    value, extra_of(target).anchors[key] = anchored(value, target, home, below)
            dict.__setitem__(target, key, value)
        if not copied:
            target.__origins__.update(dict.fromkeys(dict.keys(target), self.site))
        if isinstance(source, Node):
            target.__origins__.update(source.__origins__)
        mirror(target)

    def value(self, target: Any, key: Hashable, value: Any, source: Any, level: int) -> Any:
        if not self.single and id(value) in self.memo:
            return self.memo[id(value)]
        if isinstance(value, dict) and self.is_branch(value, source):
            if isinstance(value, Node):
                value.__ready__()
            parent = target if isinstance(target, Node) else None
            child = blank(self.class_for(value, parent, key))
            if parent is not None and self.single:
                adopt(parent, key, child)
            self.memo[id(value)] = child
            self.seen.append(value)
            self.stack.append((value, child, level + 1))
            return child
        if self.into_lists and is_deep_tuple(value):
            return tuple(self.value(None, None, item, value, level) for item in value)
        if self.into_lists and type(value) is list:
            new: list[Any] = []
            self.memo[id(value)] = new
            self.stack.append((value, new, level + 1))
            return new
        return value

    def is_branch(self, value: dict[Any, Any], source: Any) -> bool:
        return isinstance(value, source.__branch_type__) if isinstance(source, Node) else True

    def class_for(self, value: dict[Any, Any], parent: Node | None, key: Hashable) -> type[Any]:
        if self.single and isinstance(value, Node) and value.__one_parent__:
            cls: type[Any] = plain_class(value)
        elif parent is not None:
            cls = parent.__child_class__(key)
        else:  # in a list
            cls = plain_class(self.top)
        return cls


def _items(source: Any) -> Iterable[tuple[Any, Any]]:
    """The items of anything that behaves like a mapping, in the protocol of `dict.update`."""
    if isinstance(source, dict):
        return dict.items(source) if isinstance(source, Node) else source.items()
    return [(key, source[key]) for key in source.keys()]  # noqa: SIM118 - what `dict()` itself calls


def _take_state(target: Node, source: Node) -> None:
    set_state(target, target.__state__ | (source.__state__ & WHOLE))
    if source.__extra__ is not None and target.__one_parent__:
        had = target.__extra__
        extra = source.__extra__.copy()
        if had is not None:
            extra.caps = had.caps or extra.caps
            extra.schema = had.schema or extra.schema
            extra.source = had.source or extra.source
            extra.tune = had.tune
        set_extra(target, extra)


def to_dict(node: Node, into_lists: bool = False) -> dict[Any, Any]:
    """The tree as plain dicts; leaves are shared, circular references kept.

    Args:
        node: the tree.
        into_lists: whether nodes inside lists are converted as well (the lists are copied then).
    """
    node.__ready__()
    result: dict[Any, Any] = {}
    memo: dict[int, Any] = {id(node): result}
    stack: list[tuple[Any, Any]] = [(node, result)]

    def plain(value: Any) -> Any:
        if id(value) in memo:
            return memo[id(value)]
        if into_lists and is_deep_tuple(value):
            return tuple(plain(item) for item in value)
        if isinstance(value, Node) or (into_lists and type(value) is list):
            new: Any = {} if isinstance(value, Node) else []
            memo[id(value)] = new
            stack.append((value, new))
            return new
        return value

    while stack:
        source, target = stack.pop()
        if isinstance(target, list):
            target.extend(plain(item) for item in source)
        else:
            for key, value in dict.items(source):
                target[key] = plain(value)
    return result


def equal(one: dict[Any, Any], other: dict[Any, Any], into_lists: bool = False) -> bool:
    """`one == other` as for dicts, at any depth, with arrays as leaves.

    Args:
        one: a tree.
        other: another, or any dict.
        into_lists: whether circular references may go through lists.
    """
    stack: list[tuple[Any, Any]] = [(one, other)]
    seen: set[tuple[int, int]] = set()
    while stack:
        left, right = stack.pop()
        if left is right or (id(left), id(right)) in seen:
            continue
        seen.add((id(left), id(right)))
        if len(left) != len(right):
            return False
        for value, theirs in zip(left, right, strict=True) if isinstance(left, list) else _by_key(left, right):
            both = dict if isinstance(value, dict) else list if into_lists and type(value) is list else ()
            if both and isinstance(theirs, both):
                stack.append((value, theirs))
            elif not equal_values(value, theirs):
                return False
    return True


class _NotThere:
    """Equal to nothing."""


_NOT_THERE = _NotThere()


def _by_key(left: dict[Any, Any], right: dict[Any, Any]) -> Iterable[tuple[Any, Any]]:
    return ((value, dict.get(right, key, _NOT_THERE)) for key, value in dict.items(left))
