"""`TypedConfig`: a node that declares its keys like a dataclass, and is closed to all others."""

from __future__ import annotations

import ast
import copy
import dataclasses
import functools
import linecache
import sys
import types
import typing
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, Union

from typing_extensions import Format, dataclass_transform, get_annotations

from ..errors import MissingKeyError, SchemaError, short_repr
from .config import BaseConfig, Config
from .copying import branch_copy, graft
from .keys import suggest
from .merge import set_schema
from .node import WHOLE_CONFIG, Node, adopt, blank, extra_of, is_lazy, path_of, plain_class, raw_set
from .origin import Declared, Place, Where, caller
from .values import Deferred, Dependency
from .walk import branches

_COPIED = (list, dict, set)  # mutable values of a class that each instance gets a copy of


class _Missing:
    """Stands for no default."""


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
    """

    name: str
    owner: type
    annotation: Any
    default: Any
    where: Where

    @property
    def required(self) -> bool:
        """Whether somebody has to set it."""
        return self.default is MISSING


@dataclass_transform(kw_only_default=True)
class TypedConfig(BaseConfig):
    """A config that declares its keys: annotations with defaults, nested classes as subtrees, `@DEP` methods.

        class Loader(TypedConfig):
            batch_size: Annotated[int, Field(gt=0)] = 128

        class Train(TypedConfig):
            loader: Loader = Loader()
            epochs: int = 30

            @DEP
            def steps(self) -> int:
                return self.epochs * self.loader.batch_size

    An unknown key is an error, for a type checker and when it is written. A default counts as set by nobody: it gives
    way to whatever a base or a child sets.

    Raises:
        MissingKeyError: a keyword that is no field.
    """

    __slots__ = ()
    __typed__: ClassVar[bool] = True
    __fields__: ClassVar[dict[str, Field]] = {}

    if TYPE_CHECKING:
        rslt_dir: str = ""
    else:

        def __init__(self, **values):
            site = caller()
            for key, value in values.items():
                self.__put__(key, value, site)
            self.__complete__()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if "__plain__" not in cls.__dict__:
            own = _collect(cls, sys._getframe(1).f_locals)
            inherited: dict[str, Field] = {}
            for base in reversed(cls.__mro__[1:]):
                inherited.update(base.__dict__.get("__fields__", {}))
            cls.__fields__ = {**inherited, **own}
        super().__init_subclass__(**kwargs)

    # -- closed

    def __put__(self, key: Hashable, value: Any, site: Where) -> None:
        self.__make_room__(key, subtree=False)
        super().__put__(key, value, site)  # type: ignore[arg-type]  # a declared line is a site as well

    def __make_room__(self, key: Hashable, subtree: bool = True) -> None:
        if key not in self.__fields__:
            raise self.__unknown__(key)
        if subtree and not _may_be_subtree(plain_class(self), str(key)):
            raise MissingKeyError(
                path_of(self, key),
                f"is declared as {type_name(field_types(plain_class(self))[str(key)])}, so it has no keys below it",
            )

    def __unknown__(self, key: Hashable) -> MissingKeyError:
        return MissingKeyError(
            path_of(self, key), f"{plain_class(self).__name__} has no such key", suggest(key, self.__fields__)
        )

    def __absent__(self, key: Hashable) -> Any:
        field = self.__fields__.get(key)  # type: ignore[call-overload]  # any key may be asked for
        if field is None:
            raise self.__unknown__(key)
        if is_lazy(self) or node_class(plain_class(self), field.name) is not None:
            return super().__absent__(key)
        if not field.required and not isinstance(field.default, Deferred):
            return field.default
        reason = "is required by" if field.required else "is not computed yet in"
        raise MissingKeyError(path_of(self, key), f"{reason} {plain_class(self).__name__}, and nothing has set it")

    @classmethod
    def __child_class__(cls, key: Hashable) -> type[Node]:
        found = node_class(cls.__plain__, key) if isinstance(key, str) else None
        return found or Config

    def __admit__(self, key: Hashable, value: Any) -> Any:
        wanted = node_class(plain_class(self), str(key))
        if wanted is not None and isinstance(value, dict) and not isinstance(value, Node):
            made = blank(wanted)
            adopt(self, key, made)  # so that dependencies inside are anchored where they will be
            graft(made, value, caller())
            _check_keys(made)
            fill(made, is_lazy(self))
            return made
        admitted = super().__admit__(key, value)
        if wanted is not None and isinstance(admitted, BaseConfig) and not plain_class(admitted).__typed__:
            become(admitted, wanted)
            fill(admitted, is_lazy(self))
        return admitted

    def __check_merge__(self, own: Any) -> None:
        _check_keys(own)

    # -- defaults

    def __complete__(self) -> None:
        _check_keys(self)
        fill(self, is_lazy(self))

    if TYPE_CHECKING:

        def copy(self) -> Self: ...


def _check_keys(node: BaseConfig) -> None:
    """Unknown keys of a node that was filled from a mapping."""
    work: list[Any] = [node]
    while work:
        at = work.pop()
        if isinstance(at, TypedConfig):
            for key in dict.keys(at):
                at.__make_room__(key, subtree=False)
        work.extend(value for value in dict.values(at) if isinstance(value, BaseConfig))


def become(node: BaseConfig, cls: type[TypedConfig]) -> None:
    """Give an open node, and the nodes below it, the classes that `cls` declares for them."""
    set_schema(node, cls)
    for key, value in list(dict.items(node)):
        wanted = node_class(cls, key) if isinstance(key, str) else None
        if wanted is None:
            continue
        if isinstance(value, BaseConfig) and not plain_class(value).__typed__:
            become(value, wanted)
        elif isinstance(value, dict) and not isinstance(value, Node):
            made = blank(wanted)
            raw_set(node, key, made)
            adopt(node, key, made)
            graft(made, value, node.__origins__.get(key, caller()))  # type: ignore[arg-type]  # any record serves


def fill(node: BaseConfig, lazy: bool = False) -> None:
    """Set what nobody has set to the defaults of the classes, unless bases may still set it."""
    work: list[Any] = [node]
    while work:
        at = work.pop()
        if isinstance(at, TypedConfig) and not lazy:
            for field in at.__fields__.values():
                if not dict.__contains__(at, field.name):
                    _set_default(at, field)
        work.extend(value for value in dict.values(at) if isinstance(value, BaseConfig))


def _set_default(node: TypedConfig, field: Field) -> None:
    value = field.default
    if value is MISSING:
        wanted = node_class(plain_class(node), field.name)
        if wanted is None:
            return
        value = blank(wanted)
    elif isinstance(value, BaseConfig):
        value = _as_default(value)
    elif type(value) in _COPIED:
        value = copy.deepcopy(value)
    raw_set(node, field.name, value)
    node.__origins__[field.name] = field.where
    extra = extra_of(node)
    extra.defaults[field.name] = field.default
    if isinstance(value, BaseConfig):
        adopt(node, field.name, value)
    elif isinstance(value, Dependency):
        extra.anchors[field.name] = (0, ()) if value.rel else WHOLE_CONFIG


def _as_default(declared: BaseConfig) -> BaseConfig:
    """A copy of a node in a class body, of which nothing counts as set."""
    node = branch_copy(declared)
    fill(node)
    for at in branches(node):
        defaults = extra_of(at).defaults
        for key, value in list(dict.items(at)):
            defaults.setdefault(key, value)
            if type(value) in _COPIED:
                raw_set(at, key, copy.deepcopy(value))
    return node


# -- reading class bodies


def _collect(cls: type[TypedConfig], outer: dict[str, Any]) -> dict[str, Field]:
    """The fields of one class body; takes them out of the class, so that they do not hide keys."""
    if "<locals>" in cls.__qualname__:
        _scopes[cls] = {k: v for k, v in outer.items() if isinstance(v, type) or k.isidentifier()}
    fields: dict[str, Field] = {}
    no_fields = set()
    for name, annotation in get_annotations(cls, format=Format.FORWARDREF).items():
        if _is_class_var(annotation) or name.startswith("__"):
            no_fields.add(name)
            continue
        default, annotation = _default(cls.__dict__.get(name, MISSING), annotation)
        fields[name] = Field(name, cls, annotation, default, Declared(functools.partial(_find, cls, name)))
    for name, value in list(cls.__dict__.items()):
        if name in fields:
            delattr(cls, name)
        elif isinstance(value, Dependency):
            annotation = get_annotations(value.func, format=Format.FORWARDREF).get("return", Any)
            fields[name] = Field(name, cls, annotation, value, Declared(functools.partial(_find, cls, name)))
            delattr(cls, name)
        elif name not in no_fields and not name.startswith("__") and _looks_like_value(value):
            raise SchemaError(
                f"{cls.__qualname__}.{name} = {short_repr(value)} has no type\n"
                f"  declare it: {name}: {type(value).__name__} = ... (or ClassVar, if it is no key)"
            )
    reserved = next((name for name in fields if hasattr(BaseConfig, name)), None)
    if reserved is not None:
        raise SchemaError(
            f"{cls.__qualname__}.{reserved}: '{reserved}' is a method of every config\n  choose another name"
        )
    return fields


_scopes: dict[type, dict[str, Any]] = {}


def _is_class_var(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return annotation.partition("[")[0].rpartition(".")[2].strip() == "ClassVar"
    return annotation is ClassVar or typing.get_origin(annotation) is ClassVar


def _looks_like_value(value: Any) -> bool:
    return not (
        callable(value) or isinstance(value, (property, classmethod, staticmethod)) or hasattr(value, "__get__")
    )


def _default(default: Any, annotation: Any) -> tuple[Any, Any]:
    """The default and the type behind `= Field(...)` of pydantic and `= field(...)` of dataclasses."""
    if isinstance(default, dataclasses.Field):
        if default.default_factory is not dataclasses.MISSING:
            return default.default_factory(), annotation
        return (MISSING if default.default is dataclasses.MISSING else default.default), annotation
    if type(default).__name__ == "FieldInfo" and type(default).__module__.startswith("pydantic"):
        value = MISSING if default.is_required() else default.get_default(call_default_factory=True)
        return value, _Annotated(annotation, default)
    return default, annotation


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


@functools.cache
def field_types(cls: type[TypedConfig]) -> dict[str, Any]:
    """The resolved type of each field, `Annotated` included.

    Raises:
        SchemaError: an annotation names something that is not there.
    """
    return {field.name: _resolve(field) for field in cls.__fields__.values()}


def _resolve(field: Field) -> Any:
    if isinstance(field.annotation, _Annotated):
        inner = _resolve(dataclasses.replace(field, annotation=field.annotation.annotation))
        return Annotated[inner, field.annotation.info]
    module = sys.modules.get(field.owner.__module__)
    scope = {**vars(typing), **_scopes.get(field.owner, {}), **_class_scope(field.owner)}
    scope = {k: v for k, v in scope.items() if k not in vars(module)} if module is not None else scope
    holder = types.SimpleNamespace(__annotations__={"it": field.annotation})
    try:
        return typing.get_type_hints(
            holder,
            globalns=vars(module) if module else {},
            localns=scope,
            include_extras=True,
        )["it"]
    except NameError as error:
        raise SchemaError(
            f"{field.owner.__qualname__}.{field.name}: its type {field.annotation!r} cannot be resolved: {error}\n"
            "  import the name in the module that declares the class"
        ) from error


def _class_scope(cls: type) -> dict[str, Any]:
    """Names that the body of a class can use: nested classes, and the class itself."""
    return {**{k: v for k, v in vars(cls).items() if isinstance(v, type)}, cls.__name__: cls}


@functools.cache
def node_class(cls: type[TypedConfig], key: str) -> type[TypedConfig] | None:
    """The class of the subtree at `key`, if the field is declared as exactly one `TypedConfig` (or None)."""
    if key not in cls.__fields__:
        return None
    found = {one for one in _members(field_types(cls)[key]) if isinstance(one, type) and issubclass(one, TypedConfig)}
    return next(iter(found)).__plain__ if len(found) == 1 else None  # type: ignore[return-value]  # a class of its kind


def _may_be_subtree(cls: type[TypedConfig], key: str) -> bool:
    for one in _members(field_types(cls)[key]):
        origin = typing.get_origin(one) or one
        if origin is Any or origin is object or (isinstance(origin, type) and issubclass(origin, Mapping)):
            return True
    return node_class(cls, key) is not None


def _members(annotation: Any) -> list[Any]:
    """The alternatives of a type, without `Annotated` and unions around them."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _members(typing.get_args(annotation)[0])
    if origin is Union or origin is types.UnionType:
        return [one for arg in typing.get_args(annotation) for one in _members(arg)]
    return [annotation]


def type_name(annotation: Any) -> str:
    """A type as one would write it: `int`, `Loader | None`."""
    if typing.get_origin(annotation) is Annotated:
        return type_name(typing.get_args(annotation)[0])
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation.__name__
    return str(annotation).replace("typing.", "")


def _declare_rslt_dir() -> None:
    where = Declared(lambda: Place(__file__, None, "default"))
    TypedConfig.__fields__ = {"rslt_dir": Field("rslt_dir", TypedConfig, str, MISSING, where)}


_declare_rslt_dir()
__all__ = ["MISSING", "Field", "TypedConfig", "become", "field_types", "fill", "node_class", "type_name"]
