"""The value that an override means, in the place of what stands there: read, and refused where it is hardly meant."""

from __future__ import annotations

import ast
import inspect
import numbers
import pkgutil
import re
import typing
from collections.abc import Sequence
from datetime import date
from typing import Any

from ..errors import OverrideError, short_repr
from ..tree.config import BaseConfig
from ..tree.fields import members
from ..tree.keys import format_path, suggest
from ..tree.values import Deferred
from .declared_types import types_at
from .formats.omegaconf_texts import override_dependencies
from .formats.yaml_text import parse_scalar
from .override import Override, Path
from .problems import DOTTED_NAME
from .schema_fields import allows_none, annotation_at, takes_text_only
from .secrets import masked


def value_of(tree: BaseConfig, override: Override, keys: Path, old: Any) -> Any:
    """The value, in the place of the old one: where that is a tuple or a list, what Python reads as a tuple is one.

    Where it is a text, a date is text as well.
    """
    text = override.value
    if text.startswith("@"):
        return _imported(override, text[1:])
    annotation = annotation_at(tree, keys)
    quoted = text[:1] in ("'", '"')
    if annotation is not None and takes_text_only(annotation) and not quoted:
        return None if text in ("", "null", "~") and allows_none(annotation) else text
    try:
        value = _computed(override, parse_scalar(text), keys)
        if isinstance(value, date) and isinstance(old, str) and annotation is None:
            return text
        return _as_tuple(text) if value == text and _is_sequence(old, annotation) else value
    except OverrideError:
        raise
    except ValueError as error:
        reason = "its value cannot be read" if override.public else f"its value cannot be read: {error}"
        raise override.error(reason, hint=_hint_for_unreadable(override)) from error


def _hint_for_unreadable(override: Override) -> str:
    opened, closed = (sum(map(override.value.count, brackets)) for brackets in ("[{(", "]})"))
    if opened <= closed:
        return "quote it to mean text"
    option = "-o" if override.what == "override" else override.what
    whole = f"{option} '{format_path(override.keys)}=[a, b]'"
    return f"its brackets are not closed; in a shell put all of it in quotes: {whole}"


# -- what is replaced


def check_fit(tree: BaseConfig, override: Override, path: Path, old: Any, new: Any) -> None:
    """Refuse a value that is hardly meant in the place of the old one; what a schema declares is for it to say.

    But for `None`, where it declares that there may be none: that would be text as well.
    """
    annotation = annotation_at(tree, path)
    is_declared = annotation is not None and not (override.value == "None" and allows_none(annotation))
    if is_declared or override.value.startswith("@") or isinstance(new, Deferred):
        return
    types = types_at(tree, path)
    if isinstance(old, dict) and dict.__len__(old) and not isinstance(new, dict) and override.value not in _NULLS:
        name = format_path(path)
        what = short_repr(masked(new, types)) if override.value else "nothing"
        removal = f"~{name} removes it, " if isinstance(old, BaseConfig) else ""
        hint = f"name a key below it, or write {name}={{...}}; {removal}{name}=null makes it None"
        raise override.error(f"{what} would replace '{name}' and all that is below it", hint=hint)
    if isinstance(new, str) and new == override.value and _is_misread(old, new):  # as it stands: nobody has quoted it
        where = "" if old is None else f", where {short_repr(masked(old, types))} stands"
        reason = f"{short_repr(masked(new, types))} would be text{where}"
        raise override.error(reason, hint=_hint_for_text(override, path, old, new))
    if isinstance(new, (list, dict)) and _NONE_INSIDE.search(_QUOTED.sub("''", override.value)):
        raise override.error("'None' inside of it would be text", hint="YAML writes it null; text is quoted")


_NULLS = ("null", "Null", "NULL", "~")  # as YAML writes it on purpose
_OF_PYTHON = {"None": "null", "inf": ".inf", "-inf": "-.inf", "nan": ".nan"}
_NONE_INSIDE = re.compile(r"[\[{,:]\s*None\s*[\]},]")
_QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:\\.|[^"\\])*\"""")
_BOOLEANS = ("true", "false", "yes", "no", "on", "off")
_OF_NUMBERS = re.compile(r"(?=.*\d)[-+\d\s.,;:eE()\[\]{}]+")


def _is_misread(old: Any, text: str) -> bool:
    """Whether a text was hardly meant as one: numbers with a slip, a value of Python, a misspelt `true`, a class.

    Words are meant: `devices=auto` in the place of 1. `None` is no word, whatever stands there.
    """
    if text == "None" or (old is None and text in _OF_PYTHON) or isinstance(old, type) or inspect.isroutine(old):
        return True
    if isinstance(old, bool) and _is_like_a_boolean(text.lower()):
        return True
    is_of_python = text in _OF_PYTHON or _OF_NUMBERS.fullmatch(text) is not None
    return isinstance(old, (numbers.Number, list, tuple)) and is_of_python


def _is_like_a_boolean(text: str) -> bool:
    """Whether a text begins as a boolean does, or is nearly one: `f` would be a text, and so count as true."""
    return any(one.startswith(text) for one in _BOOLEANS) or bool(suggest(text, ("true", "false")))


def _is_sequence(old: Any, annotation: Any) -> bool:
    """Whether a list or tuple stands at a key, or is the only thing that its schema can read a text as."""
    if annotation is None:
        return isinstance(old, (list, tuple))
    kinds = [typing.get_origin(one) or one for one in members(annotation)]
    sequences = [one for one in kinds if isinstance(one, type) and issubclass(one, Sequence)]
    return bool(sequences) and not any(issubclass(one, (str, bytes)) for one in sequences)


def _as_tuple(text: str) -> Any:
    """The tuple that a text is in Python, else the text."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text
    return value if isinstance(value, tuple) else text


def _hint_for_text(override: Override, path: Path, old: Any, new: str) -> str:
    if override.public is not None:
        return ""
    name = format_path(path)
    quoted = f'text is quoted: "{"+" * override.new}{name}={new!r}"'
    if new in _OF_PYTHON:
        return f"YAML writes it {_OF_PYTHON[new]}; {quoted}"
    if isinstance(old, bool):
        return f"YAML writes it true or false; {quoted}"
    if isinstance(old, (list, tuple)) or "," in new:
        return f"a list is written [1, 2]; {quoted}"
    is_name = not isinstance(old, numbers.Number) and DOTTED_NAME.fullmatch(new)
    return f"a class is imported: {name}=@{new}; {quoted}" if is_name else quoted


def _computed(override: Override, value: Any, keys: Path) -> Any:
    """The value, with dependencies in the place of OmegaConf's interpolations: `wd=${lr}`."""
    if "${" not in override.value:
        return value

    def refuse(at: Path, reason: str, hint: str) -> OverrideError:
        return override.error(reason, hint=hint)

    return override_dependencies(value, keys, any(isinstance(key, int) for key in keys), refuse)


def _imported(override: Override, name: str) -> Any:
    try:
        return pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        hint = "write @package.module.Name, or quote the value to mean text"
        why = f"cannot import '{name}': {error}" if name else "names nothing to import"
        reason = why if override.public is None else "its value cannot be imported"
        raise override.error(reason, hint=hint) from error
