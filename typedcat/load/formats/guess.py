"""What a file seems to be whose ending promises something else: asked for the message, when reading it has failed."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from keyword import iskeyword
from pathlib import Path
from typing import TypeVar

from ...errors import ConfigCodeError, ConfigContentError, ConfigFileError, ConfigFormatError
from .mmcv_source import mmcv_style
from .python_source import lazy_hint, may_be_lazy, parsed

__all__ = ["with_guess"]

_MOST = 1_000_000  # bytes that are looked at
_TABLE = re.compile(r"^[ \t]*\[\[?[^\[\]\n]+\]\]?[ \t]*$", re.MULTILINE)
_SECTION = re.compile(r"(?:[ \t]*(?:[#;][^\n]*)?\n)*[ \t]*\[[\w .-]+\][ \t]*\n")
_SAME = {".yml": ".yaml"}
E = TypeVar("E", bound=ConfigFileError)


def with_guess(error: E, path: Path) -> E:
    """The error for a file that cannot be read, with what the file seems to be, if that is something else.

    Args:
        error: what a reader has raised.
        path: the file that it has read.
    """
    if type(error) not in (ConfigFormatError, ConfigContentError, ConfigCodeError) or error.path != path:
        return error
    if path.suffix == ".py" and mmcv_style(path):  # some of those could be TOML by their text
        return error
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST)
    except OSError:
        return error
    ending = _SAME.get(path.suffix.lower(), path.suffix.lower())
    if not (hint := _guess_lazy(data, path, error) or _guess(data, ending, path.stem)):
        return error
    better = type(error)(path, error.reason, error.line, error.column, [*error.hints, hint])
    better.__cause__, better.__context__ = error.__cause__, error.__context__
    for note in getattr(error, "__notes__", ()):
        better.add_note(note)
    return better


def _guess_lazy(data: bytes, path: Path, error: ConfigFileError) -> str:
    """The hint for a LazyConfig that has failed because only detectron2 makes attributes of what it imports."""
    missing = isinstance(error.__cause__, AttributeError) and str(error.__cause__).startswith("'dict' object")
    if not missing or (tree := parsed(data, path)) is None or not may_be_lazy(tree):
        return ""
    return lazy_hint(path)


def _guess(data: bytes, ending: str, stem: str) -> str:
    for magic, what in _MAGIC.items():
        if data.startswith(magic) and not (ending == ".pkl" and what == _PICKLE):
            rename = f": rename it to {stem}.pkl" if what == _PICKLE else ", which is no config"
            return f"it seems to be {what}{rename}"
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return ""
    for other, is_one in _LOOKS.items():
        if other == ".toml" and ending in (".py", ".pkl") and not _TABLE.search(text):
            continue  # a few assignments are as much Python as they are TOML
        if other != ending and (other, ending) != (".ini", ".toml") and is_one(text):  # those two look alike
            if other == ".ini":
                return "it seems to be an INI file, which typedcat does not read: write it as YAML or TOML"
            return f"it seems to be {_NAMES[other]}: rename it to {stem}{other}"
    return ""


_PICKLE = "a pickle"
_MAGIC = {
    **{b"\x80" + bytes([protocol]): _PICKLE for protocol in range(2, 6)},
    b"PK\x03\x04": "a zip archive, such as torch.save and np.savez write",
    b"\x1f\x8b": "a gzip archive",
    b"\x93NUMPY": "an array of NumPy",
    b"\x89HDF": "an HDF5 file",
}
_NAMES = {".json": "JSON", ".toml": "TOML", ".py": "Python", ".yaml": "YAML"}


def _looks_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _looks_toml(text: str) -> bool:
    import tomllib

    try:
        return bool(tomllib.loads(text))
    except (ValueError, RecursionError):
        return False


def _looks_python(text: str) -> bool:
    if (tree := parsed(text, Path("config"))) is None:
        return False
    return any(  # assignments alone may be TOML with a mistake in it
        isinstance(one, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef))
        or (isinstance(one, ast.Assign) and isinstance(one.value, (ast.Call, ast.Dict)))
        for one in tree.body
    )


def _looks_ini(text: str) -> bool:
    if not _SECTION.match(text):
        return False
    import configparser

    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error:
        return False
    return bool(parser.sections())


def _looks_yaml(text: str) -> bool:
    import yaml

    if not re.search(r"^[\w\"'-][^\n]*:(?:\s|$)", text, re.MULTILINE):
        return False
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return False
    # `class Train:` and `try:` are keys, too, to a parser of YAML
    return isinstance(value, dict) and all(re.fullmatch(r"[\w.-]+", str(key)) and not iskeyword(key) for key in value)


_LOOKS: dict[str, Callable[[str], bool]] = {  # the strictest first
    ".json": _looks_json,
    ".toml": _looks_toml,
    ".py": _looks_python,
    ".ini": _looks_ini,
    ".yaml": _looks_yaml,
}
