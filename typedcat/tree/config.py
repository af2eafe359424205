"""`BaseConfig` and `Config`: trees whose nodes have one parent, that inherit, and hold dependencies."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Hashable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, overload

from ..errors import MissingKeyError, MountError, NotLoadedError, SchemaError, short_repr
from .adict import ADict
from .anchors import anchored, climb, common_length
from .copying import branch_copy, graft
from .hooks import hooks
from .keys import suggest
from .merge import extended, merge, schema_of, set_schema, unset_defaults
from .node import (
    CONTAINERS,
    FROZEN,
    STRICT,
    Cap,
    Node,
    adopt,
    blank,
    extra_of,
    is_lazy,
    path_of,
    path_to,
    plain_class,
    root_of,
    set_state,
)
from .origin import Place, Site, caller
from .states import Absent, Ghost, Pending, ghost, mount
from .tree import Tree
from .values import DEP, P_DEP, Dependency, Extend, Param2Tune, Parameter
from .walk import branches

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
S = TypeVar("S")
N = TypeVar("N", bound="BaseConfig")
Base = str | os.PathLike[str] | Mapping[Any, Any]


class BaseConfig(Tree):
    """What `Config` and `TypedConfig` share; the type to annotate with when either will do."""

    __slots__ = ()
    __one_parent__: ClassVar[bool] = True
    __branch_type__: ClassVar[type]

    if TYPE_CHECKING:
        rslt_dir: str

    def __add__(self, other: Any) -> Any:
        """None of addict's arithmetic: an empty subtree is not 0."""
        return NotImplemented

    # -- values that are not leaves

    def __admit__(self, key: Hashable, value: Any) -> Any:
        if isinstance(value, BaseConfig):
            return self.__mount__(key, value)
        if isinstance(value, Extend) and (mine := dict.get(self, key)) is not None:
            value = extended(mine, value)
        if isinstance(value, (Dependency, Extend, Parameter, dict, *CONTAINERS)):  # a dependency may stand inside
            value, extra_of(self).anchors[key] = anchored(value, self, self)
        return value

    def __mount__(self, key: Hashable, value: BaseConfig) -> BaseConfig:
        """Make `value`, or a copy of it if it hangs elsewhere, a subtree of this node."""
        if isinstance(value, Pending):
            raise NotLoadedError(path_of(value), f"assigning it to {path_of(self, key)}")
        if isinstance(value, Ghost):
            if value.__parent__ is self and value.__key__ == key:
                mount(value)
                return value
            value = _empty_like(value)
        elif value.__parent__ is not None or value.is_frozen or value is root_of(self):
            if value.__parent__ is self and value.__key__ == key:
                return value
            value = _copy_to_mount(self, key, value)
        value.__unset_defaults__(is_lazy(self))
        adopt(self, key, value)
        return value

    def __source__(self, other: Mapping[Any, Any]) -> Mapping[Any, Any]:
        if isinstance(other, BaseConfig) and other.__extra__ is not None and other.__extra__.caps:
            return hooks.inherit(other)  # type: ignore[no-any-return]  # what it has of its bases wins over this, too
        return other

    def __complete__(self) -> None:
        """Called when a constructor has taken everything over."""

    def __unset_defaults__(self, lazy: bool) -> None:
        """Below a tree that inherits, a default must not hide the value of a base."""
        if lazy:
            for at in branches(self):
                unset_defaults(at)

    def __absent__(self, key: Hashable) -> Any:
        if is_lazy(self):
            return ghost(self, key, Pending, self.__child_class__(key))
        if root_of(self).__state__ & STRICT:
            return self.__fail_absent__(key)
        child = ghost(self, key, Absent, self.__child_class__(key))
        set_state(child, (child.__state__ & ~FROZEN) | (self.__state__ & FROZEN))
        return child

    def __fail_absent__(self, key: Hashable) -> MissingKeyError:
        return Tree.__absent__(self, key)  # type: ignore[no-any-return]  # it raises

    def __delitem__(self, key: Hashable) -> None:
        if key == "rslt_dir":  # where its file lies decides whether a config has one: who wants none need not ask
            self.pop(key, None)
        else:
            super().__delitem__(key)

    # -- dependencies

    def DEP(self, func: Callable[[Self], T], *, priority: int = 1) -> T:
        """A dependency whose function gets this node, at its place in the final tree.

        Args:
            func: computes the value; called once, when the config is loaded.
            priority: dependencies with a smaller one are started earlier.

        Returns:
            What to assign to a key of the same config.
        """
        return DEP_class(func, priority, bound=self)  # type: ignore[no-any-return]  # what it becomes, as everywhere

    def P_DEP(self, func: Callable[[Self], T], *, priority: int = 1) -> T:
        """As `DEP`, computed when a grid makes a child, before the child is saved."""
        return P_DEP_class(func, priority, bound=self)  # type: ignore[no-any-return]  # as above

    @overload
    def Param2Tune(
        self,
        optional_values: Iterable[N],
        subject_to: None = ...,
        optional_value_names: Iterable[str] | None = ...,
        priority: int | None = ...,
        zip_with: object = ...,
    ) -> N: ...
    @overload
    def Param2Tune(
        self,
        optional_values: Iterable[dict[str, Any]],
        subject_to: None = ...,
        optional_value_names: Iterable[str] | None = ...,
        priority: int | None = ...,
        zip_with: object = ...,
    ) -> dict[str, Any]: ...
    @overload
    def Param2Tune(
        self,
        optional_values: Iterable[T],
        subject_to: Callable[[T], object] | None = ...,
        optional_value_names: Iterable[str] | None = ...,
        priority: int | None = ...,
        zip_with: object = ...,
    ) -> T: ...
    @overload
    def Param2Tune(
        self,
        optional_values: Iterable[T],
        subject_to: Callable[[T, Self], object],
        optional_value_names: Iterable[str] | None = ...,
        priority: int | None = ...,
        zip_with: object = ...,
    ) -> T: ...
    def Param2Tune(self, *args: Any, **kwargs: Any) -> Any:
        """`typedcat.Param2Tune`, with the type of this config for the second argument of `subject_to`."""
        return Param2Tune_class(*args, **kwargs)

    @overload
    def set_DEP(self, name: str | None = None, priority: int = 1, rel: bool = True) -> Callable[[F], F]: ...
    @overload
    def set_DEP(self, name: F) -> F: ...
    def set_DEP(self, name: Any = None, priority: int = 1, rel: bool = True) -> Any:
        """A decorator that makes a function a dependency of this node, under `name` or its own name.

        `@cfg.set_DEP` without parentheses does so as well.

        Args: see `DEP`; the function gets the root of the tree (`rel=True`) or the whole config.
        """
        if callable(name):
            return self.set_DEP(None, priority, rel)(name)

        def decorator(func: F) -> F:
            key = getattr(func, "__name__", None) if name is None else name
            if key is None:
                raise TypeError(f"{short_repr(func)} has no name; use set_DEP(name='...')")
            self.__check_writable__(key, "set a dependency")
            self.__put__(key, DEP_class(func, priority, rel), caller())
            return func

        return decorator

    def set_IL(self, name: str | None = None, priority: int = 1, rel: bool = True) -> Callable[[F], F]:
        """See `set_DEP`."""
        return self.set_DEP(name, priority, rel)

    # -- loading and saving, by the layer above

    def load(
        self, experiments_root: str = "", config_root: str = "./configs", create_rslt_dir: bool = True, **options: Any
    ) -> Self:
        """Load this config in place: inherit, compute dependencies, validate, freeze. See `load_config`."""
        hooks.load(
            self, experiments_root=experiments_root, config_root=config_root, create_rslt_dir=create_rslt_dir, **options
        )
        return self

    def parse(self, experiments_root: str = "", config_root: str = "./configs", create_rslt_dir: bool = True) -> Self:
        """Inherit in place and set `rslt_dir`, without computing dependencies. See `parse_config`."""
        hooks.parse(self, experiments_root=experiments_root, config_root=config_root, create_rslt_dir=create_rslt_dir)
        return self

    def to_model(self, model: type[S]) -> S:
        """A validated instance of a pydantic model, dataclass, TypedDict or `TypedConfig` with the values of this tree.

        Raises:
            ValidationError: the values do not fit the model.
        """
        return hooks.to_model(self, model)  # type: ignore[no-any-return]  # the layer above has the type

    def save_py(self, file: str | os.PathLike[str]) -> Path:
        """Write the config as a `.py` file that loads to an equal one; returns the path."""
        return hooks.save(self, file, "py")  # type: ignore[no-any-return]  # the layer above has the type

    def save_pkl(self, file: str | os.PathLike[str], save_copy: bool = True) -> Path:
        """Write the config as a pickle; returns the path. `save_copy=False` keeps it frozen if it is."""
        return hooks.save(self, file, "pkl", save_copy=save_copy)  # type: ignore[no-any-return]  # as above

    def save_yaml(self, file: str | os.PathLike[str]) -> Path:
        """Write the loaded form of the config as YAML; returns the path."""
        return hooks.save(self, file, "yaml")  # type: ignore[no-any-return]  # as above

    def save_json(self, file: str | os.PathLike[str]) -> Path:
        """Write the loaded form of the config as JSON; returns the path."""
        return hooks.save(self, file, "json")  # type: ignore[no-any-return]  # as above

    def save_mmcv(self, file: str | os.PathLike[str]) -> Path:
        """Write the loaded form of the config as a `.py` file that mmengine's `Config.fromfile` reads back.

        It is in mmengine's text style, or, where classes and functions have to be imported, in its pure-Python style.
        `work_dir`, which is what mmengine calls the result folder, is `rslt_dir` unless the config has it.

        Returns:
            The path.

        Raises:
            SaveError: values that no such file can express, all of them.
        """
        return hooks.save(self, file, "mmcv")  # type: ignore[no-any-return]  # as above

    # -- what AlchemyCat's users know

    @staticmethod
    def from_x_to_y(x: str | os.PathLike[str], y: str | os.PathLike[str], y_type: str | None = None) -> Any:
        """Write the loaded form of the config `x`, of any format, to the file `y`.

        Args:
            x: the config.
            y: where to; what is there is overwritten.
            y_type: 'typedcat' (or 'alchemy-cat'), 'mmcv', 'yaml', 'json' or 'pkl'; by default what the ending of `y`
                says, typedcat for '.py'.

        Returns:
            The config as it was written. See `typedcat convert`.
        """
        return hooks.convert(x, y, y_type)

    def get_attribute(self, name: str, /) -> Any:
        """What AlchemyCat keeps in instance attributes: `_cfgs_update_at_parser` and `_whole`."""
        if name == "_cfgs_update_at_parser":
            return tuple(cap.base for cap in self.__extra__.caps) if self.__extra__ is not None else ()
        if name == "_whole":
            return self.is_whole
        return object.__getattribute__(self, name)

    def set_attribute(self, name: str, value: Any, /) -> None:
        """The inverse of `get_attribute`, so that configs printed by AlchemyCat load."""
        self.__check_writable__(None, f"set {name}")
        if name == "_cfgs_update_at_parser":
            self.__touch__()
            extra_of(self).caps = caps_from(value, caller())
        elif name == "_whole":
            self.override(bool(value))
        else:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}' to set")

    def find_root(self) -> BaseConfig:
        """The root of the tree that this node hangs in."""
        root: Any = root_of(self)
        return root  # type: ignore[no-any-return]  # one parent, one kind

    # -- text

    def to_txt(self, prefix: str = "cfg.", print_empty_leaf: bool = False, color: bool = False) -> str:
        """See `ADict.to_txt`; a config that inherits names its bases on the first line."""
        return super().to_txt(prefix, print_empty_leaf, color)

    def __str__(self) -> str:
        return self.to_txt()


BaseConfig.__branch_type__ = BaseConfig
DEP_class: Any = DEP
P_DEP_class: Any = P_DEP
Param2Tune_class: Any = Param2Tune


class Config(BaseConfig, ADict):
    """A config: an open tree of values.

    Args:
        *cfgs: mappings, configs, paths of config files, or what other libraries make (a namespace of argparse, an
            instance of a dataclass, an attrs class or a pydantic model, ...), merged from left to right.
        caps: one or more bases (paths or configs) to inherit from when the config is loaded, the nearest last.
        cfgs_update_at_parser: AlchemyCat's older name of `caps`.
        schema: a `TypedConfig` class, pydantic model, dataclass or TypedDict that the loaded config must fit. With a
            `TypedConfig` class, what is made is a node of that class; else it is a `Config` that reads like the schema,
            which is what it is to a checker.
        **values: more items.
    """

    __slots__ = ()
    __into_lists__: ClassVar[bool] = False

    if TYPE_CHECKING:

        @overload
        def __new__(  # type: ignore[misc]  # a node of the schema's class, where it has one
            cls, *cfgs: Any, schema: type[S], caps: Any = ..., cfgs_update_at_parser: Any = ..., **values: Any
        ) -> S: ...
        @overload
        def __new__(cls, *cfgs: Any, caps: Any = ..., cfgs_update_at_parser: Any = ..., **values: Any) -> Self: ...
        def __new__(cls, *cfgs: Any, **options: Any) -> Any: ...

    else:

        def __new__(cls, /, *cfgs, schema=None, **options):
            if isinstance(schema, type) and issubclass(schema, BaseConfig) and not issubclass(cls, schema):
                self = blank(schema.__plain__)
                try:
                    cls.__fill__(self, cfgs, schema=schema, **options)
                except MissingKeyError as error:
                    meant = suggest(error.key, settings_of(cls)) if error.key in options else ()
                    if not meant:
                        raise
                    raise MissingKeyError(error.key, error.reason, (*meant, *error.suggestions)) from None
                return self
            return blank(cls)

        def __init__(self, /, *cfgs, **options):
            type(self).__fill__(self, cfgs, **options)

    @classmethod
    def __fill__(
        cls,
        self: BaseConfig,
        cfgs: tuple[Any, ...],
        /,
        caps: Any = (),
        cfgs_update_at_parser: Any = (),
        schema: Any = None,
        **values: Any,
    ) -> None:
        """Build the tree that the constructor was asked for in the empty node `self`."""
        site = caller()
        if caps and cfgs_update_at_parser:
            raise TypeError("caps and cfgs_update_at_parser are two names of one thing; give one")
        _check_schema(schema)
        own = caps_from(caps or cfgs_update_at_parser, site)
        if own:
            extra_of(self).caps = own
        for source in [*cfgs, *([values] if values else ())]:
            _take(self, source, site, alone=len(cfgs) == 1)
        if schema is not None:
            set_schema(self, schema)
        self.__complete__()

    @classmethod
    def __child_class__(cls, key: Hashable) -> type[Node]:
        return cls.__plain__


def settings_of(cls: type[Config]) -> list[str]:
    """What the constructor of a config takes by name that is no key."""
    parameters = inspect.signature(cls.__fill__).parameters.values()
    return [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]


@overload
def inherit(*bases: Base, schema: type[S]) -> S: ...
@overload
def inherit(*bases: Base) -> Config: ...
def inherit(*bases: Any, schema: Any = None) -> Any:
    """A new config that inherits: `inherit("base.py", "patch.py")` is `Config(caps=("base.py", "patch.py"))`.

    Args:
        *bases: paths of config files, or configs, the nearest last.
        schema: see `Config`.

    Raises:
        TypeError: there is no base, or one is neither a path nor a config.
    """
    if not bases:
        raise TypeError("inherit takes one or more bases: inherit('configs/base/cfg.py')")
    return Config(caps=bases, schema=schema)


_BASES = (str, os.PathLike, dict, Parameter)


def _mapping_or_itself(value: Any) -> Any:
    """The contents of a config that another library has made (a namespace, a dataclass, ...); else the value."""
    mapping = hooks.as_mapping(value)
    return value if mapping is None else mapping


def caps_from(value: Any, site: Site | Place) -> tuple[Cap, ...]:
    """The bases named by `caps=`: one path or config, or several.

    Raises:
        TypeError: something that is neither.
    """
    if not value:
        return ()
    given = value if isinstance(value, (list, tuple)) else (value,)
    bases = [base if isinstance(base, _BASES) else _mapping_or_itself(base) for base in given]
    for base in bases:
        if not isinstance(base, (*_BASES, Mapping)):
            raise TypeError(f"caps takes paths of config files or configs, got {short_repr(base)}")
    named_by = site.file if isinstance(site, Place) else site.code.co_filename
    return tuple(Cap((os.fspath(b) if isinstance(b, os.PathLike) else b, named_by)) for b in bases)


_SCHEMA_MARKS = ("model_fields", "__dataclass_fields__", "__total__")
"""What a pydantic model, a dataclass and a TypedDict have; the layer above looks closer."""


def _is_schema_class(schema: Any) -> bool:
    return isinstance(schema, type) and (
        issubclass(schema, BaseConfig) or any(hasattr(schema, mark) for mark in _SCHEMA_MARKS)
    )


def _check_schema(schema: Any) -> None:
    if schema is not None and not _is_schema_class(schema):
        raise SchemaError(
            "schema must be a TypedConfig class, a pydantic model, a dataclass or a TypedDict, "
            f"got {short_repr(schema)}"
        )


def _take(self: BaseConfig, source: Any, site: Site | Place, alone: bool) -> None:
    """Merge one argument of the constructor into the new tree."""
    if isinstance(source, (str, os.PathLike)):
        named_by = site.file if isinstance(site, Place) else site.code.co_filename
        source = hooks.open_tree(source, named_by=named_by)
    elif not isinstance(source, dict):
        source = _mapping_or_itself(source)
    if isinstance(source, type) or not hasattr(source, "keys"):
        pairs: Any = source  # a type, too, may be iterable (an enum is)
        try:
            source = dict(pairs)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"a {type(self).__name__} is made from mappings, pairs or paths of config files, "
                f"got {short_repr(source)}"
            ) from error
    if not alone and isinstance(source, BaseConfig) and source.__extra__ is not None and source.__extra__.caps:
        source = hooks.inherit(source)  # later arguments must win over its bases as well
    if dict.__len__(self) == 0:
        graft(self, source, site)
        if isinstance(source, BaseConfig) and schema_of(source) is not None:
            set_schema(self, schema_of(source))
    else:
        own = blank(plain_class(source) if isinstance(source, BaseConfig) else Config)
        graft(own, source, site)
        merge(self, own)


def _empty_like(value: BaseConfig) -> BaseConfig:
    return blank(plain_class(value))  # type: ignore[no-any-return]  # `blank` makes any class


def _copy_to_mount(holder: BaseConfig, key: Hashable, value: BaseConfig) -> BaseConfig:
    """A copy of a subtree that hangs elsewhere, with dependencies that still start where they did.

    Raises:
        MountError: one of them starts at a node outside the subtree, in a tree that `holder` is no part of.
    """
    copied = branch_copy(value)
    if value.__parent__ is None:
        return copied
    for source, target in zip(branches(value), branches(copied), strict=True):
        if target.__extra__ is None or not target.__extra__.anchors:
            continue
        depth = len(path_to(target))
        for name, anchor in target.__extra__.anchors.items():
            if anchor[0] > depth:
                start = climb(source, (anchor[0], ()))
                target.__extra__.anchors[name] = _anchor_again(holder, key, target, depth, start, anchor, name)
    return copied


def _anchor_again(
    holder: BaseConfig, key: Hashable, target: Node, depth: int, start: Node, anchor: Any, name: Hashable
) -> Any:
    ours = path_to(holder)
    if root_of(start) is not root_of(holder):
        if isinstance(dict.get(target, name), CONTAINERS):  # a plain list: no dependency in it to go wrong
            return anchor
        raise MountError(
            path_of(holder, key),
            f"gets a copy of a subtree whose dependency '{name}' starts outside it, in another config",
            "mount the whole config it belongs to, or assign the dependency anew",
        )
    theirs = path_to(start)
    common = common_length(ours, theirs)
    return (depth + 1 + len(ours) - common, (*theirs[common:], *anchor[1]))
