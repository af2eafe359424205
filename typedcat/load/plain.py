"""Configs as YAML and JSON: the values that these formats have, and errors for all others."""

from __future__ import annotations

import datetime
import enum
import json
import math
import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from ..errors import SaveError, short_repr
from ..tree.config import BaseConfig
from ..tree.copying import to_dict
from ..tree.keys import join
from .declared_types import slot_types
from .formats.document_bases import decode
from .formats.python_text import SECRET, import_path, too_deep, why_not
from .pipeline import loaded
from .secrets import masked

_LINE_ENDS = re.compile("[\x85\u2028\u2029]")
# text to PyYAML; without quotes a number to most other readers of YAML, and a value that has to be set to OmegaConf
_MEANS_MORE = re.compile(r"[-+.]?\d[\d_.]*[eE][-+]?\d+|\?\?\?")
_INTERPOLATION = re.compile(r"(\\*)\$\{")
_YAML_ONLY = (bytes, datetime.date, datetime.datetime)
_LONG_INT = 10_000  # bits


def yaml_text(cfg: BaseConfig, *, lenient: bool = False) -> str:
    """The loaded form of a config as YAML; see `plain`."""
    return dump(plain(cfg, "YAML", lenient), "YAML")


def json_text(cfg: BaseConfig, *, lenient: bool = False) -> str:
    """The loaded form of a config as JSON; see `plain`."""
    return dump(plain(cfg, "JSON", lenient), "JSON")


def dump(data: Any, target: str) -> str:
    """Plain data, or a part of it, as text of a data format."""
    try:
        if target == "JSON":
            return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
        import yaml

        text: str = yaml.dump(data, Dumper=_yaml_dumper(), sort_keys=False, allow_unicode=True)
        return text.removesuffix("...\n") if text.endswith("\n...\n") else text  # PyYAML puts it after a scalar
    except RecursionError as error:
        raise too_deep(target) from error


def _yaml_dumper() -> Any:
    """PyYAML's, which quotes what YAML takes for the end of a line, and what other readers take for a number."""
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def represent(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = '"' if _LINE_ENDS.search(value) else "'" if _MEANS_MORE.fullmatch(value) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, represent)
    return Dumper


def plain(cfg: BaseConfig, target: str, lenient: bool) -> Any:
    """The loaded form of a config in the values of a data format; tuples become lists.

    Args:
        cfg: the config; it is loaded first (a copy) if it inherits or has dependencies.
        target: the format, for the message.
        lenient: show what cannot be expressed (classes as `@import.path`, else the repr) instead of refusing.

    Raises:
        SaveError: values that the format cannot express, all of them.
    """
    cfg = loaded(cfg)
    converter = _Plain(cfg, target, lenient)
    try:
        data = converter.tree()
    except RecursionError as error:
        raise too_deep(target) from error
    if not lenient:
        converter.problems += _taken_for_more(data, target)
    if converter.problems:
        raise SaveError(target, converter.problems, "save_py imports classes and functions; save_pkl can hold anything")
    return data


def _taken_for_more(data: dict[Any, Any], target: str) -> list[tuple[str, str]]:
    """Keys at the top that readers take for more than data."""
    problems = [(key, "names the bases of the file to readers") for key in ("_BASE_", "_base_") if key in data]
    defaults = data.get("defaults")
    if target != "YAML":
        return problems
    entries = defaults if isinstance(defaults, list) else []
    if entries and all(isinstance(one, str) or (isinstance(one, dict) and len(one) == 1) for one in entries):
        problems.append(("defaults", "names what Hydra composes the config of to readers"))
    if all(isinstance(key, str) and key.isupper() for key in data):
        reason = "as all keys at the top are in capitals, readers take the text for a value, as yacs does:"
        problems += [(path, f"{reason} {text!r}") for path, text in _texts(data) if decode(text) != text]
    return problems


def _texts(data: dict[Any, Any]) -> Iterator[tuple[str, str]]:
    """(path, text) of every text that is the value of a key in plain data; those in lists are left out."""
    work: list[tuple[str, Any]] = [("", data)]
    while work:
        path, value = work.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, dict):
            work += [(join(path, key), item) for key, item in reversed(value.items())]


class _Plain:
    """Converts values to those of a data format, noting what has no such form."""

    def __init__(self, cfg: BaseConfig, target: str, lenient: bool) -> None:
        self.cfg = cfg
        self.target = target
        self.lenient = lenient
        self.problems: list[tuple[str, str]] = []

    def tree(self) -> dict[Any, Any]:
        """The tree as plain dicts, its leaves converted."""
        plain = to_dict(self.cfg)
        work: list[tuple[Any, dict[Any, Any], str]] = [(self.cfg, plain, "")]
        for node, data, path in work:
            items = list(data.items())
            data.clear()  # filled again in the same order, whatever becomes of the keys
            for key, value in items:
                at = join(path, key)
                name = self.key(key, at)
                if isinstance(held := dict.__getitem__(node, key), BaseConfig):
                    data[name] = value
                    work.append((held, value, at))
                else:
                    shown = masked(value, slot_types(node, key))
                    data[name] = self.convert(value, at) if shown is value else self.refuse(shown, at, SECRET)
        return plain

    def convert(self, value: Any, path: str) -> Any:
        if (reason := self.why_no_scalar(value)) is not None:
            return self.refuse(value, path, reason)
        if type(value) is str and self.target == "YAML":
            return _INTERPOLATION.sub(r"\1\1\\${", value)
        if type(value) in (str, int, float, bool, type(None)) or (self.target == "YAML" and type(value) in _YAML_ONLY):
            return value
        if isinstance(value, BaseConfig):
            return self.convert(to_dict(value), path)
        if isinstance(value, dict):
            return {self.key(k, join(path, k)): self.convert(v, join(path, k)) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.convert(item, join(path, i)) for i, item in enumerate(value)]
        if type(value) is set and self.target == "YAML":
            return self.set(value, path)
        if isinstance(value, PurePath):
            return str(value)
        for kind in (str, bool, int, float):
            if isinstance(value, kind):  # a subclass, such as a str enum
                return self.convert(value.value if isinstance(value, enum.Enum) else kind(value), path)
        if (name := import_path(value)) is not None:
            shown = "@" + name.replace(":", ".")
            return self.refuse(shown, path, f"{shown[1:]} is Python code")
        return self.refuse(value, path, why_not(value))

    def why_no_scalar(self, value: Any) -> str | None:
        """Why a text or number cannot be expressed; None if it can, or is neither."""
        if isinstance(value, str):
            return None if value.isascii() else _why_no_text(value)
        if isinstance(value, float) and not math.isfinite(value) and self.target == "JSON":
            return f"JSON has no {value}"
        if type(value) is int and value.bit_length() > _LONG_INT:
            return "has more digits than a reader takes"
        if isinstance(value, datetime.datetime) and (offset := value.utcoffset()) is not None:
            return None if offset.total_seconds() % 60 == 0 else "YAML has no time zones with seconds"
        return None

    def set(self, value: Any, path: str) -> Any:
        """A YAML set: its items are keys there."""
        items = [self.convert(item, path) for item in value]
        if any(isinstance(item, (list, set, dict)) for item in items):
            return self.refuse(value, path, "a YAML set holds texts and numbers only")
        return set(items)

    def key(self, key: Any, path: str) -> Any:
        if type(key) is str or (self.target == "YAML" and type(key) in (int, float, bool, type(None))):
            reason = self.why_no_scalar(key)
            return key if reason is None else self.refuse(key, path, reason)
        if isinstance(key, str):
            return key.value if isinstance(key, enum.Enum) else str.__str__(key)
        self.refuse(key, path, f"{self.target} has no {type(key).__name__} keys")
        return str(key)

    def refuse(self, value: Any, path: str, reason: str) -> Any:
        if not self.lenient:
            self.problems.append((path, reason))
        return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else short_repr(value, 200)


def _why_no_text(value: str) -> str | None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        return f"has {value[error.start]!r} in it, half of a character, which no text file can hold"
    return None
