"""All that a value may be declared as, wherever it stands: in a tree, or in a plain list or dict of one.

Types come as lists: of a union each member is possible, and an unknown key may be a misspelt one.
"""

from __future__ import annotations

import typing
from collections.abc import Hashable, Iterable, Iterator
from typing import Any

from ..tree.config import BaseConfig
from ..tree.fields import members
from ..tree.keys import suggest
from ..tree.merge import schema_of
from ..tree.node import path_to, root_of
from .schema_fields import allows_more, fields_of, is_schema

Types = list[Any]


def types_at(tree: BaseConfig, keys: Iterable[Hashable]) -> Types:
    """What the value at `keys` may be declared as; nothing where no schema is."""
    node: Any = tree
    types = own_types(tree)
    for key in keys:
        node = dict.get(node, key) if isinstance(node, dict) else None
        types = own_types(node) or types_below(types, key)
    return types


def slot_types(node: Any, *keys: Hashable) -> Types:
    """The same for what stands at `keys` below a node of the tree, or for the node itself."""
    root: Any = root_of(node)
    return types_at(root, (*path_to(node), *keys))


def own_types(value: Any) -> Types:
    """The schema of a node that has one of its own; nothing of anything else."""
    schema = schema_of(value) if isinstance(value, BaseConfig) else None
    return [] if schema is None else [schema]


def types_below(types: Types, key: Hashable) -> Types:
    """What the value at `key` of something may be declared as, where that something is declared as one of `types`."""
    found: Types = []
    for one in alternatives(types):
        if not is_schema(one):  # a container, else something that has no keys: what was given for it is below one
            found += typing.get_args(one) or [one]
        elif key in (fields := declared_keys(one)):
            found.append(fields[str(key)])
        elif not allows_more(one):
            found += [fields[name] for name in suggest(key, fields, len(fields))]
    return found


def alternatives(types: Iterable[Any]) -> Iterator[Any]:
    """The types themselves: the members of unions, and what names of types stand for."""
    for annotation in types:
        for one in members(annotation):
            named = getattr(one, "__value__", None)
            yield from [one] if named is None else alternatives([named])


def declared_keys(schema: Any) -> dict[str, Any]:
    """The declared keys of a schema, and their types."""
    try:
        return {name: field.annotation for name, field in fields_of(schema).items()}
    except Exception:  # noqa: BLE001 - a name that is defined only later, in annotations of anybody; validation says so
        return {}


__all__ = ["Types", "alternatives", "declared_keys", "own_types", "slot_types", "types_at", "types_below"]
