"""`metric_frame.xlsx`: the table of a sweep, its failures, its runs and what it was run with, each on a sheet."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from numbers import Number
from typing import TYPE_CHECKING, Any

from ..ledger.results import Result
from .frames import Better, best_rows, cell_text, moment, number, plain, point_text

if TYPE_CHECKING:
    import pandas as pd
    from openpyxl.worksheet.worksheet import Worksheet

TABLE = "metric_frame.xlsx"
PACKAGES = "packages"
"""What is known of a sweep by this name is a list."""
_MOST_ROWS = 1_048_576  # of a sheet, the header among them
_MOST_COLUMNS = 16_384
_FIRST_DAY, _LAST_DAY = date(1900, 3, 1), date(9999, 12, 30)  # before, Excel counts a day that never was
_LONGEST_CELL = 32_000  # characters; Excel allows 32,767
_WIDEST_COLUMN = 50  # characters
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_GOOD = "63BE7B"
_NEUTRAL = "9DC3E6"
_BAD = "FFFFFF"
_HEADER = "D9E1F2"


def workbook(
    frame: pd.DataFrame,
    results: Sequence[Result] = (),
    parameters: Sequence[str] = (),
    *,
    metrics: Sequence[Any] = (),
    better: Better | None = None,
    about: Mapping[str, str] | None = None,
) -> bytes:
    """The workbook as a file.

    Values are written as they are given. There is no cell for NaN; infinity, and whatever else Excel has no cell for,
    is text. No text is ever a formula. Of more rows or columns than a sheet can hold the last is a note.

    Args:
        frame: the table of the points.
        results: one per run; without any the workbook has no sheets about runs.
        parameters: the names of the parameters.
        metrics: the columns of the table that get a colour scale: green where they are best, else blue.
        better: which end of a metric is the good one.
        about: what the sweep was run with, for a sheet of its own; a list such as that of the packages on several rows.
    """
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "MetricFrame"
    _write_table(sheet, frame)
    better = better or {}
    places = _places(frame)
    for name in metrics:
        if name in places:
            _colour(sheet, frame, name, places[name], better.get(name))
    _mark_best(sheet, frame, places, better)
    if results:
        failed = [r for r in results if r.state == "failed"]
        _write_rows(book.create_sheet("failures"), failed, parameters, _ABOUT_FAILURE)
        _write_rows(book.create_sheet("runs"), results, parameters, _ABOUT_RUN)
    if about:
        facts = [(name, line) for name, text in about.items() for line in _lines_of(name, text)]
        _write(book.create_sheet("about"), ["what", ""], facts, len(facts))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _lines_of(name: str, text: str) -> list[str]:
    return text.split(", ") if name == PACKAGES else [text] * bool(text)


# -- the table


def _write_table(sheet: Worksheet, frame: pd.DataFrame) -> None:
    from openpyxl.utils import get_column_letter

    levels = frame.index.nlevels
    names = [*frame.index.names, *frame.columns]
    columns = [frame.iloc[:, i].tolist() for i in range(len(frame.columns))]
    rows = ((*labels, *values) for labels, *values in zip(frame.index, *columns, strict=True))
    _write(sheet, names, rows, len(frame))
    sheet.freeze_panes = f"{get_column_letter(levels + 1)}2"
    _merge(sheet, list(frame.index)[: _room(len(frame))])


def _merge(sheet: Worksheet, labels: Sequence[tuple[Any, ...]]) -> None:
    """One cell for a label of the outer levels that stays the same from row to row."""
    from openpyxl.styles import Alignment

    top = Alignment(vertical="top")
    for level in range(len(labels[0]) - 1 if labels else 0):
        start = 0
        for end in range(1, len(labels) + 1):
            if end < len(labels) and labels[end][: level + 1] == labels[start][: level + 1]:
                continue
            if end - start > 1:
                sheet.merge_cells(start_row=start + 2, end_row=end + 1, start_column=level + 1, end_column=level + 1)
                sheet.cell(start + 2, level + 1).alignment = top
            start = end


def _places(frame: pd.DataFrame) -> dict[Any, int]:
    """The number of the column of each metric on the sheet, of those that fit."""
    first = frame.index.nlevels + 1
    room = _fitting(first - 1 + len(frame.columns), _MOST_COLUMNS)
    return {name: column for column, name in enumerate(frame.columns, first) if column <= room}


def _colour(sheet: Worksheet, frame: pd.DataFrame, name: Any, column: int, direction: str | None) -> None:
    """A colour scale, which Excel keeps up to date when a value is edited."""
    from openpyxl.formatting.rule import ColorScaleRule
    from openpyxl.utils import get_column_letter

    if not any(map(_is_finite, frame[name])):
        return
    low, high = {"max": (_BAD, _GOOD), "min": (_GOOD, _BAD)}.get(direction or "", (_BAD, _NEUTRAL))
    letter = get_column_letter(column)
    rule = ColorScaleRule(start_type="min", start_color=low, end_type="max", end_color=high)
    sheet.conditional_formatting.add(f"{letter}2:{letter}{min(len(frame) + 1, _MOST_ROWS)}", rule)


def _mark_best(sheet: Worksheet, frame: pd.DataFrame, places: Mapping[Any, int], better: Better) -> None:
    from openpyxl.styles import Border, Font, Side

    bold, side = Font(bold=True), Side(style="medium")
    border = Border(left=side, right=side, top=side, bottom=side)
    for name, rows in best_rows(frame, better).items():
        for row in rows:
            if name in places and row < _room(len(frame)):
                cell = sheet.cell(row + 2, places[name])
                cell.font, cell.border = bold, border


def _is_finite(value: Any) -> bool:
    return (x := number(value)) is not None and math.isfinite(x)


# -- the runs


def _start(result: Result) -> datetime | None:
    """In the time of this machine: cells of Excel know no time zones."""
    start = moment(result.started)
    return None if start is None else start.replace(tzinfo=None)


def _folder(result: Result) -> str:
    return result.rslt_dir or result.folder


_About = dict[str, Callable[[Result], Any]]
_ABOUT_FAILURE: _About = {
    "seed": lambda r: r.seed,
    "attempts": lambda r: r.attempts,
    "reason": lambda r: r.error,
    "folder": _folder,
}
_ABOUT_RUN: _About = {
    "seed": lambda r: r.seed,
    "state": lambda r: r.state,
    "started": _start,
    "seconds": lambda r: r.seconds,
    "host": lambda r: r.host,
    "gpus": lambda r: ", ".join(r.gpus),
    "git commit": lambda r: r.git_commit,
    "dirty": lambda r: r.git_dirty if r.git_commit else None,
    "folder": _folder,
}


def _write_rows(sheet: Worksheet, results: Sequence[Result], parameters: Sequence[str], about: _About) -> None:
    rows = ((point_text(parameters, r.labels), *(of(r) for of in about.values())) for r in results)
    _write(sheet, ["point", *about], rows, len(results))
    sheet.freeze_panes = "B2"
    if results:
        sheet.auto_filter.ref = sheet.dimensions


# -- cells


def _write(sheet: Worksheet, names: Sequence[Any], rows: Iterable[Sequence[Any]], count: int) -> None:
    """Names and rows from the first cell on, and the widths of the columns."""
    from openpyxl.utils import get_column_letter

    left_out = len(names) - _fitting(len(names), _MOST_COLUMNS)
    if left_out:
        note = f"{left_out} of {len(names)} columns do not fit a sheet; the CSV files have all"
        names, rows = [*names[:-left_out], note], (row[:-left_out] for row in rows)
    widths = [_write_header(sheet.cell(1, column), name) for column, name in enumerate(names, 1)]
    room = _room(count)
    for row, values in enumerate(rows, 2):
        if row > room + 1:
            sheet.cell(row, 1, f"{count - room} of {count} rows do not fit a sheet; the CSV files have all")
            break
        for column, value in enumerate(values, 1):
            widths[column - 1] = max(widths[column - 1], _fill(sheet, row, column, value))
    for column, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(column)].width = min(width, _WIDEST_COLUMN) + 2


def _room(count: int) -> int:
    """How many of so many rows are written below the header."""
    return _fitting(count, _MOST_ROWS - 1)


def _fitting(count: int, most: int) -> int:
    """How many of so many rows or columns are written: all, or as many as leave one for the note."""
    return count if count <= most else most - 1


def _write_header(cell: Any, name: Any) -> int:
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

    text = _text(str(name))
    _set_text(cell, text)
    cell.font = Font(bold=True)
    cell.fill = PatternFill("solid", start_color=_HEADER)
    cell.border = Border(bottom=Side(style="thin"))
    cell.alignment = Alignment(vertical="top", wrap_text=len(text) > _WIDEST_COLUMN)
    return len(text) + 2


def _fill(sheet: Worksheet, row: int, column: int, value: Any) -> int:
    """Put a value into a cell; returns its width in characters."""
    value = _cell(value)
    if value is None:
        return 0
    cell = sheet.cell(row, column)
    if isinstance(value, str):
        _set_text(cell, value)
        return max(map(len, value.split("\n")))
    cell.value = value
    return 19 if isinstance(value, datetime) else len(str(value))


def _set_text(cell: Any, text: str) -> None:
    """Text that stays text: openpyxl takes `=1` for a formula and `#N/A` for an error."""
    cell.value = text
    if cell.data_type != "s":
        cell.data_type = "s"
        cell.quotePrefix = True  # so that it stays text when someone edits it


def _cell(value: Any) -> Any:
    """What a cell of Excel can hold; anything else as text."""
    import pandas as pd

    value = plain(value)
    if value is None or value is pd.NaT:
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, (date, time, timedelta)):
        return value if _in_calendar(value) else cell_text(value)
    if isinstance(value, Number):
        return _number_cell(value)
    return _text(cell_text(value, _LONGEST_CELL))


def _in_calendar(value: date | time | timedelta) -> bool:
    """Whether Excel can show it: it knows no time zones, nothing before 1900, and no negative durations."""
    if isinstance(value, timedelta):
        return timedelta(0) <= value < _LAST_DAY - _FIRST_DAY
    if getattr(value, "tzinfo", None) is not None:
        return False
    day = value.date() if isinstance(value, datetime) else value
    return isinstance(day, time) or _FIRST_DAY <= day <= _LAST_DAY


def _number_cell(value: Any) -> Any:
    x = number(value)
    if x is None or not isinstance(value, (int, float)):  # complex; beyond all floats; a fraction
        return cell_text(value, _LONGEST_CELL) if x is None else _number_cell(x)
    if math.isnan(x):
        return None
    return value if math.isfinite(x) else str(value)


def _text(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", text)
