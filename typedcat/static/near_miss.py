"""Keys that are new in a config and one slip of a finger away from an inherited one: most likely the same key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..load.inherit import RESULT_DIR
from ..load.schema_fields import declared_nodes, fields_of, nested_schema
from ..tree.config import BaseConfig
from ..tree.node import path_of
from .findings import Finding
from .setters import files, newest_file, records, setter

_SHORTEST = 3  # letters; `lr` and `l2` are near each other, and different


def near_misses(tree: BaseConfig, config: Path) -> Iterator[Finding]:
    """The keys of a loaded tree that only the config itself sets, next to one that only others do."""
    own = str(config)
    for node, declared in declared_nodes(tree):
        schema = nested_schema(declared)
        known = fields_of(schema) if schema is not None else {}
        new, inherited = _divided(node, own)
        for key in new:
            close = [name for name in inherited if is_slip(key, name)] if key not in known else []
            if close:
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

    Digits, and letters that are a word of their own (`dim_x`, `dim_y`), number things and are no slips.
    """
    if abs(len(name) - len(other)) > 1:
        return False
    start = 0
    while name[start : start + 1] == other[start : start + 1] != "":
        start += 1
    one, two = name[start:], other[start:]
    while one and two and one[-1] == two[-1]:
        one, two = one[:-1], two[:-1]
    if any(char.isdigit() for char in one + two):
        return False
    if len(one) == len(two) == 1:
        before, after = name[:start], name[start + 1 :]
        is_word = (not before or before.endswith("_")) and (not after or after.startswith("_"))
        return not is_word
    return len(one) + len(two) == 1 or (len(one) == 2 and one == two[::-1])
