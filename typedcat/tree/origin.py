"""Who set a value: the file and line of every write, and what a value replaced.

A write stores where it happened as cheaply as Python allows: the code object and the offset of the instruction. Lines
are computed when somebody asks (looking them up at write time costs up to a hundred times more in long files).
"""

from __future__ import annotations

import bisect
import functools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any, NamedTuple

from ..errors import short_path, short_repr

_PACKAGE = __name__.partition(".")[0]
_LONGEST_HISTORY = 64


class Place(NamedTuple):
    """A line that is known already: of a YAML file, a class body, an override."""

    file: str
    line: int | None
    how: str = "set"

    def __str__(self) -> str:
        return short_path(self.file) if self.line is None else f"{short_path(self.file)}:{self.line}"


class Site(NamedTuple):
    """A line that is not computed yet: a code object and the offset of the instruction that wrote."""

    code: CodeType
    offset: int


class Declared(NamedTuple):
    """The line of a field in a class body, looked up when somebody asks."""

    find: Callable[[], Place]


class Replaced(NamedTuple):
    """The record of a value that replaced another one."""

    site: Where
    older_value: Any
    older: Where | Replaced | None
    depth: int


Where = Site | Place | Declared
Record = Where | Replaced


@dataclass(frozen=True)
class Origin:
    """One step in the history of a value.

    Attributes:
        file: the file that set it, as a path.
        line: the line, counted from 1; None when only the file is known.
        value: what was set (for a dependency, the DEP itself).
        how: 'set', 'default' (declared in a schema), 'override' (command line) or 'point' (chosen by the tuner).
    """

    file: str
    line: int | None
    value: Any
    how: str = "set"

    def __str__(self) -> str:
        return str(Place(self.file, self.line))


def caller() -> Site:
    """The place in the user's code that called into typedcat, however deep inside we are."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_own(frame):
        frame = frame.f_back
    return Site(frame.f_code, frame.f_lasti)


def _is_own(frame: FrameType) -> bool:
    name: str = frame.f_globals.get("__name__", "")
    return name == _PACKAGE or name.startswith(_PACKAGE + ".")


def place(site: Where) -> Place:
    """File and line of a site."""
    if isinstance(site, Place):
        return site
    if isinstance(site, Declared):
        return site.find()
    starts, lines = _line_table(_SameCode(site.code))
    at = bisect.bisect_right(starts, site.offset) - 1
    line = lines[at] if at >= 0 else None
    return Place(site.code.co_filename, site.code.co_firstlineno if line is None else line)


class _SameCode:
    """A code object that equals only itself: equal code may stand in different files."""

    __slots__ = ("code",)

    def __init__(self, code: CodeType) -> None:
        self.code = code

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _SameCode) and other.code is self.code

    def __hash__(self) -> int:
        return id(self.code)


@functools.lru_cache(maxsize=256)
def _line_table(same: _SameCode) -> tuple[list[int], list[int | None]]:
    """The offsets at which lines of a code object start, and the lines."""
    spans = list(same.code.co_lines())
    return [start for start, _, _ in spans], [line for _, _, line in spans]


def _known_place(site: Where, known: dict[int, Place]) -> Place:
    found = known.get(id(site))
    if found is None:
        found = known[id(site)] = place(site)
    return found


def newest(record: Record) -> Where:
    """Where the value of the record was set last."""
    return record.site if isinstance(record, Replaced) else record


def replace(older: Record | None, older_value: Any, site: Where) -> Record:
    """The record of a value set at `site` over `older_value`.

    Writing again from the same line (a loop) adds nothing, and a history is kept to its oldest steps and the newest:
    a training loop that writes into its config forever must not grow it.
    """
    if older is None:
        return site
    if newest(older) == site:
        return older
    if isinstance(older, Replaced):
        if older.depth >= _LONGEST_HISTORY:
            return older._replace(site=site)
        return Replaced(site, older_value, older, older.depth + 1)
    return Replaced(site, older_value, older, 1)


def stack(newer: Record | None, older: Record | None, older_value: Any) -> Record | None:
    """The history of a value that overrides an inherited one: the newer record on top of the older."""
    if newer is None or older is None:
        return newer
    if not isinstance(newer, Replaced):
        return replace(older, older_value, newer)
    steps: list[Replaced] = []
    bottom: Record | None = newer
    while isinstance(bottom, Replaced):
        steps.append(bottom)
        bottom = bottom.older
    record: Record = replace(older, older_value, bottom) if bottom is not None else older
    for step in reversed(steps):
        record = replace(record, step.older_value, step.site)
    return record


def history(record: Record | None, value: Any) -> Iterator[Origin]:
    """The steps that led to `value`, newest first."""
    while record is not None:
        at = place(newest(record))
        yield Origin(at.file, at.line, value, at.how)
        if not isinstance(record, Replaced):
            return
        value, record = record.older_value, record.older


class Shown:
    """What is kept of a replaced value in a pickle: its text. The value itself may not even be picklable."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _shown(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, type(None), Shown)) else Shown(short_repr(value))


def rewritten(record: Record, change: Callable[[Any], Any]) -> Record:
    """The record with `change` applied to each value that was replaced."""
    steps: list[Replaced] = []
    bottom: Record | None = record
    while isinstance(bottom, Replaced):
        steps.append(bottom)
        bottom = bottom.older
    for step in reversed(steps):
        bottom = Replaced(step.site, change(step.older_value), bottom, step.depth)
    return record if bottom is None else bottom


def settled(record: Record, known: dict[int, Place]) -> Record:
    """The record without code objects, so that it can be pickled.

    Args:
        record: where a value was set, and what it replaced.
        known: places found before, by the identity of their sites: many values share one, and finding a line is slow.
    """
    if type(record) is Place:  # nearly all, of a tree that was settled before
        return record
    steps: list[Replaced] = []
    bottom: Record | None = record
    while isinstance(bottom, Replaced):
        steps.append(bottom)
        bottom = bottom.older
    result: Record | None = None if bottom is None else _known_place(bottom, known)
    for step in reversed(steps):
        result = Replaced(_known_place(step.site, known), _shown(step.older_value), result, step.depth)
    if result is None:  # pragma: no cover - a record has at least one step
        return record
    return result
