"""pydantic's validators for the types of a schema, and JSON Schema of them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NotRequired

from typing_extensions import TypedDict

from ..errors import SchemaError, short_repr
from ..tree.config import BaseConfig
from ..tree.copying import branch_copy, graft, to_dict
from ..tree.fields import field_types
from ..tree.merge import derives
from ..tree.node import blank, plain_class
from ..tree.origin import Place
from ..tree.typed import TypedConfig, become, fill
from ..tree.values import Deferred
from .resolve import resolve, unresolved
from .schema_fields import is_pydantic_model, is_schema, is_typed_dict

if TYPE_CHECKING:
    from pydantic import TypeAdapter

NO_SCHEMA = "is no schema: give a TypedConfig class, pydantic model, dataclass or TypedDict"
KEEP_NODES = object()
"""pydantic's context while a tree is validated: its nodes stay what they are, and come back as `Fit`."""

WRONG_CLASS = "wrong_class"  # pydantic's `type` of the error for a node of an unrelated class


class Fit:
    """A node of a tree that is being validated, and what pydantic made of its contents.

    Nothing is written into the node before the whole tree is found right: of a union several classes are tried.
    """

    __slots__ = ("cls", "made", "node")

    def __init__(self, node: BaseConfig, cls: type[TypedConfig], made: dict[str, Any]) -> None:
        self.node = node
        self.cls = cls
        self.made = made


@functools.lru_cache(maxsize=512)
def typed_dict_of(cls: type[TypedConfig]) -> Any:
    """A TypedDict with the fields of the class: unlike a model it has no reserved names, and takes any dict."""
    hints = field_types(cls)
    items: dict[str, Any] = {
        name: hints[name] if field.required and name != "rslt_dir" else NotRequired[hints[name]]
        for name, field in cls.__fields__.items()
    }
    make: Any = TypedDict  # a checker knows it with literal arguments only
    made = make(cls.__name__, items)
    made.__pydantic_config__ = {"arbitrary_types_allowed": True, "extra": "forbid", "populate_by_name": True}
    made.__module__ = cls.__module__
    made.__doc__ = cls.__doc__
    return made


def pydantic_core_schema(cls: type[TypedConfig], source: Any, handler: Any) -> Any:
    """How pydantic validates a config: as the TypedDict of its class."""
    from pydantic_core import core_schema

    return core_schema.with_info_wrap_validator_function(
        functools.partial(_validate, cls),
        handler.generate_schema(typed_dict_of(cls)),
        serialization=core_schema.plain_serializer_function_ser_schema(to_dict),
    )


def _validate(cls: type[TypedConfig], value: Any, inner: Any, info: Any) -> Any:
    if not isinstance(value, BaseConfig):
        return _made_of(cls, value, inner(value), info.context)
    own = plain_class(value)
    if own.__typed__ and own is not cls:
        if not derives(own, cls):
            _refuse(own, cls)
        return adapter(own).validate_python(value, context=info.context)
    fitting = Fit(value, cls, inner(value))
    return fitting if info.context is KEEP_NODES else settled(fitting)


def _refuse(own: type[TypedConfig], wanted: type[TypedConfig]) -> None:
    from pydantic_core import PydanticCustomError

    names = {"wanted": wanted.__name__, "own": own.__name__}
    raise PydanticCustomError(WRONG_CLASS, "should be a {wanted}, not a {own}", names)


def _made_of(cls: type[TypedConfig], source: Any, made: dict[str, Any], context: Any) -> BaseConfig:
    """A new node of a mapping that is no node, as it stands in lists: complete, dependencies and all."""
    node: BaseConfig = blank(cls)
    graft(node, settled(made), Place("", None))
    become(node, cls)
    fill(node)
    if unresolved(node):
        resolve(node)
    rest = {key: value for key, value in dict.items(node) if key not in source}
    for key, value in rest.items():
        coerced = adapter(field_types(cls)[key]).validate_python(value, context=context)
        if not isinstance(value, (BaseConfig, Deferred)):
            dict.__setitem__(node, key, settled(coerced))
    return branch_copy(node)  # whose attributes agree with the items


def settled(made: Any) -> Any:
    """What pydantic made, with a copy of the node, as it came out, in place of each `Fit`."""
    if isinstance(made, Fit):
        node = branch_copy(made.node)
        become(node, made.cls)
        for key, value in settled(made.made).items():
            old = dict.get(node, key)
            if not isinstance(old, BaseConfig):
                dict.__setitem__(node, key, value)
            elif isinstance(value, BaseConfig):
                node.__put__(key, value, Place("", None))
        fill(node)
        return branch_copy(node)
    if type(made) in (list, tuple, set, frozenset):
        items = [settled(item) for item in made]
        return made if all(a is b for a, b in zip(made, items, strict=True)) else type(made)(items)
    if type(made) is dict:
        return {key: settled(item) for key, item in made.items()}
    return made


@functools.lru_cache(maxsize=512)
def adapter(annotation: Any) -> TypeAdapter[Any]:
    """pydantic's validator for a type.

    Raises:
        SchemaError: pydantic cannot make one.
    """
    from pydantic import ConfigDict, TypeAdapter
    from pydantic.errors import PydanticUserError

    try:
        config = None if _configured(annotation) else ConfigDict(arbitrary_types_allowed=True)
        return TypeAdapter(annotation, config=config)
    except PydanticUserError as error:
        text = str(error).partition("\n\nFor further")[0]
        raise SchemaError(
            f"{getattr(annotation, '__name__', annotation)} cannot be used as a schema: {text}"
        ) from error


def _configured(annotation: Any) -> bool:
    """Whether pydantic takes the configuration from the type itself."""
    return isinstance(annotation, type) and (
        is_pydantic_model(annotation) or hasattr(annotation, "__dataclass_fields__") or is_typed_dict(annotation)
    )


def json_schema(schema: Any) -> dict[str, Any]:
    """JSON Schema of a config schema, so that editors complete and check YAML and JSON configs.

    Raises:
        SchemaError: it is no schema.
    """
    from pydantic.json_schema import GenerateJsonSchema

    if not is_schema(schema):
        raise SchemaError(f"{short_repr(schema)} {NO_SCHEMA}")

    class Generator(GenerateJsonSchema):
        """Anything that JSON has no word for is allowed to be anything."""

        ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - as its base has it

        def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> dict[str, Any]:
            return {}

    made = adapter(schema).json_schema(schema_generator=Generator, mode="validation")
    if issubclass(schema, TypedConfig):  # only the whole config has a result folder, though every class declares it
        for inner in made.get("$defs", {}).values():
            if inner.get("title") != schema.__name__:
                inner.get("properties", {}).pop("rslt_dir", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


__all__ = ["KEEP_NODES", "NO_SCHEMA", "WRONG_CLASS", "Fit", "adapter", "json_schema", "pydantic_core_schema", "settled"]
