"""What YAML of detectron2, yacs and mmengine says beyond its data: bases in `_BASE_`, tuples and None in texts."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path
from typing import Any

from ...errors import ConfigContentError, ConfigNotFoundError, did_you_mean, short_repr
from ...tree.keys import suggest
from ...tree.origin import Place
from .builder import Document
from .expression import parse

_KEYS = ("_BASE_", "_base_")
_LITERAL = re.compile(r"None|[(\[].*|.*,.*|[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+", re.DOTALL)


def take_bases(document: Document) -> tuple[str, ...]:
    """Take the bases that a document names out of it.

    Returns:
        Their paths, the nearest last; relative ones count from the folder of the document.

    Raises:
        ConfigContentError: `_BASE_` is no path.
        ConfigNotFoundError: there is no such file.
    """
    found = [key for key in _KEYS if key in document.value]
    if not found:
        return ()
    value = document.value.pop(key := found[0])
    names = value if isinstance(value, list) else [value]
    if len(found) > 1 or not all(isinstance(name, str) and name for name in names):
        reason = "names its bases twice" if len(found) > 1 else f"{key} is a path or a list of paths"
        raise ConfigContentError(
            document.path, f"{reason}, got {short_repr(value)}", document.lines.get((key,)), hints=["_BASE_: base.yaml"]
        )
    folder, line = document.path.parent, document.lines.get((key,))
    bases = [Path(os.path.normpath(folder / os.path.expanduser(name))) for name in names]
    for base in bases:
        if not base.is_file():
            hint = f"it is named in {Place(str(document.path), line)}"
            raise ConfigNotFoundError(base, "no such base file", hints=[did_you_mean(near(base, document.path)), hint])
    return tuple(map(str, bases))


def near(base: Path, named_by: Path) -> tuple[str, ...]:
    """Names of files that may be meant by a base that is not there."""
    return suggest(base.name, [one.name for one in base.parent.glob("*") if one.name != named_by.name])


def is_of_yacs(document: Document) -> bool:
    """Whether a document follows yacs: all keys at its top are in capitals, `_BASE_` among them."""
    return all(isinstance(key, str) and key.isupper() for key in document.value)


def decode(value: Any) -> Any:
    """A value as yacs reads it: the texts `(1, 2)`, `('a')`, `1, 2`, `None` and `1e-3` are what Python takes them for.

    Other texts stay: numbers without an exponent, for one, are texts only where somebody put them in quotes. So does
    what is in a list, which yacs takes as it is.
    """
    work: list[Any] = [{"": value}]
    top = work[0]
    while work:
        holder = work.pop()
        for key, item in list(holder.items()):
            if isinstance(item, str):
                holder[key] = _decoded(item)
            elif isinstance(item, dict):
                work.append(item)
    return top[""]


def _decoded(text: str) -> Any:
    if not _LITERAL.fullmatch(text):
        return text
    try:
        literal = ast.literal_eval(parse(text))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text
    return literal if text.startswith("(") or isinstance(literal, (tuple, list, float, type(None))) else text


__all__ = ["decode", "is_of_yacs", "near", "take_bases"]
