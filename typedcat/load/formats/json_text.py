"""Reads JSON as data, with the line of every key.

The json module tells no lines and recurses, so the grammar is walked here; it still decodes the escapes in strings.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from typedcat.load.formats.builder import Document, DocumentBuilder, DocumentFault
from typedcat.load.formats.documents import decode, read_bytes

__all__ = ["read_json"]

_WORDS = {
    "true": True,
    "false": False,
    "null": None,
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
}
_MARKS = ("}", "]", ":", ",")
_VALUE = "a value"
_KEY = "a key in double quotes"
_COLON = "':'"
_END = "the end of the text"


@cache
def _token_pattern() -> re.Pattern[str]:
    """White space, then a token; compiled when the first JSON file is read."""
    return re.compile(
        r"""
        [ \t\n\r]*
        ( [{}\[\]:,]
        | "[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*"
        | -?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?(?![\w.])
        | (?:true|false|null|NaN|-?Infinity)(?!\w)
        | (?:)  # the end of the text, or something that is no token
        )
        """,
        re.VERBOSE,
    )


def read_json(path: Path) -> Document:
    """A JSON file as plain data; `NaN` and `Infinity` are numbers, as in the json module.

    Raises:
        ConfigFileError: the file cannot be read.
        ConfigFormatError: it is not valid JSON, has duplicate keys or is empty.
        ConfigContentError: its top level is no object.
    """
    text = decode(path, read_bytes(path))
    try:
        value, lines = _Reader(text).build().finish()
    except DocumentFault as fault:
        raise fault.at(path) from fault.__cause__
    return Document(path, value, lines)


class _Reader:
    """Walks the tokens of one JSON text and feeds a builder; no recursion, so any depth will do."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._token = _token_pattern()
        self._at = 0  # where the token that is looked at begins
        self._end = 0  # where it ends
        self._line = 1  # its line
        self._builder = DocumentBuilder()
        self._closing: list[str] = []  # what ends each open collection, innermost last

    def build(self) -> DocumentBuilder:
        """The builder, fed with the whole text."""
        wanted = _VALUE
        while wanted != _END:
            wanted = self._take(self._next(wanted), wanted)
        if rest := self._next(_END):
            raise self._fault(f"{_END} is wanted here, not {rest!r:.80}")
        return self._builder

    def _take(self, token: str, wanted: str) -> str:
        """Takes one token; returns what has to come next, in the words of the error message."""
        if self._closing and token == self._closing[-1] and token in wanted:
            self._builder.close()
            self._closing.pop()
            return self._after_value()
        if wanted.startswith(_KEY) and token.startswith('"'):
            self._builder.scalar(self._scalar(token), self._line)
            return _COLON
        if wanted == _COLON and token == ":":
            return _VALUE
        if wanted.startswith("','") and token == ",":
            return _KEY if self._closing[-1] == "}" else _VALUE
        if wanted.startswith(_VALUE) and token not in _MARKS:
            return self._value(token)
        raise self._fault(f"{wanted} is wanted here, not {token!r:.80}", _way_out(token, wanted))

    def _value(self, token: str) -> str:
        if token == "{":
            self._builder.open_mapping(self._line)
            self._closing.append("}")
            return f"{_KEY} or '}}'"
        if token == "[":
            self._builder.open_sequence(self._line)
            self._closing.append("]")
            return f"{_VALUE} or ']'"
        self._builder.scalar(self._scalar(token), self._line)
        return self._after_value()

    def _after_value(self) -> str:
        return f"',' or '{self._closing[-1]}'" if self._closing else _END

    def _scalar(self, token: str) -> Any:
        if token in _WORDS:
            return _WORDS[token]
        if token.startswith('"') and "\\" not in token:
            return token[1:-1]
        import json

        try:
            return json.loads(token)
        except ValueError as error:  # a bad escape, or an integer of more digits than Python converts
            reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            raise self._fault(f"{token!r:.80}: {reason}") from error

    def _next(self, wanted: str) -> str:
        """The token that comes next; '' at the end of the text."""
        match = self._token.match(self._text, self._end)
        if match is None:  # it always matches: its last branch is empty
            return ""
        begin, end = match.span(1)
        self._line += self._text.count("\n", self._end, begin)
        self._at, self._end = begin, end
        if begin < end:
            return match.group(1)
        if begin == len(self._text):
            if wanted == _END:
                return ""
            raise self._fault(f"the text ends where {wanted} is wanted")
        rest = self._text[begin : begin + 40].split("\n")[0]
        if rest.startswith('"'):
            raise self._fault("a string that does not end on its line, or has a control character in it")
        raise self._fault(f"{wanted} is wanted here, not {rest!r}", _way_out(rest, wanted))

    def _fault(self, reason: str, hint: str = "") -> DocumentFault:
        column = self._at - self._text.rfind("\n", 0, self._at)
        return DocumentFault(f"not valid JSON: {reason}", self._line, column, hint)


def _way_out(rest: str, wanted: str) -> str:
    """A hint for what people write that JSON does not have."""
    if rest in ("}", "]") and wanted in (_KEY, _VALUE):
        return "JSON has no comma after the last item: remove the one before it"
    if rest.startswith("'"):
        return "JSON strings stand in double quotes"
    if rest.startswith(("//", "/*", "#")):
        return "JSON has no comments; YAML has"
    if rest.startswith(("True", "False", "None")):
        return "in JSON it is true, false and null"
    return ""
