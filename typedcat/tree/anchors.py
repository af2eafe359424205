"""Where the function of a dependency starts: fixed when it is assigned, relative to the slot that holds it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from ..errors import MountError
from .node import CONTAINERS, WHOLE_CONFIG, Anchor, Node, level_of, path_of, path_to, root_of
from .values import Dependency, Extend, Extension, Parameter

_PLAIN = frozenset((str, int, float, complex, bool, bytes, type(None)))


def climb(node: Node, anchor: Anchor) -> Node:
    """The node that an anchor leads to.

    Raises:
        MountError: the tree ends above, or the path down is not there.
    """
    up, down = anchor
    if up < 0:
        return root_of(node)
    at = node
    for _ in range(up):
        if at.__parent__ is None:
            raise MountError(
                path_of(node),
                "holds a dependency that reads from above the subtree it was copied out with",
                "mount the copy at the same depth before loading it, or assign the dependency anew",
            )
        at = at.__parent__
    for key in down:
        child = dict.get(at, key)
        if not isinstance(child, Node):
            raise MountError(path_of(node), f"holds a dependency on {path_of(at, key)}, which is no subtree here")
        at = child
    return at


def anchored(value: Any, holder: Node, home: Node, below: int = 0) -> tuple[Any, Anchor]:
    """A value that is, or may hold, dependencies, as it is kept in a slot, and the anchor of the slot.

    A bound dependency is kept without its node: how to get there from the slot is what counts, wherever the slot moves.

    Args:
        value: what is assigned.
        holder: the node whose slot gets it.
        home: the node of the user's tree that `holder` is, or is going to be merged into.
        below: how many levels below `home` the holder will lie then.

    Raises:
        MountError: a dependency was made on a node of another tree, or containers are nested a few hundred levels deep.
        NotLoadedError: a container holds a node that is not loaded yet.
    """
    if isinstance(value, Dependency):
        if value.bound is None:
            return value, (level_of(holder), ()) if value.rel else WHOLE_CONFIG
        up, down = _way(home, value.bound)
        return value.unbound(), (up + below, down)
    try:
        unbound, found = _without_nodes(value, home, {})
    except RecursionError as error:
        raise MountError(path_of(holder), "gets lists or dicts that are nested too deeply to look into") from error
    level = level_of(home) + below if found else level_of(holder)
    return unbound, (level, ())


def _way(start: Node, target: Node) -> Anchor:
    """Levels up from `start` to the common ancestor with `target`, then the path down."""
    _check_home(start, target)
    ours, theirs = path_to(start), path_to(target)
    common = common_length(ours, theirs)
    return len(ours) - common, theirs[common:]


def common_length(ours: tuple[Hashable, ...], theirs: tuple[Hashable, ...]) -> int:
    """How many keys two paths begin with together."""
    common = 0
    while common < min(len(ours), len(theirs)) and ours[common] == theirs[common]:
        common += 1
    return common


def _check_home(home: Node, target: Node) -> None:
    if root_of(home) is not root_of(target):
        raise MountError(
            path_of(home),
            f"gets a dependency that was made on '{path_of(target)}' of another config",
            "make it on a node of the config that holds it: cfg.key = cfg.DEP(...)",
        )


_Rebuilt = tuple[Any, bool]  # a value, and whether there was a bound dependency in it


def _without_nodes(value: Any, home: Node, seen: dict[int, _Rebuilt], inside: bool = False) -> _Rebuilt:
    """A container whose bound dependencies go down from the root instead; the same object if there was none."""
    if isinstance(value, Dependency):
        if value.bound is None:
            return value, False
        _check_home(home, value.bound)
        return value.unbound(path_to(value.bound)), True
    if isinstance(value, Node):
        if inside and value.__one_parent__:
            value.__ready__()
        return value, False
    if id(value) not in seen:
        seen[id(value)] = value, False  # what holds itself has no end
        seen[id(value)] = _container(value, home, seen)
    return seen[id(value)]


def _container(value: Any, home: Node, seen: dict[int, _Rebuilt]) -> _Rebuilt:
    kind = type(value)
    if kind in CONTAINERS:
        return _rebuilt(value, value, kind, home, seen)
    if kind is dict:
        return _rebuilt(value, value.values(), lambda items: dict(zip(value, items, strict=True)), home, seen)
    if isinstance(value, Extend):
        return _rebuilt(value, value.items, lambda items: Extension(items, value.base), home, seen)
    if isinstance(value, Parameter):
        value.optional_val, found = _rebuilt(value.optional_val, value.optional_val, tuple, home, seen)
        return value, found
    return value, False


def _rebuilt(
    value: Any, items: Any, make: Callable[[list[Any]], Any], home: Node, seen: dict[int, _Rebuilt]
) -> _Rebuilt:
    if _PLAIN.issuperset(map(type, items)):  # long lists of numbers
        return value, False
    pairs = [_without_nodes(item, home, seen, inside=True) for item in items]
    if not any(found for _, found in pairs):
        return value, False
    return make([item for item, _ in pairs]), True
