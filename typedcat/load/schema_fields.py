"""What a schema declares, whatever its kind: `TypedConfig`, pydantic model, dataclass or TypedDict."""

from __future__ import annotations

import dataclasses
import functools
import sys
import types
import typing
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union

from ..tree.config import BaseConfig
from ..tree.merge import schema_of
from ..tree.node import path_to, root_of
from ..tree.origin import Declared, Place, Where
from ..tree.typed import MISSING, TypedConfig, field_types

Fields = Mapping[str, "SchemaField"]

MASK = "**********"  # what is shown of a secret, by pydantic too
_SECRETS = ("SecretStr", "SecretBytes", "Secret")


@dataclass(frozen=True)
class SchemaField:
    """One declared key: its type, its default (`MISSING` if there is none), and the line that declares it."""

    name: str
    annotation: Any
    default: Any
    required: bool
    where: Where
    factory: Any = None

    def value(self) -> Any:
        """The default, made anew where a factory makes it."""
        return self.factory() if self.factory is not None else self.default


def is_pydantic_model(schema: Any) -> bool:
    """Whether it is a pydantic model; pydantic is not imported for that."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(schema, type) and issubclass(schema, pydantic.BaseModel)


def is_schema(schema: Any) -> bool:
    """Whether keys can be declared by it."""
    return isinstance(schema, type) and (
        issubclass(schema, TypedConfig)
        or is_pydantic_model(schema)
        or dataclasses.is_dataclass(schema)
        or _is_typed_dict(schema)
    )


def _is_typed_dict(schema: Any) -> bool:
    return isinstance(schema, type) and issubclass(schema, dict) and hasattr(schema, "__total__")


def allows_more(schema: Any) -> bool:
    """Whether the schema takes keys that it does not declare."""
    return is_pydantic_model(schema) and schema.model_config.get("extra") == "allow"


@functools.cache
def fields_of(schema: Any) -> Fields:
    """The declared keys of a schema."""
    if issubclass(schema, TypedConfig):
        hints = field_types(schema)
        return {
            f.name: SchemaField(f.name, hints[f.name], f.default, f.required and f.name != "rslt_dir", f.where)
            for f in schema.__fields__.values()
        }
    if is_pydantic_model(schema):
        return _pydantic_fields(schema)
    where = Declared(functools.partial(_class_place, schema))
    hints = typing.get_type_hints(schema, include_extras=True)
    if _is_typed_dict(schema):
        required = schema.__required_keys__
        return {n: SchemaField(n, _without_required(hint), MISSING, n in required, where) for n, hint in hints.items()}
    found = {}
    for field in dataclasses.fields(schema):
        if not field.init:
            continue
        made = field.default_factory is not dataclasses.MISSING
        required = field.default is dataclasses.MISSING and not made
        default = MISSING if field.default is dataclasses.MISSING else field.default
        factory = field.default_factory if made else None
        found[field.name] = SchemaField(field.name, hints[field.name], default, required, where, factory)
    return found


def _pydantic_fields(schema: Any) -> Fields:
    where = Declared(functools.partial(_class_place, schema))
    found = {}
    for name, info in schema.model_fields.items():
        annotation = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
        default = MISSING if info.is_required() or info.default_factory is not None else info.default
        field = SchemaField(name, annotation, default, info.is_required(), where, _factory(info))
        for alias in (name, info.validation_alias, info.alias):
            if isinstance(alias, str):
                found[alias] = field
    return found


def _factory(info: Any) -> Any:
    if info.default_factory is None or getattr(info, "default_factory_takes_validated_data", False):
        return None
    return info.default_factory


def _without_required(hint: Any) -> Any:
    name = str(getattr(typing.get_origin(hint), "_name", "") or typing.get_origin(hint))
    return typing.get_args(hint)[0] if "Required" in name else hint


def _class_place(schema: type) -> Place:
    module = sys.modules.get(schema.__module__)
    return Place(
        getattr(module, "__file__", None) or schema.__module__, getattr(schema, "__firstlineno__", None), "default"
    )


def nested_schema(annotation: Any) -> Any:
    """The one schema among the alternatives of a type, or None."""
    found = {one for one in alternatives(annotation) if is_schema(one)}
    return next(iter(found)) if len(found) == 1 else None


def alternatives(annotation: Any) -> list[Any]:
    """The members of a union, without `Annotated` around them."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return alternatives(typing.get_args(annotation)[0])
    if origin is Union or origin is types.UnionType:
        return [one for arg in typing.get_args(annotation) for one in alternatives(arg)]
    return [annotation]


def is_secret_type(annotation: Any) -> bool:
    """Whether values declared so are not to be shown: `SecretStr`, and everything that has one in it."""
    return annotation is not None and any(name in str(annotation) for name in _SECRETS)


def takes_text_only(annotation: Any) -> bool:
    """Whether what is written after `key=` is text as it stands: `name=123` for a `str` field means '123'."""
    members = [one for one in alternatives(annotation) if one is not type(None)]
    return bool(members) and all(
        one is str or (typing.get_origin(one) is Literal and all(isinstance(a, str) for a in typing.get_args(one)))
        for one in members
    )


def fields_at(tree: BaseConfig, keys: tuple[Hashable, ...]) -> Fields | None:
    """The fields declared for the subtree at `keys`; None if nothing declares them."""
    schema = schema_at(tree, keys)
    return fields_of(schema) if schema is not None else None


def schema_at(tree: BaseConfig, keys: tuple[Hashable, ...]) -> Any:
    """The schema of the subtree at `keys`: its own, or what the schemas above it declare for it."""
    node: Any = tree
    schema = schema_of(tree)
    for key in keys:
        field = fields_of(schema).get(str(key)) if is_schema(schema) else None
        schema = nested_schema(field.annotation) if field is not None else None
        node = dict.get(node, key) if isinstance(node, BaseConfig) else None
        if isinstance(node, BaseConfig) and schema_of(node) is not None:
            schema = schema_of(node)
    return schema if is_schema(schema) else None


def annotation_at(tree: BaseConfig, keys: tuple[Hashable, ...]) -> Any:
    """The declared type of the value at `keys`, or None."""
    fields = fields_at(tree, keys[:-1])
    field = fields.get(str(keys[-1])) if fields is not None else None
    return field.annotation if field is not None else None


def schema_of_slot(node: BaseConfig, key: Hashable) -> Any:
    """The declared type of the value at `key` of a node, or None."""
    root: Any = root_of(node)
    return annotation_at(root, (*path_to(node), key))
