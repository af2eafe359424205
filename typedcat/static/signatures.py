"""Does the `ini` of a node fit the signature of its `cls`: `cls(**ini)` is what training code does with them."""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

from ..errors import did_you_mean, readable
from ..tree.config import BaseConfig
from ..tree.keys import join, suggest
from ..tree.origin import history, newest, place
from ..tree.values import Deferred
from ..tree.walk import named_branches, named_leaves
from .findings import Finding, absolute
from .setters import setter

_KEYWORDS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def unknown_arguments(tree: BaseConfig, config: Path) -> Iterator[Finding]:
    """The keys of each `ini` that the `cls` beside it does not take; required ones may come from training code."""
    for path, node in _nodes(tree, ""):
        cls, ini = dict.get(node, "cls"), dict.get(node, "ini")
        if not isinstance(ini, BaseConfig) or (taken := argument_names(cls)) is None:
            continue
        for key in dict.keys(ini):
            if key not in taken:
                yield _finding(node, path, key, taken, config)


def _nodes(tree: dict[Any, Any], name: str) -> Iterator[tuple[str, Any]]:
    """(path, node) of every subtree, also of those in lists."""
    yield from named_branches(tree, name)
    for path, (_, _, value) in named_leaves(tree, name):
        for i, item in enumerate(value) if type(value) in (list, tuple) else ():
            if isinstance(item, BaseConfig):
                yield from _nodes(item, f"{path}[{i}]")


def argument_names(cls: Any) -> frozenset[str] | None:
    """The arguments that a callable takes by name; None if it takes any, or nobody can tell."""
    if not callable(cls) or isinstance(cls, (Deferred, BaseConfig)):
        return None
    try:
        parameters = inspect.signature(cls).parameters.values()
    except Exception:  # noqa: BLE001 - written in C; or a metaclass of the user's raises whatever it likes
        return None
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters):
        return None
    return frozenset(one.name for one in parameters if one.kind in _KEYWORDS)


def _finding(node: Any, path: str, key: Hashable, taken: frozenset[str], config: Path) -> Finding:
    """An argument that is not taken: the fault of who wrote it, or of who chose another class later."""
    cls, ini = dict.__getitem__(node, "cls"), dict.__getitem__(node, "ini")
    at, chosen, record = setter(ini, key), setter(node, "cls"), node.__origins__.get("cls")
    notes: tuple[str, ...] = ()
    older = list(history(record, cls))[1:]
    if any(key in (argument_names(step.value) or ()) for step in older):
        notes = (f"it was set for another class, at {at}; assign Drop to it",)
        at = chosen
    elif chosen is not None and at is not None and chosen.file != at.file:
        notes = (f"cls is set at {chosen}",)
    close = did_you_mean(suggest(key, sorted(taken - set(dict.keys(ini)))))
    name = readable(getattr(cls, "__qualname__", "") or type(cls).__qualname__)
    text = "; ".join(
        part for part in (f"{join(join(path, 'ini'), key)}: {name} takes no argument {key!r}", close) if part
    )
    file, line = (absolute(at.file), at.line or 1) if at is not None else (str(config), 1)
    default = record is None or place(newest(record)).how == "default"
    return Finding(file, line, "unknown-argument", text, notes, str(config), incomplete=default)
