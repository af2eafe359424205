"""The table of a sweep as it is printed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .frames import Better, best_rows, cell_text, number

if TYPE_CHECKING:
    import pandas as pd

_MOST_ROWS = 100  # printed
_LONGEST_CELL = 80  # characters
_MARK = "*"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")  # what a terminal would obey


def table_text(frame: pd.DataFrame, better: Better | None = None) -> str:
    """The table as it is printed: `*` after the best values; of a long one the beginning, the end and the best rows.

    Args:
        frame: see `frames.metric_frame`.
        better: which end of a metric is the good one; the other metrics are not marked.
    """
    import pandas as pd

    if len(frame) == 0:
        return "no points"
    better = better or {}
    best = best_rows(frame, better)
    rows = shown_rows(len(frame), best, _MOST_ROWS)
    shown = _printable(frame.iloc[rows])
    with pd.option_context("display.unicode.east_asian_width", True):  # 学习率 is six columns wide
        if len(frame.columns) == 0:  # no run gave a metric
            lines = shown.index.to_frame(index=False).to_string(index=False).split("\n")
        else:
            marks = {name: [row in at for row in rows] for name, at in best.items()}
            lines = _marked(shown, marks).to_string(max_colwidth=_LONGEST_CELL).split("\n")
    lines = _with_gaps(lines, rows, len(frame))
    if best:
        goals = ", ".join(f"{name} ({better[name]})" for name in best)
        lines = [*(line.rstrip() for line in lines), f"{_MARK} best {goals}"]
    return visible("\n".join(lines))


def visible(text: str) -> str:
    """The text with its control characters, which a terminal would obey, as escapes."""
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def _printable(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with texts of its own for what pandas would print on several lines, or cannot print."""
    import numpy as np

    printable = frame.copy(deep=False)
    for i, kind in enumerate(frame.dtypes):
        if kind.kind == "O":
            cells = [value if _is_plain(value) else cell_text(value, _LONGEST_CELL) for value in frame.iloc[:, i]]
            printable.isetitem(i, np.array(cells, dtype=object))
    return printable


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str) or number(value) is not None


def shown_rows(count: int, best: Mapping[str, Sequence[int]], most: int) -> list[int]:
    """Which rows of a table are shown: all, or the first, the last and the best.

    Args:
        count: how many there are.
        best: the positions of the best rows by metric; one of each is always shown.
        most: how many are shown, the best not counted.
    """
    if count <= most:
        return list(range(count))
    ends = [*range(most - most // 2), *range(count - most // 2, count)]
    return sorted({*ends, *(at[0] for at in best.values())})


def _marked(frame: pd.DataFrame, marks: Mapping[str, Sequence[bool]]) -> pd.DataFrame:
    """The table with its best values as texts that end in the mark; the other values of those columns in a blank."""
    marked = frame.copy()
    for name, is_best in marks.items():
        texts = frame[name].to_string(index=False, header=False).split("\n")
        marked[name] = [text + (_MARK if best else " ") for text, best in zip(texts, is_best, strict=True)]
    return marked.rename(columns={name: f"{name} " for name in marks})


def _with_gaps(lines: Sequence[str], rows: Sequence[int], count: int) -> list[str]:
    """The lines of a table with `...` where rows were left out, and how many those are."""
    if len(rows) == count:
        return list(lines)
    head = len(lines) - len(rows)
    result = list(lines[:head])
    for line, row, before in zip(lines[head:], rows, [-1, *rows], strict=False):
        result += ["...", line] if row > before + 1 else [line]
    return [*result, f"{count - len(rows)} of {count} rows are not shown"]
