"""What a schema declares, whatever its kind: `TypedConfig`, pydantic model, dataclass or TypedDict."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import sys
import textwrap
import typing
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Annotated, Any, Literal

from ..tree.config import BaseConfig
from ..tree.fields import MISSING, element_type, field_types, item_type, secret_type
from ..tree.fields import members as alternatives
from ..tree.merge import schema_of
from ..tree.node import path_to, root_of
from ..tree.origin import Declared, Place, Where
from ..tree.typed import TypedConfig

Fields = Mapping[str, "SchemaField"]

MASK = "**********"  # what is shown of a secret, by pydantic too
_SECRETS = ("SecretStr", "SecretBytes", "Secret")


@dataclass(frozen=True)
class SchemaField:
    """One declared key: its type, its default (`MISSING` if there is none), and the line that declares it.

    Attributes:
        alias: what pydantic calls the key in its input, where that is not the name.
    """

    name: str
    annotation: Any
    default: Any
    required: bool
    where: Where
    factory: Any = None
    alias: str = ""

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
        or is_typed_dict(schema)
    )


def is_typed_dict(schema: Any) -> bool:
    """Whether it is a class made by TypedDict."""
    return isinstance(schema, type) and issubclass(schema, dict) and hasattr(schema, "__total__")


def allows_more(schema: Any) -> bool:
    """Whether the schema says that it takes keys which it does not declare."""
    return _settings(schema).get("extra") in ("allow", "ignore")


def _settings(schema: Any) -> Mapping[str, Any]:
    """pydantic's configuration of a schema."""
    found: Mapping[str, Any] | None = getattr(schema, "model_config", None) if is_pydantic_model(schema) else None
    return found or getattr(schema, "__pydantic_config__", None) or {}


@functools.lru_cache(maxsize=512)
def fields_of(schema: Any) -> Fields:
    """The declared keys of a schema."""
    if issubclass(schema, TypedConfig):
        hints = field_types(schema)
        return {
            f.name: SchemaField(
                f.name, hints[f.name], f.default, f.required and f.name != "rslt_dir", f.where, f.factory
            )
            for f in schema.__fields__.values()
        }
    if is_pydantic_model(schema):
        return _pydantic_fields(schema, schema.model_fields)
    if "__pydantic_fields__" in schema.__dict__:
        return _pydantic_fields(schema, {k: v for k, v in schema.__pydantic_fields__.items() if v.init is not False})
    hints = typing.get_type_hints(schema, include_extras=True)
    if is_typed_dict(schema):
        required = schema.__required_keys__
        return {
            name: SchemaField(name, _without_required(hint), MISSING, name in required, _where(schema, name))
            for name, hint in hints.items()
        }
    found = {}
    for field in dataclasses.fields(schema):
        if not field.init:
            continue
        made = field.default_factory is not dataclasses.MISSING
        required = field.default is dataclasses.MISSING and not made
        default = MISSING if field.default is dataclasses.MISSING else field.default
        factory = field.default_factory if made else None
        where = _where(schema, field.name)
        found[field.name] = SchemaField(field.name, hints[field.name], default, required, where, factory)
    return found


def _pydantic_fields(schema: Any, infos: Mapping[str, Any]) -> Fields:
    by_name = _settings(schema).get("populate_by_name") or _settings(schema).get("validate_by_name")
    found = {}
    for name, info in infos.items():
        annotation = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
        default = MISSING if info.is_required() or info.default_factory is not None else info.default
        aliases = _aliases(info)
        alias = aliases[0] if aliases and not by_name else ""
        where = _where(schema, name)
        field = SchemaField(name, annotation, default, info.is_required(), where, _factory(info), alias)
        found.update(dict.fromkeys((name, *aliases), field))
    return found


def _aliases(info: Any) -> list[str]:
    """The other names under which pydantic takes a field."""
    alias = info.validation_alias or info.alias
    return [one for one in getattr(alias, "choices", [alias]) if isinstance(one, str)]


def _factory(info: Any) -> Any:
    if info.default_factory is None or getattr(info, "default_factory_takes_validated_data", False):
        return None
    return info.default_factory


def _without_required(hint: Any) -> Any:
    name = str(getattr(typing.get_origin(hint), "_name", "") or typing.get_origin(hint))
    return typing.get_args(hint)[0] if "Required" in name else hint


# -- the lines of fields


def _where(schema: type, name: str) -> Declared:
    """The line that declares a field, read from the source when somebody asks."""
    return Declared(functools.partial(_field_place, schema, name))


@functools.lru_cache(maxsize=4096)
def _field_place(schema: type, name: str) -> Place:
    for cls in filter(is_schema, _lineage(schema)):
        file, lines = _field_lines(cls)
        if name in lines:
            return Place(file, lines[name], "default")
    file, lines = _field_lines(schema)
    return Place(file, lines.get(_CLASS), "default")


def _lineage(schema: Any) -> Iterator[Any]:
    """A class and all that it derives from; a TypedDict says it differently."""
    if not is_typed_dict(schema):
        yield from schema.__mro__
        return
    yield schema
    for base in getattr(schema, "__orig_bases__", ()):
        if is_typed_dict(own := typing.get_origin(base) or base):
            yield from _lineage(own)


_CLASS = ""  # stands for the class itself among the names of its fields


@functools.lru_cache(maxsize=512)
def _field_lines(cls: type) -> tuple[str, dict[str, int]]:
    """The file of a class, and the lines of the class and of its fields, as far as they are known."""
    module = sys.modules.get(cls.__module__)
    file = getattr(module, "__file__", None) or cls.__module__
    try:
        source, first = inspect.getsourcelines(cls)
    except (OSError, TypeError, SyntaxError, IndexError):  # made by a function, or its file is gone
        return file, {}
    try:
        body = ast.parse(textwrap.dedent("".join(source))).body
    except (SyntaxError, ValueError):  # inside something, with a text that is not indented
        body = []
    statements = [line for one in body if isinstance(one, ast.ClassDef) for line in one.body]
    fields = {
        one.target.id: first + one.lineno - 1
        for one in statements
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
    }
    return file, {_CLASS: first, **fields}


def nested_schema(annotation: Any) -> Any:
    """The one schema among the alternatives of a type, or None."""
    if annotation is None:
        return None
    found = {one for one in alternatives(annotation) if is_schema(one)}
    return next(iter(found)) if len(found) == 1 else None


def annotation_below(annotation: Any, key: Hashable) -> Any:
    """The declared type of the value at `key` of something that is itself declared as `annotation`, or None."""
    if annotation is None:
        return None
    if (schema := nested_schema(annotation)) is not None:
        field = fields_of(schema).get(str(key))
        return field.annotation if field is not None else None
    return item_type(annotation) if isinstance(key, int) else element_type(annotation)


def outermost(root: BaseConfig) -> list[Any]:
    """The nodes that have a schema and lie below none that has one."""
    found: list[Any] = []
    work: list[Any] = [root]
    for node in work:
        if schema_of(node) is not None:
            found.append(node)
        else:
            work.extend(value for value in dict.values(node) if isinstance(value, BaseConfig))
    return found


def declared_nodes(tree: BaseConfig, declared: Any = None) -> Iterator[tuple[Any, Any]]:
    """Each subtree with its declared type: its own schema, or what the schemas above it say; None without either."""
    work: list[tuple[Any, Any]] = [(tree, declared or schema_of(tree))]
    while work:
        node, annotation = work.pop()
        yield node, annotation
        for key, value in reversed(list(dict.items(node))):
            if isinstance(value, BaseConfig):
                work.append((value, schema_of(value) or annotation_below(annotation, key)))


def is_secret_type(annotation: Any) -> bool:
    """Whether values declared so are not to be shown: `SecretStr`, and everything that has one in it."""
    return annotation is not None and any(name in str(annotation) for name in _SECRETS)


def takes_text_only(annotation: Any) -> bool:
    """Whether what is written after `key=` is text as it stands: `name=123` for a `str` field means '123'."""
    members = [one for one in alternatives(annotation) if one is not type(None)]
    return bool(members) and all(map(_is_text, members))


def _is_text(annotation: Any) -> bool:
    if typing.get_origin(annotation) is Literal:
        return all(isinstance(one, str) for one in typing.get_args(annotation))
    return isinstance(annotation, type) and (
        annotation is str or issubclass(annotation, PurePath) or secret_type(annotation) is not None
    )


def allows_none(annotation: Any) -> bool:
    """Whether None is one of the values of a type."""
    return any(one in (None, type(None), Any) for one in alternatives(annotation))


def fields_at(tree: BaseConfig, keys: tuple[Hashable, ...]) -> Fields | None:
    """The fields declared for the subtree at `keys`; None if nothing declares them."""
    schema = schema_at(tree, keys)
    return fields_of(schema) if schema is not None else None


def schema_at(tree: BaseConfig, keys: tuple[Hashable, ...]) -> Any:
    """The schema of the subtree at `keys`: its own, or what the schemas above it declare for it."""
    return nested_schema(_declared_at(tree, keys))


def _declared_at(tree: BaseConfig, keys: tuple[Hashable, ...]) -> Any:
    node: Any = tree
    declared = schema_of(tree)
    for key in keys:
        declared = annotation_below(declared, key)
        node = dict.get(node, key) if isinstance(node, BaseConfig) else None
        if isinstance(node, BaseConfig) and schema_of(node) is not None:
            declared = schema_of(node)
    return declared


def annotation_at(tree: BaseConfig, keys: tuple[Hashable, ...]) -> Any:
    """The declared type of the value at `keys`, or None."""
    return annotation_below(_declared_at(tree, keys[:-1]), keys[-1]) if keys else None


def schema_of_slot(node: BaseConfig, key: Hashable) -> Any:
    """The declared type of the value at `key` of a node, or None."""
    root: Any = root_of(node)
    return annotation_at(root, (*path_to(node), key))
