"""Validation of a resolved tree against its schema, by pydantic: every problem at once, coerced leaves written back."""

from __future__ import annotations

import functools
import re
from collections.abc import Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NotRequired, TypeVar

from typing_extensions import TypedDict

from ..errors import Problem, SchemaError, ValidationError, short_path, short_repr
from ..tree.config import BaseConfig
from ..tree.copying import branch_copy, graft, to_dict
from ..tree.fields import MISSING, field_types
from ..tree.keys import format_path, suggest
from ..tree.merge import schema_of, set_schema
from ..tree.node import adopt, blank, extra_of, path_of, path_to, plain_class, raw_set
from ..tree.origin import history
from ..tree.typed import TypedConfig, fill
from ..tree.values import Deferred, Parameter
from ..tree.walk import branches
from .schema_fields import (
    MASK,
    Fields,
    allows_more,
    fields_of,
    is_pydantic_model,
    is_schema,
    is_secret_type,
    nested_schema,
    schema_of_slot,
)

if TYPE_CHECKING:
    from pydantic import TypeAdapter

M = TypeVar("M")


# -- pydantic's view of a TypedConfig


@functools.cache
def typed_dict_of(cls: type[TypedConfig]) -> Any:
    """A TypedDict with the fields of the class: unlike a model it has no reserved names, and takes any dict."""
    hints = field_types(cls)
    items: dict[str, Any] = {
        name: hints[name] if field.required and name != "rslt_dir" else NotRequired[hints[name]]
        for name, field in cls.__fields__.items()
    }
    make: Any = TypedDict  # a checker knows it with literal arguments only
    made = make(cls.__name__, items)
    made.__pydantic_config__ = {"arbitrary_types_allowed": True, "extra": "forbid"}
    made.__module__ = cls.__module__
    made.__doc__ = cls.__doc__
    return made


def pydantic_core_schema(cls: type[TypedConfig], source: Any, handler: Any) -> Any:
    """Validate a node as its TypedDict, write what was coerced back into it, and keep the node itself."""
    from pydantic_core import core_schema

    def validate(value: Any, inner: Any) -> Any:
        made = inner(value)
        if isinstance(value, BaseConfig):
            _write_back(value, made)
            return value
        node = blank(cls)
        graft(node, made, extra_of(node).schema or _NOWHERE)
        fill(node)
        return node

    return core_schema.no_info_wrap_validator_function(
        validate,
        handler.generate_schema(typed_dict_of(cls)),
        serialization=core_schema.plain_serializer_function_ser_schema(to_dict),
    )


@functools.cache
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
        is_pydantic_model(annotation) or hasattr(annotation, "__dataclass_fields__") or _is_typed_dict(annotation)
    )


def _is_typed_dict(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, dict) and hasattr(annotation, "__total__")


# -- defaults of models, dataclasses and TypedDicts


def fill_model_defaults(root: BaseConfig) -> None:
    """Set what nobody has set to the defaults of a schema that is no `TypedConfig` (those fill in themselves)."""
    for node in branches(root):
        schema = schema_of(node)
        if schema is not None and not plain_class(node).__typed__:
            _fill(node, schema)


def _fill(node: Any, schema: Any) -> None:
    for field in dict(_by_name(fields_of(schema))).values():
        child_schema = nested_schema(field.annotation)
        if not _has(node, schema, field.name):
            value = field.value()
            if value is MISSING:
                if child_schema is None or not field.required or not _all_optional(child_schema):
                    continue
                value = {}
            elif child_schema is not None and value is not None:
                value = _as_mapping(value, child_schema)
            if child_schema is not None and isinstance(value, dict):
                child: Any = blank(node.__child_class__(field.name))
                adopt(node, field.name, child)
                graft(child, value, _NOWHERE)
                value = child
            raw_set(node, field.name, value)
            node.__origins__[field.name] = field.where
        child = dict.get(node, field.name)
        if child_schema is not None and isinstance(child, BaseConfig):
            _fill(child, child_schema)


def _by_name(fields: Fields) -> dict[str, Any]:
    return {field.name: field for field in fields.values()}


def _has(node: Any, schema: Any, name: str) -> bool:
    return any(dict.__contains__(node, key) for key, field in fields_of(schema).items() if field.name == name)


def _all_optional(schema: Any) -> bool:
    return not any(field.required for field in fields_of(schema).values())


def _as_mapping(value: Any, schema: Any) -> Any:
    if isinstance(value, dict):
        return value
    return {name: getattr(value, name) for name in _by_name(fields_of(schema)) if hasattr(value, name)}


class _Nowhere:
    """Where defaults without a line of their own come from."""


_NOWHERE: Any = _Nowhere()


# -- validation


def validate(root: BaseConfig, *, source: str = "") -> None:
    """Check the values of a tree against the schemas of its nodes; coerced leaves are written back.

    What is not known yet (dependencies and parameters of a tune config) is left out.

    Raises:
        ValidationError: with every problem of the tree.
    """
    problems: list[Problem] = []
    names: list[str] = []
    for node in _outermost(root):
        schema = schema_of(node)
        names.append(schema.__name__)
        problems += _check(node, schema)
    problems += check_leaves(root, Parameter)
    if problems:
        raise refusal(root, problems, ", ".join(dict.fromkeys(names)), source)


def refusal(root: BaseConfig, problems: list[Problem], name: str = "", source: str = "") -> ValidationError:
    """The error that lists the problems of a tree."""
    where = source or (root.__extra__.source if root.__extra__ is not None else "") or "config"
    schema = name or ", ".join(dict.fromkeys(schema_of(node).__name__ for node in _outermost(root)))
    return ValidationError(short_path(where), schema, _united(problems))


def _outermost(root: BaseConfig) -> list[Any]:
    """The nodes that have a schema and lie below none that has one."""
    found: list[Any] = []
    work: list[Any] = [root]
    while work:
        node = work.pop(0)
        if schema_of(node) is not None:
            found.append(node)
        else:
            work.extend(value for value in dict.values(node) if isinstance(value, BaseConfig))
    return found


def _check(node: Any, schema: Any) -> list[Problem]:
    from pydantic import ValidationError as PydanticError

    if not is_schema(schema):
        raise SchemaError(f"{schema!r} is no schema: give a TypedConfig class, pydantic model, dataclass or TypedDict")
    typed = issubclass(schema, TypedConfig)
    problems = [] if typed else _unknown_keys(node, schema)
    value = node if typed else _without_result_dir(node, schema)
    try:
        made = adapter(schema).validate_python(value)
    except PydanticError as error:
        return problems + _problems(node, schema, error.errors(include_url=False), problems)
    if not typed and not problems:
        _write_back(node, _as_mapping(made, schema), schema)
    return problems


def _without_result_dir(node: Any, schema: Any) -> dict[Any, Any]:
    plain = to_dict(node)
    if "rslt_dir" not in fields_of(schema):
        plain.pop("rslt_dir", None)
    return plain


def _unknown_keys(node: Any, schema: Any) -> list[Problem]:
    """Keys that a model would silently ignore."""
    problems = []
    fields = fields_of(schema)
    for key, value in dict.items(node):
        if key not in fields:
            if not allows_more(schema) and (key != "rslt_dir" or node.__parent__ is not None):
                problems.append(_unknown_key(node, key, value, fields))
        elif isinstance(value, BaseConfig) and (inner := nested_schema(fields[key].annotation)) is not None:
            problems += _unknown_keys(value, inner)
    return problems


def _unknown_key(node: Any, key: Hashable, value: Any, fields: Iterable[str]) -> Problem:
    place, overrode = _story(node, key)
    hints = suggest(key, fields)
    return Problem(path_of(node, key), value, "is an unknown key", place, "unknown_key", overrode, hints)


def _problems(node: Any, schema: Any, errors: Iterable[Any], known: list[Problem]) -> list[Problem]:
    found = []
    unknown = {problem.key for problem in known}
    for error in errors:
        holder, key, rest, fields = _locate(node, schema, error["loc"])
        if error["type"] == "extra_forbidden":
            problem = _unknown_key(holder, key, error["input"], fields or ())
        else:
            problem = _problem(holder, key, rest, error)
        value = dict.get(holder, key) if key is not None else None
        if problem.key not in unknown and not _unknown_yet(value):
            found.append(problem)
    return found


def _unknown_yet(value: Any) -> bool:
    if isinstance(value, Deferred):
        return True
    if type(value) is dict:
        return any(_unknown_yet(item) for item in value.values())
    return type(value) in (list, tuple) and any(_unknown_yet(item) for item in value)


def _locate(node: Any, schema: Any, loc: tuple[Any, ...]) -> tuple[Any, Any, tuple[Any, ...], Fields | None]:
    """(the node, the key in it, the way on inside the value, the fields declared there) for pydantic's location."""
    holder, key = node, None
    at = schema
    fields: Fields | None = None
    rest: list[Any] = []
    for part in loc:
        if rest or not isinstance(holder, BaseConfig):
            rest.append(part)
            continue
        value = dict.get(holder, key) if key is not None else holder
        if isinstance(value, BaseConfig):
            declared = is_schema(at) and part in fields_of(at)
            if dict.__contains__(value, part) or declared or part == loc[-1]:
                if key is not None:
                    holder = value
                field = fields_of(at).get(part) if is_schema(at) else None
                outer, at = at, nested_schema(field.annotation) if field is not None else None
                key = part
                fields = fields_of(outer) if is_schema(outer) else None
                continue
            continue  # the tag of a union member
        rest.append(part)
    inner = tuple(part for part in rest if isinstance(part, int) or (rest and not _is_tag(part)))
    return holder, key, inner, fields if key is not None else None


def _is_tag(part: Any) -> bool:
    """Whether pydantic's location names a member of a union rather than a key."""
    return isinstance(part, str) and bool(re.search(r"[\[\]()|, ]", part) or part in _TAGS)


_TAGS = {"int", "float", "str", "bool", "none", "list", "dict", "tuple", "set", "bytes"}


def _problem(holder: Any, key: Any, rest: tuple[Any, ...], error: Any) -> Problem:
    path = format_path((*path_to(holder), *(() if key is None else (key,)), *rest)) or "cfg"
    if error["type"] == "missing":
        return Problem(path, None, "is required, and nothing has set it", "", "missing")
    place, overrode = _story(holder, key)
    expected = re.sub(r"^(Input|Value) should", "should", error["msg"])
    expected = expected[:1].lower() + expected[1:]
    return Problem(path, _shown(holder, key, error["input"]), expected, place, error["type"], overrode)


def _shown(holder: Any, key: Any, value: Any) -> Any:
    """The value for the message; of a secret only that there is one."""
    if is_secret_type(schema_of_slot(holder, key) if key is not None else None):
        return MASK
    inner = dict.get(holder, key) if key is not None else holder
    if isinstance(value, dict) and isinstance(inner, BaseConfig):
        return {name: _shown(inner, name, item) for name, item in value.items()}
    return value


def _story(holder: Any, key: Any) -> tuple[str, tuple[str, ...]]:
    """Where a value was set, and what it overrode."""
    if key is None or not dict.__contains__(holder, key):
        return "", ()
    secret = is_secret_type(schema_of_slot(holder, key))
    steps = list(history(holder.__origins__.get(key), dict.__getitem__(holder, key)))
    older = [f"{MASK if secret else short_repr(step.value)} ({step})" for step in steps[1:]]
    return (str(steps[0]) if steps else ""), tuple(older)


def _united(problems: list[Problem]) -> list[Problem]:
    """One problem per key: the alternatives of a union are alternatives of one expectation."""
    united: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        had = united.get((problem.key, problem.place))
        if had is None:
            united[problem.key, problem.place] = problem
        elif problem.expected not in had.expected:
            both = f"{had.expected}, or {problem.expected}"
            united[problem.key, problem.place] = Problem(
                had.key, had.value, both, had.place, had.code, had.overrode, had.suggestions
            )
    return list(united.values())


def check_leaves(root: BaseConfig, kind: type = object) -> list[Problem]:
    """Coerce each declared leaf by itself, so that dependencies and constraints read values of the declared types.

    Args:
        root: a tree before its dependencies are computed.
        kind: look at leaves of this type only.

    Returns:
        What does not fit. A model may still accept it: its own validators run in `validate`.
    """
    problems: list[Problem] = []
    for node, fields in _declared_nodes(root):
        for key, value in list(dict.items(node)):
            field = fields.get(key)
            if field is None or isinstance(value, BaseConfig) or not isinstance(value, kind):
                continue
            if isinstance(value, Parameter):
                problems += _check_parameter(node, key, value, field.annotation)
            elif not _unknown_yet(value) and type(value) is not field.annotation:
                new, found = _coerced(node, key, value, field.annotation)
                problems += found
                if not _same(value, new):
                    raw_set(node, key, new)
    return problems


def _declared_nodes(root: BaseConfig) -> Iterator[tuple[Any, Fields]]:
    """Each subtree whose keys a schema declares, with what is declared for it."""
    work: list[tuple[Any, Any]] = [(root, schema_of(root))]
    while work:
        node, schema = work.pop()
        fields: Fields = fields_of(schema) if is_schema(schema) else {}
        if fields:
            yield node, fields
        for key, value in dict.items(node):
            if isinstance(value, BaseConfig):
                field = fields.get(key)
                work.append((value, schema_of(value) or (nested_schema(field.annotation) if field else None)))


def _check_parameter(node: Any, key: Hashable, value: Any, annotation: Any) -> list[Problem]:
    """The values of a `Param2Tune`, against the type of the key that it stands for."""
    problems: list[Problem] = []
    options = []
    for option in value.optional_val:
        if _unknown_yet(option) or isinstance(option, BaseConfig):
            options.append(option)
            continue
        new, found = _coerced(node, key, option, annotation)
        problems += found
        options.append(option if _same(option, new) else new)
    value.optional_val = tuple(options)
    return problems


def _coerced(node: Any, key: Hashable, value: Any, annotation: Any) -> tuple[Any, list[Problem]]:
    from pydantic import ValidationError as PydanticError

    try:
        return adapter(annotation).validate_python(value), []
    except PydanticError as error:
        return value, [_problem(node, key, (), one) for one in error.errors(include_url=False)]


# -- writing back


def _write_back(node: Any, made: Any, schema: Any = None) -> None:
    """Put the leaves that pydantic coerced into the tree; nodes and unchanged leaves stay the objects they are."""
    fields = fields_of(schema) if schema is not None else {}
    for key, value in list(dict.items(node)):
        name = fields[key].name if key in fields else key
        if not isinstance(made, dict) or name not in made:
            continue
        new = made[name]
        if isinstance(value, BaseConfig):
            inner = nested_schema(fields[key].annotation) if key in fields else None
            if inner is not None and not isinstance(new, BaseConfig):
                _write_back(value, _as_mapping(new, inner), inner)
        elif not _same(value, new):
            raw_set(node, key, new)


def _same(value: Any, new: Any) -> bool:
    """Whether a validated value says no more than the one it came from."""
    if value is new:
        return True
    if type(value) is not type(new):
        return False
    if isinstance(value, (list, tuple)):
        return len(value) == len(new) and all(map(_same, value, new))
    if isinstance(value, dict):
        return value.keys() == new.keys() and all(_same(item, new[key]) for key, item in value.items())
    if isinstance(value, (str, int, float, bool, bytes, complex, set, frozenset)):
        return bool(value == new)
    return False


# -- models and JSON Schema


def to_model(tree: BaseConfig, model: type[M]) -> M:
    """See `BaseConfig.to_model`."""
    from pydantic import ValidationError as PydanticError

    if not is_schema(model):
        raise SchemaError(
            f"{short_repr(model)} is no schema: give a TypedConfig class, pydantic model, dataclass or TypedDict"
        )
    if issubclass(model, TypedConfig):
        typed: Any = branch_copy(tree)
        set_schema(typed, model)
        fill(typed)
        validate(typed)
        return typed  # type: ignore[no-any-return]  # of the class asked for, as just validated
    schema: Any = model
    problems = _unknown_keys(tree, schema)
    try:
        made = adapter(schema).validate_python(_without_result_dir(tree, schema))
    except PydanticError as error:
        problems += _problems(tree, schema, error.errors(include_url=False), problems)
        made = None
    if problems:
        raise ValidationError("config", schema.__name__, _united(problems))
    return made  # type: ignore[no-any-return]  # what pydantic made of the model


def json_schema(schema: Any) -> dict[str, Any]:
    """JSON Schema of a config schema, so that editors complete and check YAML and JSON configs.

    Raises:
        SchemaError: it is no schema.
    """
    from pydantic.json_schema import GenerateJsonSchema

    if not is_schema(schema):
        raise SchemaError(
            f"{short_repr(schema)} is no schema: give a TypedConfig class, pydantic model, dataclass or TypedDict"
        )

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
