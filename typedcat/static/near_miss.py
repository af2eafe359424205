"""Keys that are new in a config and one slip of a finger away from an inherited one: most likely the same key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..load.inherit import RESULT_DIR
from ..load.schema_fields import declared_nodes, fields_of, nested_schema
from ..tree.config import BaseConfig
from ..tree.node import path_of
from ..tree.values import Deferred
from .findings import Finding
from .setters import files, newest_file, records, setter

_SHORTEST = 3  # letters; `lr` and `l2` are near each other, and different
_LONG = 5  # letters of names that are rarely near other words; `mode` and `model`, `path` and `patch` are
_LONGER = 6  # the same where a letter is another one, as in `stage` and `state`


def near_misses(tree: BaseConfig, config: Path) -> Iterator[Finding]:
    """The keys of a loaded tree that only the config itself sets, next to one that only others do."""
    own = str(config)
    reads = tree.__extra__.reads.values() if tree.__extra__ is not None else ()
    used = {path for one in reads for path in one.reads}  # by a dependency: keys that are meant
    for node, declared in declared_nodes(tree):
        schema = nested_schema(declared)
        known = fields_of(schema) if schema is not None else {}
        new, inherited = _divided(node, own)
        for key in new:
            close = [name for name in inherited if is_slip(key, name) and _are_alike(node, key, name)]
            if close and key not in known and path_of(node, key) not in used:
                names = " or ".join(f"'{name}' (set at {setter(node, name)})" for name in close)
                at = setter(node, key)
                line = at.line if at is not None and at.line is not None else 1
                text = f"{path_of(node, key)}: no base has this key; did you mean {names}?"
                yield Finding(own, line, "near-miss", text, (), own)


def _divided(node: BaseConfig, own: str) -> tuple[list[str], list[str]]:
    """The keys of a subtree that only the file `own` sets, and those that it does not set."""
    new, inherited = [], []
    for key in dict.keys(node):
        if not isinstance(key, str) or len(key) < _SHORTEST or (key == RESULT_DIR and node.__parent__ is None):
            continue
        found = list(records(node, key))
        if not any(newest_file(record) == own for record in found):
            if found:
                inherited.append(key)
        elif all(file == own for record in found for file in files(record)):
            new.append(key)
    return new, inherited


def is_slip(name: str, other: str) -> bool:
    """Whether two names are one edit apart: a letter more, less or another one, or two that changed places.

    Digits, and letters that are a word of their own (`dim_x`, `dim_y`), number things and are no slips. Nor are short
    names in which a letter is another one, or which have one more that does not double its neighbour: those are words.
    """
    start = 0
    while name[start : start + 1] == other[start : start + 1] != "":
        start += 1
    one, two = name[start:], other[start:]
    while one and two and one[-1] == two[-1]:
        one, two = one[:-1], two[:-1]
    if any(char.isdigit() for char in one + two):
        return False
    shorter = min(name, other, key=len)
    if len(one) == len(two) == 1:
        before, after = name[:start], name[start + 1 :]
        is_word = (not before or before.endswith("_")) and (not after or after.startswith("_"))
        return not is_word and start > 0 and len(shorter) >= _LONGER
    if len(one) + len(two) == 1:
        return len(shorter) >= _LONG or (one or two) == name[start - 1 : start]
    return len(one) == 2 and one == two[::-1]


def _are_alike(node: BaseConfig, key: str, other: str) -> bool:
    """Whether the values of two keys may be one for the other: `step = 3` is no slip for `steps = [1, 2]`."""
    one, two = dict.get(node, key), dict.get(node, other)
    unknown = one is None or two is None or isinstance(one, Deferred) or isinstance(two, Deferred)
    return unknown or _kind(one) == _kind(two)


def _kind(value: Any) -> Any:
    """What distinguishes values of keys with different meanings: roughly their type."""
    kinds = (BaseConfig, bool, (int, float), str, (list, tuple), type)
    return next((kind for kind in kinds if isinstance(value, kind)), type(value))
