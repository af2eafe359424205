"""Walks over a tree: its branches and its leaves, in order, without recursion."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterator
from typing import Any

from .keys import join
from .node import Node

Leaf = tuple[str, tuple[Any, Hashable, Any]]


def named_branches(tree: dict[Any, Any], name: str = "", runs: bool = False) -> Iterator[tuple[str, Any]]:
    """(name, subtree) of the tree itself and of each subtree, parents first; a subtree met twice is given once.

    Args:
        tree: the tree.
        name: what it is called.
        runs: whether the names have to run as Python, so that a key named like a method is written as an item.
    """
    for path, at, key, _ in _walk(tree, name, runs):
        if key is _BRANCH:
            yield path, at


def named_leaves(tree: dict[Any, Any], name: str = "") -> Iterator[Leaf]:
    """(name, (subtree, key, value)) of each leaf."""
    for path, at, key, value in _walk(tree, name):
        if key is not _BRANCH:
            yield path, (at, key, value)


def branches(tree: dict[Any, Any]) -> list[Any]:
    """The tree and every subtree, parents first. Faster than `named_branches`, and safe while the tree changes."""
    found = [tree]
    seen = {id(tree)}
    for at in found:
        kind: Any = _branch_type(at)
        value: Any
        for value in dict.values(at):
            if isinstance(value, kind) and id(value) not in seen:
                seen.add(id(value))
                found.append(value)
    return found


class _Branch:
    """Marks the visit of a subtree itself."""


_BRANCH: Hashable = _Branch()


def methods_of(at: dict[Any, Any]) -> Container[str]:
    """Names that stand for something else than a key there."""
    return at.__reserved__ if isinstance(at, Node) else ()


def _branch_type(at: dict[Any, Any]) -> type:
    return at.__branch_type__ if isinstance(at, Node) else dict


def _walk(tree: dict[Any, Any], name: str, runs: bool = False) -> Iterator[tuple[str, Any, Hashable, Any]]:
    yield name, tree, _BRANCH, None
    seen = {id(tree)}
    stack: list[tuple[str, Any, Iterator[tuple[Any, Any]]]] = [(name, tree, iter(list(dict.items(tree))))]
    while stack:
        prefix, at, items = stack[-1]
        kind: Any = _branch_type(at)
        methods = methods_of(at) if runs else ()
        for key, value in items:
            if isinstance(value, kind):
                if id(value) not in seen:
                    seen.add(id(value))
                    path = join(prefix, key, methods)
                    yield path, value, _BRANCH, None
                    stack.append((path, value, iter(list(dict.items(value)))))
                    break
            else:
                yield join(prefix, key, methods), at, key, value
        else:
            stack.pop()
