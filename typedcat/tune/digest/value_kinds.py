"""How values of each kind are written: functions, classes, arrays and tensors, and what the standard library has."""

from __future__ import annotations

import functools
import re
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path, PurePath
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any
from uuid import UUID

from ...tree.keys import is_protocol_name
from ...tree.node import Node
from ...tree.values import Parameter
from .canonical import MOST_KNOWN, WRITERS, Write, Writer, finders
from .function_code import code_parts, global_names, import_name, is_of_config, written_name

_NO_CELL = object()
_codes: dict[int, tuple[CodeType, bytes]] = {}  # by id; the code itself is kept so that its id stays its own


# -- functions and classes


def _function(writer: Writer, function: Any) -> None:
    """Write a function: the name by which an import finds it, else what it does."""
    name = import_name(function)
    if name is not None:
        writer.put(b"@")
        writer.text(name)
    else:
        writer.once(_function_content, function)


def _function_content(writer: Writer, function: Any) -> None:
    """Write what a function does; a lambda has no name that counts."""
    writer.put(b"l")
    if function.__name__ != "<lambda>":
        writer.text(written_name(function.__module__, function.__qualname__))
    writer.value(function.__code__)
    writer.value(function.__defaults__)
    writer.attributes(function.__kwdefaults__ or {}, type(None))
    writer.attributes(function.__dict__, type(None))
    for cell in function.__closure__ or ():
        writer.value(_content(cell))
    _globals(writer, function)
    writer.put(b"]")


def _globals(writer: Writer, function: Any) -> None:
    """Write what a function of a config file reads of it; other files are code, which has a hash of its own."""
    if is_of_config(function.__module__):
        known = function.__globals__
        for name in global_names(function.__code__):
            if name in known and not is_protocol_name(name):  # `__file__` is another one in another folder
                writer.text(name)
                writer.value(known[name])


def _class(writer: Writer, cls: Any) -> None:
    """Write a class: the name by which an import finds it, else also its methods and plain attributes."""
    name = import_name(cls)
    if name is not None:
        writer.put(b"@")
        writer.text(name)
    else:
        writer.once(_class_content, cls)


def _class_content(writer: Writer, cls: Any) -> None:
    """Write what is in a class."""
    writer.put(b"c")
    writer.text(written_name(cls.__module__, cls.__qualname__))
    writer.value(cls.__bases__)
    for attribute in sorted(vars(cls)):
        member = _content_of_member(attribute, vars(cls)[attribute])
        if member is not None:
            writer.text(attribute)
            writer.value(member)
    writer.put(b"]")


def _method(writer: Writer, method: Any) -> None:
    """Write a bound method."""
    writer.put(b"m")
    writer.value(method.__self__)
    writer.value(method.__func__)


def _builtin(writer: Writer, function: Any) -> None:
    """Write a function in C, or a method in C with what it is bound to."""
    owner = function.__self__
    if owner is None or isinstance(owner, ModuleType):
        writer.put(b"@")
        module = function.__module__ or (owner.__name__ if owner is not None else "")
        writer.text(f"{module}:{function.__qualname__}")
    else:
        writer.put(b"m")
        writer.value(owner)
        writer.text(function.__name__)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return _NO_CELL


def _content_of_member(name: str, member: Any) -> Any:
    """What counts of an attribute in a class body; None for nothing."""
    member = getattr(member, "__func__", member)  # of a classmethod or staticmethod
    if isinstance(member, property):
        return [getter for getter in (member.fget, member.fset, member.fdel) if isinstance(getter, FunctionType)]
    if isinstance(member, functools.cached_property):
        member = member.func
    if isinstance(member, FunctionType):
        return None if member.__code__.co_filename.startswith("<") else member  # made by a decorator
    is_plain = type(member) in _PLAIN and not (name.startswith("__") and name.endswith("__"))
    return member if is_plain else None


_PLAIN = (str, int, float, bool, bytes, tuple, list, dict, set, frozenset)


# -- values


def _constant(tag: bytes) -> Write:
    return lambda writer, value: writer.put(tag)


def _complex(writer: Writer, value: complex) -> None:
    writer.put(b"j")
    writer.number(value.real)
    writer.number(value.imag)


def _bytearray(writer: Writer, value: bytearray) -> None:
    writer.put(b"B")
    writer.data(bytes(value))


def _code(writer: Writer, value: CodeType) -> None:
    known = _codes.get(id(value))
    if known is None:
        alone = Writer()
        alone.value(code_parts(value))
        if len(_codes) >= MOST_KNOWN:
            _codes.clear()
        known = _codes[id(value)] = value, alone.result()
    writer.put(known[1])


def _subclass_of_set(writer: Writer, value: Any) -> None:
    writer.put(b"S")
    writer.value(type(value))
    writer.members(set.__iter__(value) if isinstance(value, set) else frozenset.__iter__(value), b"(")
    writer.attributes(getattr(value, "__dict__", {}), type(value))


def _enum(writer: Writer, value: Enum) -> None:
    writer.put(b"e")
    writer.value(type(value))
    writer.value(value.name)
    writer.value(value.value)


def _path(writer: Writer, value: PurePath) -> None:
    writer.put(b"p" if isinstance(value, Path) else b"P")
    writer.string(str(value))


def _parameter(writer: Writer, value: Any) -> None:
    writer.put(b"?")
    if writer.object_at < 0:  # else a function reads the tune config, and one more value to try changes no child
        writer.value((value.optional_val, value.names, value.subject_to, value.priority))


def _module(writer: Writer, value: ModuleType) -> None:
    writer.put(b"M")
    writer.text(written_name(value.__name__, ""))


def _small(writer: Writer, value: Any) -> None:
    writer.inside(Writer.reduced, value)


def _array(writer: Writer, value: Any) -> None:
    writer.put(b"A")
    writer.value(value.dtype.descr if value.dtype.names else value.dtype.str)
    writer.value(value.shape)
    if value.dtype.hasobject:
        writer.items(value.ravel().tolist(), b"[")
    else:
        writer.data(value.tobytes())


def _tensor(writer: Writer, value: Any) -> None:
    """A tensor by its numbers: pickled, it names the address of its storage."""
    import torch

    writer.put(b"t")
    writer.value(type(value))
    writer.value((str(value.dtype), str(value.device), tuple(value.shape), bool(value.requires_grad)))
    try:
        flat = value.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
        writer.data(flat.view(torch.uint8).numpy().tobytes())
    except (RuntimeError, NotImplementedError, TypeError) as error:  # sparse, quantized, without data
        writer.refuse(f"a tensor whose numbers cannot be read: {str(error).partition(chr(10))[0]}")


WRITERS.update({
    str: Writer.string,
    int: lambda writer, value: writer.put(b"i%x;" % value),
    float: Writer.number,
    bool: lambda writer, value: writer.put(b"T" if value else b"F"),
    type(None): _constant(b"N"),
    type(...): _constant(b"."),
    type(NotImplemented): _constant(b"!"),
    complex: _complex,
    bytes: Writer.data,
    bytearray: _bytearray,
    list: lambda writer, value: writer.items(value, b"["),
    tuple: lambda writer, value: writer.items(value, b"("),
    dict: Writer.pairs,
    set: lambda writer, value: writer.members(value, b"{["),
    frozenset: lambda writer, value: writer.members(value, b"{("),
    type: _class,
    FunctionType: _function,
    BuiltinFunctionType: _builtin,
    MethodType: _method,
    ModuleType: _module,
    CodeType: _code,
})  # fmt: skip
_BY_VALUE = (range, slice, Decimal, Fraction, UUID, re.Pattern)


def _find_and_keep(cls: type) -> Write:
    if len(WRITERS) > MOST_KNOWN:  # classes of config files are made anew with every load
        for known in list(WRITERS)[_BUILT_IN:]:
            del WRITERS[known]
    found = WRITERS[cls] = _find_writer(cls)
    return found


_BUILT_IN = len(WRITERS)
_BY_CLASS: list[tuple[type | tuple[type, ...], Write]] = [
    (type, _class),
    (Node, Writer.tree),
    (Parameter, _parameter),
    (Enum, _enum),
    (PurePath, _path),
    ((set, frozenset), _subclass_of_set),
    (ModuleType, _module),
    (_BY_VALUE, _small),
]


def _find_writer(cls: type) -> Write:
    for kind, write in _BY_CLASS:
        if issubclass(cls, kind):
            return write
    names = [f"{base.__module__}.{base.__qualname__}" for base in cls.__mro__]
    if names[0] == "numpy.ndarray":
        return _array
    if any(name in ("torch.Tensor", "torch._tensor.Tensor") for name in names):
        return _tensor
    is_small = cls.__module__ in ("datetime", "zoneinfo") or cls.__module__.partition(".")[0] == "numpy"
    return _small if is_small and "numpy.ndarray" not in names else Writer.object


finders.append(_find_and_keep)

__all__ = ["Writer"]
