"""Can a value be what an annotation says? "No" only where that is plain: what nobody can tell, fits."""

from __future__ import annotations

import enum
import os
import pathlib
import types
import typing
from collections import abc
from itertools import islice
from typing import Annotated, Any, Literal, Union

from ..tree.config import BaseConfig

_MOST_ITEMS = 1_000  # of a container that are looked at

_LISTS = (list, tuple)
_SETS = (set, frozenset, *_LISTS)  # YAML and JSON know lists only
_ITERABLES = (str, bytes, dict, *_SETS)
_ACCEPTED: dict[Any, tuple[type, ...]] = {
    bool: (bool, int),
    int: (bool, int),
    float: (bool, int, float),
    complex: (bool, int, float, complex),
    str: (str,),
    bytes: (bytes,),
    None: (type(None),),
    type(None): (type(None),),
    **dict.fromkeys([list, tuple, abc.MutableSequence], _LISTS),
    abc.Sequence: (str, bytes, *_LISTS),
    **dict.fromkeys([set, frozenset, abc.Set, abc.MutableSet], _SETS),
    **dict.fromkeys([dict, abc.Mapping, abc.MutableMapping], (dict,)),
    **dict.fromkeys([abc.Iterable, abc.Collection, abc.Container], _ITERABLES),
    abc.Callable: (type, types.FunctionType),
    **dict.fromkeys([os.PathLike, pathlib.PurePath, pathlib.Path], (str,)),  # which constructors convert
}
"""The types of the values that each annotation takes. An annotation that is not here takes everything."""

_JUDGED = {kind for kinds in _ACCEPTED.values() for kind in kinds}
"""The types, subclasses not among them, of the values that are judged: numpy's, enums and tensors are not."""


class _Name(type):
    """Makes a class of which everything may be asked that annotations do: `Name.inner[int] | None`."""

    def __getitem__(cls, item: Any) -> type:
        return cls

    def __getattr__(cls, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return cls


class Unknown(metaclass=_Name):
    """Stands in annotations for what is imported for checkers only."""


def fits(value: Any, annotation: Any) -> bool:
    """Whether a value may be what an annotation says."""
    kind = _kind(value)
    if kind not in _JUDGED:
        return True
    origin, args = typing.get_origin(annotation) or annotation, typing.get_args(annotation)
    if origin is Annotated:
        return fits(value, args[0])
    if origin in (Union, types.UnionType):
        return any(fits(value, one) for one in args)
    if origin is Literal:
        return any(bool(value == one) for one in args)
    if isinstance(origin, enum.EnumMeta):
        members: list[Any] = list(origin)
        return any(bool(value == text) for one in members for text in (one.name, one.value))  # by which code finds it
    accepted = _ACCEPTED.get(origin) if isinstance(origin, type | None) else None
    return accepted is None or (kind in accepted and _items_fit(value, origin, args))


def _kind(value: Any) -> Any:
    """The type that decides; of a mapping with a `cls`, from which training code makes something, none."""
    if isinstance(value, dict) and dict.__contains__(value, "cls"):
        return None
    return dict if isinstance(value, BaseConfig) else type(value)


def _items_fit(value: Any, origin: Any, args: Any) -> bool:
    """Whether the items of a container may be what the arguments of its annotation say."""
    if not args or not isinstance(value, (dict, *_SETS)):
        return True
    if isinstance(value, dict):
        of_values = args[1] if len(args) == 2 else Any
        items = islice(dict.items(value), _MOST_ITEMS)
        return all(fits(key, args[0]) and fits(item, of_values) for key, item in items)
    if origin is tuple and len(args) > 1 and args[1] is not ...:
        return all(map(fits, value, args))  # a wrong length may be a slip of the annotation
    return all(fits(item, args[0]) for item in islice(value, _MOST_ITEMS))
