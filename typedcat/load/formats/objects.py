"""Configs that other libraries have made, as plain mappings: they are recognised without importing the library.

Only what is given as a whole config is taken apart, with the parts of the same kind directly below it. An object that
is the value of a key stays what it is: a dataclass instance there is a value like any other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, TypeAlias

from ...errors import ConfigObjectError, TypedcatError, short_repr
from ...tree.keys import format_path
from .builder import KeyPath
from .field_references import put_references
from .omegaconf_texts import put_dependencies

if TYPE_CHECKING:
    import argparse

__all__ = ["ConfigObject", "as_mapping"]


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


class _Attrs(Protocol):
    __attrs_attrs__: ClassVar[Any]


class _Model(Protocol):
    __pydantic_validator__: ClassVar[Any]


ConfigObject: TypeAlias = "argparse.Namespace | SimpleNamespace | _Dataclass | _Attrs | _Model"
"""What a checker knows to be a config, beside mappings; configs of OmegaConf and others are mappings to it."""
Items: TypeAlias = Iterable[tuple[Any, Any]]


def as_mapping(value: Any) -> Mapping[Any, Any] | None:
    """The contents of a config object as a mapping; None if it is no config.

    A namespace of argparse, an instance of a dataclass, of an attrs class or of a pydantic model, a `DictConfig` of
    OmegaConf (its interpolations become dependencies), a config of mmengine or ml_collections, and any mapping.

    Args:
        value: anything.

    Raises:
        ConfigObjectError: it is one, and has a value that cannot be read.
    """
    if isinstance(value, type):
        return None
    for is_one, contents in _KINDS:
        if is_one(value):
            return contents(value)
    return value if isinstance(value, Mapping) else None


def _made_by(value: Any, module: str, *names: str) -> bool:
    """Whether a class of a library, or one derived from it, made an object."""
    return any(
        one.__name__ in names and (one.__module__ == module or one.__module__.startswith(f"{module}."))
        for one in type(value).__mro__
    )


def _nested(is_one: Callable[[Any], bool], items: Callable[[Any, KeyPath], Items]) -> Callable[[Any], dict[Any, Any]]:
    """A function that takes an object apart, and what is of the same kind directly below it."""

    def contents(top: Any) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        work: list[tuple[_Line, dict[Any, Any], KeyPath]] = [(_Line(top, None), result, ())]
        for line, target, path in work:
            for key, item in items(line.value, path):
                if is_one(item):
                    if any(item is one for one in line.upwards()):  # it has no end
                        raise ConfigObjectError(type(top).__name__, format_path((*path, key)), "holds itself")
                    target[key] = {}
                    work.append((_Line(item, line), target[key], (*path, key)))
                else:
                    target[key] = item
        return result

    return contents


class _Line(NamedTuple):
    """An object, and those that hold it."""

    value: Any
    above: _Line | None

    def upwards(self) -> Iterator[Any]:
        at: _Line | None = self
        while at is not None:
            yield at.value
            at = at.above


# -- namespaces, dataclasses, attrs, pydantic


def _is_namespace(value: Any) -> bool:
    return _made_by(value, "argparse", "Namespace") or _made_by(value, "types", "SimpleNamespace")


def _is_dataclass(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, (type, Mapping))


def _fields_of_dataclass(value: Any, path: KeyPath) -> Items:
    return ((one.name, getattr(value, one.name)) for one in dataclasses.fields(value) if hasattr(value, one.name))


def _is_attrs(value: Any) -> bool:
    return hasattr(type(value), "__attrs_attrs__")


def _fields_of_attrs(value: Any, path: KeyPath) -> Items:
    names = (one.name for one in type(value).__attrs_attrs__)
    return ((name, getattr(value, name)) for name in names if hasattr(value, name))


def _is_model(value: Any) -> bool:
    return _made_by(value, "pydantic", "BaseModel")


# -- OmegaConf, mmengine, ml_collections


def _is_omegaconf(value: Any) -> bool:
    return _made_by(value, "omegaconf", "DictConfig")


def _of_omegaconf(value: Any) -> dict[Any, Any]:
    """The contents, interpolations and mandatory values as dependencies."""
    from omegaconf import OmegaConf

    data: Any = OmegaConf.to_container(value, resolve=False)
    if not isinstance(data, dict):  # None, '???' or an interpolation in the place of a whole config
        raise ConfigObjectError("DictConfig", "", f"has no keys, it is {short_repr(data)}")

    def refuse(at: KeyPath, reason: str, hint: str) -> TypedcatError:
        return ConfigObjectError("DictConfig", format_path(at), reason)

    put_dependencies(data, refuse, mandatory=True)
    return data


def _is_mmengine(value: Any) -> bool:
    return _made_by(value, "mmengine", "Config") and isinstance(getattr(value, "_cfg_dict", None), dict)


def _of_mmengine(value: Any) -> dict[Any, Any]:
    """The contents without what the file imports; classes as they are, where `to_dict` gives their names."""
    return {key: value._cfg_dict[key] for key in value.to_dict()}


def _is_ml_collections(value: Any) -> bool:
    return _made_by(value, "ml_collections", "ConfigDict")


def _of_ml_collections(value: Any) -> dict[Any, Any]:
    """The contents, references to other keys as dependencies."""
    contents = _nested(_is_ml_collections, _fields_of_ml_collections)(value)
    put_references(contents)
    return contents


def _fields_of_ml_collections(value: Any, path: KeyPath) -> Items:
    for key, item in value.items(preserve_field_references=True):
        yield key, value[key] if _is_ml_collections(getattr(item, "_value", None)) else item


_KINDS: tuple[tuple[Callable[[Any], bool], Callable[[Any], dict[Any, Any]]], ...] = (
    (_is_omegaconf, _of_omegaconf),
    (_is_mmengine, _of_mmengine),
    (_is_ml_collections, _of_ml_collections),
    (_is_model, _nested(_is_model, lambda model, path: model)),
    (_is_attrs, _nested(_is_attrs, _fields_of_attrs)),
    (_is_dataclass, _nested(_is_dataclass, _fields_of_dataclass)),
    (_is_namespace, _nested(_is_namespace, lambda namespace, path: vars(namespace).items())),
)
