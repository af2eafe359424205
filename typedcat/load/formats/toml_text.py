"""Reads TOML as data, with the line of every key: Python's own parser has the values, a scan of the text the lines."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from typedcat.load.formats.builder import Document, DocumentFault, KeyPath
from typedcat.load.formats.documents import decode, read_bytes

__all__ = ["read_toml"]

_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")


def read_toml(path: Path) -> Document:
    """A TOML file as plain data: a table is a dict, an array of tables a list of dicts, dates and times stay.

    Raises:
        ConfigFileError: the file cannot be read.
        ConfigFormatError: it is not valid TOML, or empty.
    """
    text = decode(path, read_bytes(path)).replace("\r\n", "\n")
    try:
        value = _parsed(text)
    except DocumentFault as fault:
        raise fault.at(path) from fault.__cause__
    return Document(path, value, _lines(text, value))


def _parsed(text: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        found = _PLACE.search(message)
        reason = f"not valid TOML: {_PLACE.sub('', message)}"
        if found is None:
            raise DocumentFault(reason) from error
        if found[1] is None:
            raise DocumentFault(f"{reason} at the end of the file", text.count("\n") + 1) from error
        line = text.split("\n")[int(found[1]) - 1]
        raise DocumentFault(reason, int(found[1]), int(found[2]), _way_out(line, int(found[2]))) from error
    except (ValueError, RecursionError) as error:  # an integer of more digits than Python converts; absurd nesting
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise DocumentFault(f"not valid TOML: {reason}") from error


def _way_out(line: str, column: int) -> str:
    """A hint for what people write that TOML does not have, at a place of a line."""
    before, here = line[: column - 1].rstrip(), line[column - 1 :]
    _, equals, value = line.partition("=")
    value = (here if before.endswith(("=", "[", ",")) else value).strip()
    line = line.strip()
    if re.match(r"(?:null|None|~)\b|~", value):
        return "TOML has no null: leave the key out"
    if re.match(r"(?:True|False)\b", value):
        return "in TOML it is true and false"
    if equals and re.match(r"[A-Za-z_./]", value):
        return "TOML strings stand in quotes"
    return "TOML has `key = value`, with '='" if not equals and re.match(r"[\w.-]+\s*:", line) else ""


# -- lines


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Strings and comments; the header of a table; the key of a value. Compiled when the first file is read."""
    strings = re.compile(
        r"""\"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\\n])*" | '[^'\n]*' | \#[^\n]*""",
        re.VERBOSE | re.DOTALL,
    )
    part = r"""(?:[\w-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
    keys = rf"({part}(?:[ \t]*\.[ \t]*{part})*)"
    return strings, re.compile(rf"\s*(\[\[?)[ \t]*{keys}[ \t]*\]"), re.compile(rf"\s*{keys}[ \t]*=")


def _lines(text: str, value: dict[str, Any]) -> dict[KeyPath, int]:
    """The line of each key at a path of tables; a key inside of a value in braces has the line of that value."""
    strings, header, assignment = _patterns()
    lines: dict[KeyPath, int] = {}
    table: KeyPath = ()
    flat = strings.sub(_without_lines, text)  # a string over several lines has nothing in it that looks like a key
    for number, line in enumerate(flat.split("\n"), 1):
        if found := header.match(line):
            table = _keys(found[2])
            _note(lines, value, table, number)
        elif found := assignment.match(line):
            _note(lines, value, (*table, *_keys(found[1])), number)
    _below(lines, value)
    return lines


def _without_lines(found: re.Match[str]) -> str:
    text = found[0]
    return "\n" * text.count("\n") if "\n" in text or text.startswith("#") else text


def _keys(text: str) -> KeyPath:
    """The keys of a dotted key."""
    import tomllib

    keys: list[str] = []
    value: Any = tomllib.loads(f"{text} = 0")
    while isinstance(value, dict):
        key, value = next(iter(value.items()))
        keys.append(key)
    return tuple(keys)


def _note(lines: dict[KeyPath, int], value: Any, path: KeyPath, number: int) -> None:
    """Note the line of a path, and of what is above it, as far as it leads through tables."""
    for length, key in enumerate(path, 1):
        if not isinstance(value, dict) or key not in value:
            return
        lines.setdefault(path[:length], number)
        value = value[key]


def _below(lines: dict[KeyPath, int], value: dict[str, Any]) -> None:
    work: list[tuple[KeyPath, dict[str, Any]]] = [((), value)]
    for path, table in work:
        for key, item in table.items():
            at = (*path, key)
            if at not in lines and path in lines:
                lines[at] = lines[path]
            if isinstance(item, dict):
                work.append((at, item))
