"""A config as text that mmengine's `Config.fromfile` reads back: one variable per key, classes imported by name."""

from __future__ import annotations

import cmath
import enum
import keyword
import unicodedata
from collections.abc import Hashable, Mapping
from pathlib import PurePath
from typing import Any

from ...errors import SaveError
from ...tree.config import BaseConfig
from ...tree.keys import join
from ..declared_types import slot_types
from ..secrets import masked
from .python_config import is_misspelt
from .python_text import SECRET, import_path, too_deep, why_not

TARGET = "an MMCV config"
_HINT = "save_py imports classes and functions; save_pkl can hold anything"
_WIDTH = 100
_LONG_INT = 10_000  # bits; Python reads no decimal number of more than 4,300 digits
_LITERALS = (str, int, float, complex, bool, bytes, type(None), type(...))
_RESERVED = {"filename", "text", "pretty_text", "env_variables"}  # names that mmengine's Config keeps to itself
_MARKS = {"_base_", "_delete_", "_deprecation_"}  # what mmengine takes for orders
_OTHER_STYLES = {"cfg", "config", "_C", "get_cfg_defaults", "get_config"}  # what we take for the whole config
_OPENER = "mmengine"  # importing it tells mmengine that the style is the one with imports, and us that it is mmengine's


def mmcv_text(cfg: BaseConfig) -> str:
    """The text of a loaded config: of mmengine's text style, or of its pure-Python style if there are imports in it.

    Raises:
        SaveError: values and keys that have no such text, all of them.
    """
    writer = _Writer(cfg)
    try:
        lines = [f"{key} = {writer.node_item(cfg, key, value, '', 0)}" for key, value in writer.top()]
        lines = ["# Written by typedcat.", *writer.opening(), *lines, ""]
        compile("\n".join(lines), "<config>", "exec", dont_inherit=True)  # Python's own limit of nesting
    except (RecursionError, MemoryError) as error:
        raise too_deep(TARGET) from error
    except SyntaxError as error:
        if writer.problems:
            raise SaveError(TARGET, writer.problems, _HINT) from None
        raise too_deep(TARGET) from error
    if writer.problems:
        raise SaveError(TARGET, writer.problems, _HINT)
    return "\n".join(lines)


class _Writer:
    """One text: what it imports, and what it cannot express."""

    def __init__(self, cfg: BaseConfig) -> None:
        self.cfg = cfg
        self.problems: list[tuple[str, str]] = []
        self.imports: dict[tuple[str, str], str] = {}  # (module, name): what the text calls it
        self.built_in: set[str] = set()  # names that the text takes from Python

    # -- the top

    def top(self) -> list[tuple[str, Any]]:
        """The keys that can be variables, and their values."""
        kept: list[tuple[str, Any]] = []
        for key, value in dict.items(self.cfg):
            if reason := _why_no_variable(key):
                self.problems.append((join("", key), reason))
            elif isinstance(key, str):
                kept.append((str.__str__(key), value))
        return kept

    def opening(self) -> list[str]:
        """What comes before the variables; called when they are written."""
        taken = {str(key) for key in dict.keys(self.cfg)}
        if self.imports:
            self.built_in |= {_OPENER, "LazyObject"}  # mmengine has the second one ready
        reason = "is the name of something that the text needs itself: put the value into a subtree"
        self.problems += [(name, reason) for name in sorted(self.built_in & taken)]
        if not self.imports:
            plain = bool(taken) and not taken & _OTHER_STYLES and not is_misspelt(taken)
            return [] if plain else ["_base_ = []"]  # which says that this is an MMCV config
        lines = [f"import {_OPENER}"]
        for (module, name), alias in sorted(self.imports.items()):
            lines.append(f"from {module} import {name}" + (f" as {alias}" if alias != name else ""))
        return [*lines, ""]

    # -- values

    def node_item(self, node: BaseConfig, key: Hashable, value: Any, path: str, indent: int) -> str:
        """Text of a value of a subtree."""
        where = join(path, key)
        if masked(value, slot_types(node, key)) is not value:
            return self.refuse(where, SECRET)
        return self.code(value, where, indent)

    def code(self, value: Any, path: str, indent: int) -> str:
        """Text of a value; what has none is added to the problems."""
        kind = type(value)
        if kind in (float, complex) and not cmath.isfinite(value):
            return f"{self.name(kind.__name__)}('{value}')"
        if kind is int and value.bit_length() > _LONG_INT:
            return hex(value)
        if kind in (str, bytes):
            return repr(value).replace("{{", "{\\x7b")  # which mmengine would fill in
        if kind in _LITERALS:
            return repr(value)
        if isinstance(value, Mapping):
            return self.dict(value, path, indent)
        if isinstance(value, (list, tuple)):
            return self.sequence(value, path, indent)
        if kind in (set, frozenset):
            items = ", ".join(sorted(self.code(item, path, indent) for item in value))
            return (
                f"{{{items}}}" if value and kind is set else f"{self.name(kind.__name__)}({items and f'{{{items}}}'})"
            )
        if isinstance(value, PurePath):
            return repr(str(value))
        for plain in (str, bool, int, float):
            if isinstance(value, plain):  # a subclass, such as a str enum
                return self.code(value.value if isinstance(value, enum.Enum) else plain(value), path, indent)
        return self.imported(value, path)

    def dict(self, value: Mapping[Any, Any], path: str, indent: int) -> str:
        """Text of a subtree or dict: as a call where the keys are names."""
        items = list(dict.items(value) if isinstance(value, BaseConfig) else value.items())
        named = all(type(key) is str and _is_name(key) for key, _ in items)
        parts = []
        for key, item in items:
            if key == "_delete_":
                reason = "belongs to MMCV's inheritance; a value that is assigned replaces the inherited one anyway"
                self.refuse(join(path, key), f"{reason}: leave it out")
            if isinstance(value, BaseConfig):
                text = self.node_item(value, key, item, path, indent + 1)
            else:
                text = self.code(item, join(path, key), indent + 1)
            parts.append(f"{key}={text}" if named else f"{self.key(key, join(path, key))}: {text}")
        start, end = (f"{self.name('dict')}(", ")") if named else ("{", "}")
        return _bracketed(start, parts, end, indent)

    def sequence(self, value: Any, path: str, indent: int) -> str:
        parts = [self.code(item, f"{path}[{number}]", indent + 1) for number, item in enumerate(value)]
        if isinstance(value, list):
            return _bracketed("[", parts, "]", indent)
        return f"({parts[0]},)" if len(parts) == 1 else _bracketed("(", parts, ")", indent)

    def key(self, key: Any, path: str) -> str:
        if isinstance(key, (*_LITERALS, tuple)):
            return self.code(key, path, 0)
        return self.refuse(path, f"{type(key).__name__} keys have no text")

    def imported(self, value: Any, path: str) -> str:
        name = import_path(value)
        if name is None:
            return self.refuse(path, why_not(value))
        module, _, qualified = name.partition(":")
        first, _, rest = qualified.partition(".")
        if module == "builtins":
            return self.name(first) + (rest and f".{rest}")
        alias = self.imports.get((module, first)) or self.free(first)
        self.imports[module, first] = alias
        return alias + (rest and f".{rest}")

    def free(self, name: str) -> str:
        """A name that nothing else in the text has."""
        taken = {*map(str, dict.keys(self.cfg)), *self.imports.values(), *self.built_in, "dict"}
        alias, number = name, 1
        while alias in taken:
            number += 1
            alias = f"{name}_{number}"
        return alias

    def name(self, built_in: str) -> str:
        self.built_in.add(built_in)
        return built_in

    def refuse(self, path: str, reason: str) -> str:
        self.problems.append((path, reason))
        return "..."


def _is_name(key: str) -> bool:
    """Whether Python takes a text for a name, and for this one: it reads some letters as others."""
    return key.isidentifier() and not keyword.iskeyword(key) and unicodedata.normalize("NFKC", key) == key


def _why_no_variable(key: Any) -> str:
    """Why a key cannot be at the top, where keys are variables; '' if it can."""
    if not isinstance(key, str) or not _is_name(key):
        return "is no name of a variable, as keys at the top of such a config are: put it into a subtree"
    if key in _RESERVED:
        return "is a name that mmengine's Config keeps to itself: call it something else"
    if key in _MARKS or key.startswith("__"):
        return "means something else to mmengine, or nothing: call it something else"
    return ""


def _bracketed(start: str, parts: list[str], end: str, indent: int) -> str:
    """On one line if there is room, else one item a line."""
    line = f"{start}{', '.join(parts)}{end}"
    if len(line) + 4 * indent <= _WIDTH and "\n" not in line:
        return line
    inner, outer = "\n" + "    " * (indent + 1), "    " * indent
    return f"{start}{''.join(f'{inner}{part},' for part in parts)}\n{outer}{end}"


__all__ = ["mmcv_text"]
