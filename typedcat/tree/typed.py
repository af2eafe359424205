"""`TypedConfig`: a node that declares its keys like a dataclass, and is closed to all others."""

from __future__ import annotations

import copy
import sys
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, ClassVar, Self

from typing_extensions import dataclass_transform

from ..errors import MissingKeyError
from .config import BaseConfig, Config
from .copying import branch_copy, graft
from .fields import (
    COPIED,
    MISSING,
    Field,
    class_for,
    collect,
    concealed,
    element_type,
    field_types,
    item_type,
    may_be_subtree,
    members,
    node_class,
    secrets_of,
    settle_types,
    type_name,
)
from .keys import suggest
from .merge import derives, schema_of, set_schema
from .node import (
    WHOLE_CONFIG,
    Node,
    adopt,
    blank,
    extra_of,
    is_lazy,
    path_of,
    plain_class,
    raw_set,
)
from .origin import Declared, Place, Where, caller, rewritten
from .pickling import before_state
from .values import Deferred, Dependency
from .walk import branches


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

        def __init__(self, /, **values):
            site = caller()
            for key, value in values.items():
                self.__put__(key, value, site)
            self.__complete__()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if "__plain__" not in cls.__dict__:
            own = collect(cls, sys._getframe(1))
            inherited: dict[str, Field] = {}
            for base in reversed(cls.__mro__[1:]):
                inherited.update(base.__dict__.get("__fields__", {}))
            cls.__fields__ = {**inherited, **own}
        super().__init_subclass__(**kwargs)

    # -- closed

    def __put__(self, key: Hashable, value: Any, site: Where) -> None:
        self.__make_room__(key, subtree=False)
        if isinstance(value, (str, bytes)) and (kind := secrets_of(plain_class(self)).get(str(key))) is not None:
            value = concealed(value, kind)
        super().__put__(key, value, site)  # type: ignore[arg-type]  # a declared line is a site as well

    def __make_room__(self, key: Hashable, subtree: bool = True) -> None:
        if key not in self.__fields__:
            raise self.__unknown__(key)
        if subtree and not may_be_subtree(declared := field_types(plain_class(self))[str(key)]):
            raise MissingKeyError(
                path_of(self, key), f"is declared as {type_name(declared)}, so it has no keys below it"
            )

    def __unknown__(self, key: Hashable) -> MissingKeyError:
        return MissingKeyError(
            path_of(self, key), f"{plain_class(self).__name__} has no such key", suggest(key, self.__fields__)
        )

    def __absent__(self, key: Hashable) -> Any:
        field = self.__fields__.get(key)  # type: ignore[call-overload]  # any key may be asked for
        if field is None:
            raise self.__unknown__(key)
        grows = field.required or isinstance(field.default, BaseConfig)
        if is_lazy(self) or (grows and any(map(_is_node_class, members(field_types(plain_class(self))[field.name])))):
            return super().__absent__(key)
        if not field.required and not isinstance(field.default, Deferred):
            return field.value()
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

    def __ror__(self, other: Any) -> Any:
        merged = super().__ror__(other)
        if isinstance(merged, BaseConfig):
            _check_keys(merged)
        return merged

    @classmethod
    def from_dict(cls, other: Any) -> Self:
        """A config of this class with the contents of a mapping.

        Raises:
            MissingKeyError: a key that is no field.
        """
        tree = super().from_dict(other)
        tree.__complete__()
        return tree

    def __refuse__(self, key: Hashable | None, action: str) -> None:
        field = self.__fields__.get(str(key))
        if field is not None and "Secret" in str(field_types(plain_class(self))[field.name]):
            action = "set it"  # without the value, which has a secret in it
        super().__refuse__(key, action)

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
    declared = field_types(cls)
    for key, value in list(dict.items(node)):
        if key in declared and isinstance(value, (dict, list, tuple)):
            fit(node, key, declared[key])
    for key, kind in secrets_of(cls).items():
        conceal(node, key, kind)


def fit(node: BaseConfig, key: Hashable, annotation: Any) -> None:
    """Give the subtree at `key`, and those below it, the class that its type declares, where there is one."""
    value = dict.__getitem__(node, key)
    if isinstance(value, BaseConfig):
        if plain_class(value).__typed__:
            own = node_class(plain_class(node), str(key)) or plain_class(value)
            if own is not plain_class(value) and derives(own, plain_class(value)):  # the child's class narrows it
                become(value, own)
            return
        if (wanted := class_for(annotation, value)) is not None:
            become(value, wanted)
        elif (inner := element_type(annotation)) is not None:
            for name in list(dict.keys(value)):
                fit(value, name, inner)
    elif type(value) is dict and (wanted := class_for(annotation, value)) is not None:
        made = blank(wanted)
        raw_set(node, key, made)
        adopt(node, key, made)
        graft(made, value, node.__origins__.get(key, caller()))  # type: ignore[arg-type]  # any record serves
        become(made, wanted)
    elif (fitting := _fitting(value, annotation)) is not value:
        raw_set(node, key, fitting)


def _fitting(value: Any, annotation: Any) -> Any:
    """A plain list or dict with nodes in place of the dicts in it whose class is declared."""
    if type(value) in (list, tuple):
        inner = item_type(annotation)
        items = [_fitting_item(item, inner) for item in value]
        return value if all(a is b for a, b in zip(items, value, strict=True)) else type(value)(items)
    if type(value) is dict and (inner := element_type(annotation)) is not None:
        found = {key: _fitting_item(item, inner) for key, item in value.items()}
        return value if all(found[key] is item for key, item in value.items()) else found
    return value


def _fitting_item(value: Any, annotation: Any) -> Any:
    if type(value) is dict and annotation is not None and (wanted := class_for(annotation, value)) is not None:
        made: BaseConfig = blank(wanted)
        graft(made, value, caller())
        become(made, wanted)
        fill(made)
        return made
    return _fitting(value, annotation) if annotation is not None else value


def conceal(node: BaseConfig, key: Hashable, kind: Any) -> None:
    """Make the secret at `key`, and what it replaced, an object that shows nothing."""
    if not dict.__contains__(node, key):
        return
    value = dict.__getitem__(node, key)
    if (hidden := concealed(value, kind)) is not value:
        raw_set(node, key, hidden)
    if key in node.__origins__:
        node.__origins__[key] = rewritten(node.__origins__[key], lambda older: concealed(older, kind))


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
    if field.required:
        kinds = members(field_types(plain_class(node))[field.name])
        if len(kinds) != 1 or not _is_node_class(kinds[0]):
            return
        value = blank(node.__child_class__(field.name))
    elif isinstance(field.default, BaseConfig):
        value = _as_default(field.default)
    else:
        value = field.value()
    declared = field.default if field.factory is None else copy.deepcopy(value) if type(value) in COPIED else value
    if (kind := secrets_of(plain_class(node)).get(field.name)) is not None:
        declared = value = concealed(value, kind)
    raw_set(node, field.name, value)
    node.__origins__[field.name] = field.where
    extra = extra_of(node)
    extra.defaults[field.name] = declared
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
            if type(value) in COPIED:
                raw_set(at, key, copy.deepcopy(value))
    return node


def _is_node_class(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseConfig)


def _settle(node: Node) -> None:
    """Before a node is pickled: what its types are called must not be looked up in the process that loads it."""
    if (schema := schema_of(node)) is not None:
        settle_types(schema)


def _declare_rslt_dir() -> None:
    where = Declared(lambda: Place(__file__, None, "default"))
    TypedConfig.__fields__ = {"rslt_dir": Field("rslt_dir", TypedConfig, str, MISSING, where)}


_declare_rslt_dir()
before_state.append(_settle)
__all__ = ["TypedConfig", "become", "conceal", "fill", "fit"]
