"""What the body of a `TypedConfig` class declares: the name, type, default and line of each key."""

from __future__ import annotations

import ast
import copy
import dataclasses
import functools
import linecache
import re
import sys
import types
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import FrameType
from typing import Annotated, Any, ClassVar, Literal, Union

from typing_extensions import Format, get_annotations

from ..errors import SchemaError, short_repr
from .config import BaseConfig
from .copying import branch_copy
from .node import Node
from .origin import Declared, Place, Where
from .values import Dependency, Drop

COPIED = (list, dict, set)  # mutable values of a class that each instance gets a copy of
_FUNCTION = 1  # the flag of code that has local variables of its own


class _Missing:
    """Stands for no default."""

    def __reduce__(self) -> str:
        return "MISSING"  # there is one of it, in a pickle too


MISSING: Any = _Missing()


@dataclasses.dataclass(frozen=True)
class Field:
    """One declared key.

    Attributes:
        name: the key.
        owner: the class whose body declares it.
        annotation: the type as it was written; see `field_types` for the resolved one.
        default: the value in the class body; `MISSING` if there is none.
        where: the line that declares it.
        factory: makes the default of each instance, in place of `default`.
    """

    name: str
    owner: type
    annotation: Any
    default: Any
    where: Where
    factory: Callable[[], Any] | None = None

    @property
    def required(self) -> bool:
        """Whether somebody has to set it."""
        return self.default is MISSING and self.factory is None

    def value(self) -> Any:
        """The default of one more instance."""
        if self.factory is not None:
            return self.factory()
        if isinstance(self.default, BaseConfig):
            return branch_copy(self.default)
        return copy.deepcopy(self.default) if type(self.default) in COPIED else self.default


# -- reading class bodies


def collect(cls: type[Any], frame: FrameType) -> dict[str, Field]:
    """The fields of one class body; takes them out of the class, so that they do not hide keys.

    Args:
        cls: the class.
        frame: the one that runs the class statement.

    Raises:
        SchemaError: a value without a type, or the name of a method.
    """
    cls.__scopes__ = _scopes(cls, frame)
    fields: dict[str, Field] = {}
    no_fields = set()
    for name, annotation in get_annotations(cls, format=Format.FORWARDREF).items():
        if _is_class_var(annotation) or name.startswith("__"):
            no_fields.add(name)
        else:
            fields[name] = _field(cls, name, annotation, cls.__dict__.get(name, MISSING))
    for name, value in list(cls.__dict__.items()):
        if name in fields:
            delattr(cls, name)
        elif isinstance(value, Dependency):
            annotation = get_annotations(value.func, format=Format.FORWARDREF).get("return", Any)
            fields[name] = _field(cls, name, annotation, value)
            delattr(cls, name)
        elif name not in no_fields and not name.startswith("__") and _looks_like_value(value):
            hint = f"declare it: {name}: {type(value).__name__} = ... (or ClassVar, if it is no key)"
            if value is Drop:
                hint = f"a class has every field of its base; it is a config that drops a key: cfg.{name} = Drop"
            raise SchemaError(f"{cls.__qualname__}.{name} = {short_repr(value)} has no type\n  {hint}")
    reserved = next((name for name in fields if hasattr(BaseConfig, name)), None)
    if reserved is not None:
        raise SchemaError(
            f"{cls.__qualname__}.{reserved}: '{reserved}' is a method of every config\n  choose another name"
        )
    return fields


def _scopes(cls: type[Any], frame: FrameType | None) -> tuple[dict[str, Any], ...]:
    """The names of the functions and classes around a class statement, innermost first."""
    found: list[dict[str, Any]] = []
    for part in reversed(cls.__qualname__.split(".")[:-1]):
        if part != "<locals>" and frame is not None:
            scope = frame.f_locals
            if frame.f_code.co_flags & _FUNCTION and type(scope) is dict:  # a snapshot: the name is bound only later
                scope[cls.__name__] = cls
            found.append(scope)
            frame = frame.f_back
    return tuple(found)


def _is_class_var(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return annotation.partition("[")[0].rpartition(".")[2].strip() == "ClassVar"
    return annotation is ClassVar or typing.get_origin(annotation) is ClassVar


def _looks_like_value(value: Any) -> bool:
    return not (
        callable(value) or isinstance(value, (property, classmethod, staticmethod)) or hasattr(value, "__get__")
    )


def _field(cls: type, name: str, annotation: Any, default: Any) -> Field:
    """A field; `= Field(...)` of pydantic and `= field(...)` of dataclasses are taken apart."""
    factory: Callable[[], Any] | None = None
    if isinstance(default, dataclasses.Field):
        if default.default_factory is not dataclasses.MISSING:
            factory = default.default_factory
        default = MISSING if default.default is dataclasses.MISSING else default.default
    elif _is_field_info(default):
        info = default
        annotation = _Annotated(annotation, info)
        if info.default_factory is not None:
            factory = functools.partial(info.get_default, call_default_factory=True)
        default = MISSING if info.is_required() or factory is not None else info.default
    where = Declared(functools.partial(_find, cls, name))
    return Field(name, cls, annotation, default, where, factory)


def _is_field_info(value: Any) -> bool:
    """Whether it is what pydantic's `Field(...)` returns; pydantic is not imported for that."""
    return type(value).__name__ == "FieldInfo" and type(value).__module__.startswith("pydantic")


class _Annotated:
    """`Annotated[annotation, info]`, where the annotation may still be text."""

    def __init__(self, annotation: Any, info: Any) -> None:
        self.annotation = annotation
        self.info = info


def _find(cls: type, name: str) -> Place:
    """The line of a field in the source of its class."""
    module = sys.modules.get(cls.__module__)
    file = getattr(module, "__file__", None) or f"<{cls.__module__}>"
    lines = linecache.getlines(file)
    if not lines:
        return Place(file, None, "default")
    try:
        body: Any = ast.parse("".join(lines))
    except SyntaxError:  # the file was edited since
        return Place(file, None, "default")
    for part in cls.__qualname__.replace("<locals>.", "").split("."):
        found = [n for n in ast.walk(body) if isinstance(n, (ast.ClassDef, ast.FunctionDef)) and n.name == part]
        if not found:
            return Place(file, None, "default")
        body = found[-1]
    for statement in body.body:
        target = getattr(statement, "target", None)
        if (isinstance(target, ast.Name) and target.id == name) or getattr(statement, "name", None) == name:
            return Place(file, statement.lineno, "default")
    return Place(file, body.lineno, "default")


# -- types


def field_types(cls: type[Any]) -> dict[str, Any]:
    """The resolved type of each field, `Annotated` included.

    They are kept in the class, so that they live as long as it does, and travel with it into a pickle.

    Raises:
        SchemaError: an annotation names something that is not there.
    """
    cls = cls.__plain__
    known = cls.__dict__.get("__types__")
    if known is None:
        known = {
            name: _resolve(field) if field.owner is cls else field_types(field.owner)[name]
            for name, field in cls.__fields__.items()
        }
        cls.__types__ = known
        cls.__scopes__ = ()  # no longer needed: it holds the variables of a function
    return known


def _resolve(field: Field) -> Any:
    if isinstance(field.annotation, _Annotated):
        inner = _resolve(dataclasses.replace(field, annotation=field.annotation.annotation))
        return Annotated[inner, field.annotation.info]
    owner: Any = field.owner
    names = vars(sys.modules[owner.__module__]) if owner.__module__ in sys.modules else {}
    scope = dict(vars(typing))
    for outer in reversed(owner.__dict__.get("__scopes__", ())):
        scope.update(outer)
    scope.update(_class_scope(owner))
    local = {
        name: value for name, value in scope.items() if name not in names or value is not getattr(typing, name, None)
    }
    holder = types.SimpleNamespace(__annotations__={"it": field.annotation})
    try:
        found = typing.get_type_hints(holder, globalns=names, localns=local, include_extras=True)["it"]
    except NameError as error:
        raise SchemaError(
            f"{owner.__qualname__}.{field.name}: its type {field.annotation!r} cannot be resolved: {error}\n"
            "  import the name in the module that declares the class"
        ) from error
    _refuse_hidden_default(field, found)
    return found


def settle_types(cls: type[Any]) -> None:
    """Resolve the types of a class and of every class that it mentions.

    So that they travel in a pickle: in another process the module that their names come from may not be there. The
    annotations of dataclasses that a config file defines become types for the same reason.
    """
    work = [cls]
    seen: set[Any] = set()
    while work:
        one = work.pop()
        if one in seen:
            continue
        seen.add(one)
        if issubclass(one, Node) and one.__typed__:
            work += [found for annotation in field_types(one).values() for found in _classes_below(annotation)]
        elif dataclasses.is_dataclass(one) and one.__module__.startswith(_CONFIG_FILE):
            hints = typing.get_type_hints(one, include_extras=True)
            own = get_annotations(one, format=Format.FORWARDREF)
            one.__annotations__ = {name: hints[name] for name in own}
            for field in dataclasses.fields(one):
                field.type = hints[field.name]
            work += [found for annotation in hints.values() for found in _classes_below(annotation)]


_CONFIG_FILE = "_typedcat_"  # how the names of the modules of config files begin


def _classes_below(annotation: Any) -> list[type[Any]]:
    """The classes that a type mentions, however deep."""
    found: list[type[Any]] = []
    work = [annotation]
    while work:
        one = work.pop()
        if isinstance(one, type) and not typing.get_args(one):
            found.append(one)
        work.extend(typing.get_args(one))
    return found


def _refuse_hidden_default(field: Field, annotation: Any) -> None:
    """A default inside of `Annotated` is one that neither a reader nor a type checker sees."""
    extras = typing.get_args(annotation)[1:] if typing.get_origin(annotation) is Annotated else ()
    if field.required and any(_is_field_info(one) and not one.is_required() for one in extras):
        raise SchemaError(
            f"{field.owner.__qualname__}.{field.name}: its default stands inside of Annotated[...]\n"
            "  write it after the '=': name: Annotated[type, Field(...)] = default"
        )


def _class_scope(cls: type) -> dict[str, Any]:
    """Names that the body of a class can use: nested classes, and the class itself."""
    return {**{k: v for k, v in vars(cls).items() if isinstance(v, type)}, cls.__name__: cls}


def members(annotation: Any) -> list[Any]:
    """The alternatives of a type, without `Annotated` and unions around them."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return members(typing.get_args(annotation)[0])
    if origin is Union or origin is types.UnionType:
        return [one for arg in typing.get_args(annotation) for one in members(arg)]
    return [annotation]


def element_type(annotation: Any) -> Any:
    """The type of the values of a mapping: `Loader` of `dict[str, Loader]`; None of anything else."""
    for one in members(annotation):
        origin, arguments = typing.get_origin(one), typing.get_args(one)
        if isinstance(origin, type) and issubclass(origin, Mapping) and len(arguments) == 2:
            return arguments[1]
    return None


def item_type(annotation: Any) -> Any:
    """The type of the items of a list (of the values of a mapping whose keys are numbers), or None."""
    for one in members(annotation):
        origin, arguments = typing.get_origin(one), typing.get_args(one)
        if isinstance(origin, type) and issubclass(origin, (Sequence, AbstractSet)) and arguments:
            return arguments[0]
    return element_type(annotation)


def classes_in(annotation: Any) -> list[type[Any]]:
    """The node classes with declared keys among the alternatives of a type."""
    found = [one for one in members(annotation) if isinstance(one, type) and issubclass(one, Node) and one.__typed__]
    return [one.__plain__ for one in dict.fromkeys(found)]


def class_for(annotation: Any, value: Mapping[Any, Any]) -> type[Any] | None:
    """The class that a subtree with these contents is of; None if that cannot be told from its keys.

    Of several classes it is the one whose `Literal` fields fit, then the one that declares all the keys.
    """
    found = classes_in(annotation)
    if len(found) > 1:
        fitting = [cls for cls in found if _literals_fit(cls, value)]
        declaring = [cls for cls in fitting if all(key in cls.__fields__ for key in value)]
        found = declaring or fitting
    return found[0] if len(found) == 1 else None


def _literals_fit(cls: type[Any], value: Mapping[Any, Any]) -> bool:
    """Whether each `Literal` field has one of its values, be it its default."""
    for name, annotation in field_types(cls).items():
        allowed = [
            arg for one in members(annotation) if typing.get_origin(one) is Literal for arg in typing.get_args(one)
        ]
        if allowed and name in value and dict.get(value, name) not in allowed:  # type: ignore[call-overload]  # a dict
            return False
    return True


def node_class(cls: type[Any], key: str) -> type[Any] | None:
    """The class of the subtree at `key`, if the field is declared as exactly one class of nodes (or None)."""
    if key not in cls.__fields__:
        return None
    found = classes_in(field_types(cls)[key])
    return found[0] if len(found) == 1 else None


def may_be_subtree(annotation: Any) -> bool:
    """Whether a value of this type can have keys below it."""
    for one in members(annotation):
        origin = typing.get_origin(one) or one
        if origin is Any or origin is object or (isinstance(origin, type) and issubclass(origin, Mapping)):
            return True
    return False


def type_name(annotation: Any) -> str:
    """A type as one would write it: `int`, `Loader | None`."""
    if typing.get_origin(annotation) is Annotated:
        return type_name(typing.get_args(annotation)[0])
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation.__name__
    return re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", str(annotation))


# -- secrets

_SECRETS = ("SecretStr", "SecretBytes")


def secret_type(annotation: Any) -> Any:
    """pydantic's `SecretStr` or `SecretBytes`, if a value of this type is one; else None."""
    for one in members(annotation):
        if isinstance(one, type) and one.__name__ in _SECRETS and one.__module__.startswith("pydantic"):
            return one
    return None


def secrets_of(cls: type[Any]) -> Mapping[str, Any]:
    """The fields of a class that are secrets, and their types."""
    cls = cls.__plain__
    known = cls.__dict__.get("__secrets__")
    if known is None:
        try:
            kinds = {name: secret_type(annotation) for name, annotation in field_types(cls).items()}
        except SchemaError:  # a name that is still to be defined
            return {}
        known = cls.__secrets__ = {name: kind for name, kind in kinds.items() if kind is not None}
    return known


def concealed(value: Any, kind: Any) -> Any:
    """A secret as an object that shows nothing; anything that is no text stays for validation to refuse."""
    plain: Collection[type] = (str,) if kind.__name__ == "SecretStr" else (bytes, str)
    if type(value) not in plain:
        return value
    return kind(value.encode() if isinstance(value, str) and kind.__name__ == "SecretBytes" else value)


__all__ = [
    "COPIED",
    "MISSING",
    "Field",
    "class_for",
    "classes_in",
    "collect",
    "concealed",
    "element_type",
    "field_types",
    "item_type",
    "may_be_subtree",
    "members",
    "node_class",
    "secret_type",
    "secrets_of",
    "settle_types",
    "type_name",
]
