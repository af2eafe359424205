"""Names of parameters, values and points: readable, safe as folders, unique, and the same in every run."""

from __future__ import annotations

import hashlib
import math
import numbers
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from ...errors import short_repr
from ...tree.keys import format_path
from ...tree.pickling import dumps
from ...tree.values import Dependency

_LONGEST_VALUE = 75  # characters
_LONGEST_REPR = 10_000
_LONGEST_FOLDER = 200  # bytes; file systems allow 255, and the run may add to it
_UNSAFE = re.compile(r"[/\\\x00-\x1f\x7f]")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


@dataclass(frozen=True)
class Name:
    """What a value is called.

    Attributes:
        text: in folder names.
        label: in tables: the number itself where the value is one, else the text.
    """

    text: str
    label: Any


# -- values


def name_values(values: Sequence[Any], given: Sequence[str] | None = None) -> list[Name]:
    """The names of the values of one parameter, no two the same.

    Args:
        values: anything.
        given: names that the user chose for them.
    """
    if given is not None:
        texts = unique([safe(name) or "''" for name in given])
        return [Name(text, text) for text in texts]
    texts = [safe(shortened(value_text(value))) for value in values]
    twice = {text for text, count in Counter(texts).items() if count > 1}
    texts = unique([
        safe(shortened(_precise_text(value))) if text in twice else text
        for value, text in zip(values, texts, strict=True)
    ])  # fmt: skip
    labels = [value if _is_number(value) else text for value, text in zip(values, texts, strict=True)]
    if len(set(labels)) < len(labels):  # 1 and 1.0 are one key to pandas
        labels = list(texts)
    return [Name(text, label) for text, label in zip(texts, labels, strict=True)]


def value_text(value: Any) -> str:
    """A short text for a value, without addresses and without anything that differs from process to process."""
    if isinstance(value, str):
        return value or "''"
    if isinstance(value, Dependency):
        return value_text(value.func)
    if is_scalar(value):
        return str(value) if type(value).__module__ == "numpy" else value_text(value.item())
    if isinstance(value, type) or (callable(value) and isinstance(getattr(value, "__name__", None), str)):
        name: str = value.__name__
        return f"lambda-{_digest(value)}" if name == "<lambda>" else name
    for kind, form in _CONTAINERS.items():
        if type(value) is kind or (kind is dict and isinstance(value, Mapping)):
            return form(value)
    text = short_repr(value, _LONGEST_REPR)
    return f"{type(value).__name__}-{_digest(value)}" if _ADDRESS.search(text) else text


def is_scalar(value: Any) -> bool:
    """Whether a value is one of numpy's or torch's numbers, or an array of theirs without dimensions."""
    return getattr(value, "ndim", None) == 0 and callable(getattr(value, "item", None))


def _in_container(value: Any) -> str:
    return repr(value) if isinstance(value, str) else value_text(value)


def _joined(items: Iterable[Any]) -> str:
    return ", ".join(_in_container(item) for item in items)


_CONTAINERS: dict[type, Callable[[Any], str]] = {
    list: lambda value: f"[{_joined(value)}]",
    tuple: lambda value: f"({_joined(value)})",
    set: lambda value: f"{{{', '.join(sorted(map(_in_container, value)))}}}",
    frozenset: lambda value: f"{{{', '.join(sorted(map(_in_container, value)))}}}",
    dict: lambda value: f"{{{', '.join(f'{_in_container(k)}: {_in_container(v)}' for k, v in value.items())}}}",
}


def _precise_text(value: Any) -> str:
    """A text for a value whose short one another value has as well."""
    if isinstance(value, str):
        return repr(value)
    if isinstance(value, (type, FunctionType)):
        return f"{value.__module__}.{value.__qualname__}".replace("<locals>.", "")
    return value_text(value)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return False
    return isinstance(value, numbers.Integral) or math.isfinite(value)


def shortened(text: str) -> str:
    """The text itself, or its beginning and a digest of all of it."""
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 12]}...{_hex(text.encode(*_BYTES))}"


# -- parameters


def name_parameters(paths: Sequence[tuple[Hashable, ...]]) -> list[str]:
    """The last key of each path, with as much of the path before it as it takes to tell them apart."""
    names = []
    for path in paths:
        length = 1
        while length < len(path) and sum(other[-length:] == path[-length:] for other in paths) > 1:
            length += 1
        names.append(safe(format_path(path[-length:])))
    return unique(names)


# -- points


def folder_name(chosen: Mapping[str, str]) -> str:
    """The folder of a point: `batch_size=128,epochs=5`. Different points get different names.

    Args:
        chosen: the text of the chosen value by the name of the parameter.
    """
    folder = ",".join(f"{name}={_unmistakable(text, chosen)}" for name, text in chosen.items())
    data = folder.encode(*_BYTES)
    if len(data) <= _LONGEST_FOLDER:
        return folder
    digest = _hex(repr(list(chosen.items())).encode(*_BYTES), digits=16)
    return f"{data[: _LONGEST_FOLDER - 20].decode(errors='ignore')}...{digest}"


def _unmistakable(text: str, names: Iterable[str]) -> str:
    """The text, changed if it looks like parameters that follow it: `a,epochs=5`."""
    if any(f",{name}=" in text for name in names):
        return f"{text.replace(',', ';')}-{_hex(text.encode(*_BYTES))}"
    return text


# -- what they share


def safe(text: str) -> str:
    """The text without what cannot be in the name of a folder."""
    return _UNSAFE.sub("-", text).encode("utf-8", "replace").decode()


def unique(names: Sequence[str]) -> list[str]:
    """The names, with `#2`, `#3`, ... after those that were there before."""
    taken = set(names)
    seen: set[str] = set()
    result = []
    for name in names:
        candidate, number = name, 1
        while candidate in seen or (number > 1 and candidate in taken):
            number += 1
            candidate = f"{name}#{number}"
        seen.add(candidate)
        result.append(candidate)
    return result


_BYTES = ("utf-8", "surrogatepass")


def _hex(data: bytes, digits: int = 8) -> str:
    return hashlib.blake2s(data, digest_size=digits // 2).hexdigest()


def _digest(value: Any) -> str:
    """Eight digits that tell values apart which have no text of their own."""
    if isinstance(value, FunctionType):
        return _hex(_function_bytes(value))
    try:
        return _hex(dumps(value))
    except Exception:  # noqa: BLE001 - whatever an object raises that cannot be pickled: its type must do
        return _hex(type(value).__qualname__.encode())


def _function_bytes(func: FunctionType) -> bytes:
    """What a function does, not where it stands: its code, its defaults and what it closes over."""
    cells = [cell.cell_contents for cell in func.__closure__ or () if _is_filled(cell)]
    around = [_plain_text(value) for value in (*(func.__defaults__ or ()), *cells)]
    return b"\0".join([*_code_bytes(func.__code__), *(text.encode(*_BYTES) for text in around)])


def _plain_text(value: Any) -> str:
    """Of what a function closes over: plain values. Anything else may lead back to the function."""
    items = value if type(value) in (list, tuple) else (value,)
    if all(type(item) in (str, int, float, complex, bool, bytes, type(None)) for item in items):
        return repr(value)
    return str(getattr(value, "__name__", type(value).__name__))


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - reading it is the question
    except ValueError:
        return False
    return True


def _code_bytes(code: CodeType) -> list[bytes]:
    parts = [code.co_code, " ".join((*code.co_names, *code.co_varnames)).encode()]
    for constant in code.co_consts:
        parts += _code_bytes(constant) if isinstance(constant, CodeType) else [_in_container(constant).encode(*_BYTES)]
    return parts
