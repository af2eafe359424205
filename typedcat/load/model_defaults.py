"""Defaults of pydantic models, dataclasses and TypedDicts as the lowest layer of a tree; their aliases become names."""

from __future__ import annotations

from typing import Any

from ..errors import SchemaError, short_repr
from ..tree.config import BaseConfig
from ..tree.copying import graft
from ..tree.fields import MISSING, secret_type
from ..tree.merge import schema_of
from ..tree.node import adopt, blank, extra_of, mirror, plain_class, raw_set
from ..tree.sameness import equal_values
from ..tree.typed import conceal
from .schema_fields import SchemaField, declared_nodes, fields_of, is_schema, nested_schema
from .validators import NO_SCHEMA

_PLAIN_FACTORIES = (list, dict, set)  # others may be slow, or give something else every time


def fill_model_defaults(root: BaseConfig) -> None:
    """Set what nobody has set to the defaults of a schema that is no `TypedConfig` (those fill in themselves).

    Raises:
        SchemaError: a node was given something as its schema that is none.
    """
    for node, declared in declared_nodes(root):
        given = schema_of(node)
        if given is not None and not is_schema(given):
            raise SchemaError(f"{short_repr(given)} {NO_SCHEMA}")
        schema = nested_schema(declared)
        if schema is not None and not plain_class(node).__typed__:
            _fill(node, schema)


def _fill(node: Any, schema: Any) -> None:
    for key, field in fields_of(schema).items():
        if key != field.name and dict.__contains__(node, key) and not dict.__contains__(node, field.name):
            _rename(node, key, field.name)
    for field in _by_name(schema):
        if not dict.__contains__(node, field.name) and (value := _default(field)) is not MISSING:
            if isinstance(value, dict) and nested_schema(field.annotation) is not None:
                child: Any = blank(node.__child_class__(field.name))
                adopt(node, field.name, child)
                graft(child, value, field.where)  # type: ignore[arg-type]  # a declared line is a site as well
                _credit(child, nested_schema(field.annotation))
                value = child
            raw_set(node, field.name, value)
            node.__origins__[field.name] = field.where
        if (kind := secret_type(field.annotation)) is not None:
            conceal(node, field.name, kind)


def _credit(node: Any, schema: Any) -> None:
    """Of `opt: Opt = Opt(lr=1)` the line of this default sets `lr`; the rest is set where `Opt` declares it."""
    for field in _by_name(schema):
        if dict.__contains__(node, field.name) and not isinstance(own := dict.__getitem__(node, field.name), dict):
            value = field.value() if field.factory in _PLAIN_FACTORIES else field.default
            if type(value) is type(own) and equal_values(value, own):
                node.__origins__[field.name] = field.where


def _by_name(schema: Any) -> list[SchemaField]:
    return list({field.name: field for field in fields_of(schema).values()}.values())


def _default(field: SchemaField) -> Any:
    """The default of a field; a subtree that needs nothing is there without one."""
    value = field.value()
    schema = nested_schema(field.annotation)
    if schema is None or value is None:
        return value
    if value is MISSING:
        whole = field.required and not any(inner.required for inner in _by_name(schema))
        return {} if whole and nested_schema(field.annotation) is field.annotation else MISSING
    return as_mapping(value)


def _rename(node: Any, old: str, new: str) -> None:
    """Give a key its other name, at its place in the order."""
    items = [(new if key == old else key, value) for key, value in dict.items(node)]
    dict.clear(node)
    for key, value in items:
        dict.__setitem__(node, key, value)
    mirror(node)
    for known in (node.__origins__, extra_of(node).anchors):
        if old in known:
            known[new] = known.pop(old)
    if isinstance(child := dict.__getitem__(node, new), BaseConfig):
        adopt(node, new, child)


def as_mapping(value: Any) -> Any:
    """The values of a mapping, model or dataclass by name; anything else as it is."""
    if isinstance(value, dict) or not is_schema(type(value)):
        return value
    extra = getattr(value, "__pydantic_extra__", None) or {}
    return {**{field.name: getattr(value, field.name) for field in _by_name(type(value))}, **extra}


__all__ = ["as_mapping", "fill_model_defaults"]
