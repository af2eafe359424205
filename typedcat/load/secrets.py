"""Secrets: which values may be some, by the types that are declared for them, and what is shown in their place."""

from __future__ import annotations

import copy
import typing
from collections.abc import Hashable
from typing import Any

from ..tree import text
from ..tree.config import BaseConfig
from ..tree.values import Deferred, Extend, Parameter
from ..tree.walk import branches
from .declared_types import Types, alternatives, declared_keys, own_types, slot_types, types_below
from .schema_fields import MASK, is_schema

_DEEPEST = 50  # values that are nested deeper are not looked into, nor shown


def _is_secret(annotation: Any) -> bool:
    return hasattr(typing.get_origin(annotation) or annotation, "get_secret_value")


def hold_secrets(types: Types) -> bool:
    """Whether values of these types are secrets, or may have some in them."""
    work = list(types)
    seen: Types = []
    for annotation in work:
        for one in alternatives([annotation]):
            if _is_secret(one):
                return True
            if one not in seen:
                seen.append(one)
                work += declared_keys(one).values() if is_schema(one) else typing.get_args(one)
    return False


def masked(value: Any, types: Types, depth: int = 0) -> Any:
    """A value to show: of each secret in it only that there is one.

    Args:
        value: the value. One of pydantic's secrets hides itself, and a function is none.
        types: what it may be declared as.
        depth: how deep it lies in what is shown.

    Returns:
        The value itself, if there is nothing to hide in it.
    """
    types = own_types(value) or types
    if value is None or hasattr(type(value), "get_secret_value") or not hold_secrets(types):
        return value
    if isinstance(value, (Extend, Parameter)):
        return _masked_items(value, types, depth)
    if isinstance(value, Deferred):
        return value
    if depth > _DEEPEST:
        return ...
    if any(map(_is_secret, alternatives(types))):
        return MASK
    if isinstance(value, dict):
        found = {key: masked(item, types_below(types, key), depth + 1) for key, item in dict.items(value)}
        return found if any(found[key] is not item for key, item in dict.items(value)) else value
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [masked(item, types_below(types, i), depth + 1) for i, item in enumerate(value)]
        kind = type(value) if type(value) in (list, tuple, set, frozenset) else list
        return kind(items) if any(a is not b for a, b in zip(items, value, strict=True)) else value
    if is_schema(type(value)):
        return _masked_instance(value, depth)
    return MASK if isinstance(value, (str, bytes, int, float)) else value


def _masked_items(value: Any, types: Types, depth: int) -> Any:
    extends = isinstance(value, Extend)
    items = value.items if extends else value.optional_val
    found = [masked(item, types_below(types, 0) if extends else types, depth + 1) for item in items]
    return type(value)(found) if any(a is not b for a, b in zip(found, items, strict=True)) else value


def _masked_instance(value: Any, depth: int) -> Any:
    """A copy of an instance of a dataclass, which shows what is in it, whatever its type."""
    shown = value
    for name, annotation in declared_keys(type(value)).items():
        held = getattr(value, name, None)
        if (item := masked(held, [annotation], depth + 1)) is not held:
            shown = copy.copy(value) if shown is value else shown
            object.__setattr__(shown, name, item)  # frozen or not
    return shown


def masker(tree: Any) -> text.Mask:
    """See `text.maskers`."""
    known: dict[int, Types] = {}
    if isinstance(tree, BaseConfig):
        known[id(tree)] = slot_types(tree)
        for node in branches(tree):
            types = known[id(node)]
            for key, value in dict.items(node):
                if isinstance(value, BaseConfig):
                    known[id(value)] = own_types(value) or types_below(types, key)

    def mask(node: Any, key: Hashable, value: Any) -> Any:
        types = known.get(id(node), [])
        return masked(value, types if key is text.BASE else types_below(types, key))

    return mask


text.maskers.append(masker)
__all__ = ["hold_secrets", "masked", "masker"]
