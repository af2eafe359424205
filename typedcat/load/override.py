"""One override, `opt.ini.lr=0.1`: its parts, and how it is shown."""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..errors import OverrideError
from ..tree.keys import format_path, parse_path
from .formats.yaml_text import parse_scalar
from .schema_fields import MASK
from .secrets import masked

_UNSAFE = str.maketrans({"/": "-", "\\": "-", **dict.fromkeys(map(chr, range(32)), " ")})


Path: TypeAlias = tuple[Hashable, ...]


@dataclass(frozen=True)
class Override:
    """One `key=value`.

    Attributes:
        text: as the user wrote it.
        keys: the path.
        value: the part after the '='.
        new: whether the key may be a new one (`+key=value`).
        drop: whether the key is removed (`~key`, or `~key=value` if that is what it has).
        public: the value with its secrets masked, if there are some: they are written nowhere.
        what: what messages call it.
    """

    text: str
    keys: tuple[Hashable, ...]
    value: str
    new: bool
    public: str | None = None
    drop: bool = False
    what: str = "override"

    @property
    def shown(self) -> str:
        """The whole of it, for messages."""
        sign = "+" * self.new + "~" * self.drop
        return self.text if self.public is None else f"{sign}{format_path(self.keys)}={self.public}"

    @property
    def folder_suffix(self) -> str:
        """What it appends to the name of the result folder."""
        value = self.value if self.public is None else self.public.replace(MASK, "hidden")
        plain = f",~{format_path(self.keys)}" if self.drop else f",{format_path(self.keys)}={value}"
        safe = plain.translate(_UNSAFE)
        return safe if safe == plain else f"{safe}~{zlib.crc32(plain.encode()):08x}"  # 'a/b' is not 'a-b'

    def error(self, reason: str, suggestions: Sequence[str] = (), hint: str = "") -> OverrideError:
        """The error to raise when it cannot be applied."""
        return OverrideError(self.shown, reason, suggestions, hint, what=self.what)


def parse_override(text: str) -> Override:
    """The parts of an override.

    Raises:
        OverrideError: it has no '=' or no path before it.
    """
    path, equals, value = _split(text)
    new, drop = path.startswith("+"), path.startswith("~")
    if not equals and not drop:
        raise OverrideError(text, "has no '='", hint="write key=value, for example opt.ini.lr=0.1")
    try:
        keys = parse_path(path.removeprefix("~" if drop else "+").removeprefix("+").strip())
    except ValueError as error:
        raise OverrideError(text, str(error), hint="write key=value, for example opt.ini.lr=0.1") from error
    return Override(text, keys, value.strip(), new, drop=drop)


def _split(text: str) -> tuple[str, str, str]:
    """At the first '=' that is not inside brackets: keys may have one in their name."""
    depth = 0
    for i, char in enumerate(text):
        depth += (char == "[") - (char == "]")
        if char == "=" and depth <= 0:
            return text[:i].strip(), "=", text[i + 1 :]
    return text.strip(), "", ""


def public_value(text: str, types: list[Any]) -> str | None:
    """The text of a value without the secrets in it; None if there are none."""
    try:
        value = parse_scalar(text)
    except ValueError:
        value = text
    shown = masked(value, types)
    return None if shown is value else str(shown)
