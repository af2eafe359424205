"""The table of a sweep: one row per point, its parameters as index, its metrics as columns."""

from __future__ import annotations

import io
import math
import os
import re
from collections.abc import Sequence
from datetime import date, time, timedelta
from numbers import Number
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import short_repr
from ..load.save import write_whole

if TYPE_CHECKING:
    import pandas as pd

TABLE = "metric_frame.xlsx"
_MOST_ROWS = 500  # printed
_LONGEST_CELL = 32_000  # characters; Excel allows 32,767
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def metric_frame(
    labels: Sequence[tuple[Any, ...]],
    parameters: Sequence[str],
    metrics: Sequence[dict[str, Any] | None],
    names: Sequence[str] | None = None,
) -> pd.DataFrame:
    """The table.

    Args:
        labels: of each point, the name of each parameter's value.
        parameters: the names of the parameters.
        metrics: of each point its metrics, None where it failed or has not run: a row of NaN.
        names: the metrics to show, in order; by default all that any point has.
    """
    import pandas as pd

    columns = list(names) if names is not None else list(dict.fromkeys(key for row in metrics for key in row or ()))
    rows = [[(row or {}).get(name, math.nan) for name in columns] for row in metrics]
    index = pd.MultiIndex.from_tuples(list(labels), names=list(parameters))
    frame = pd.DataFrame(rows, index=index, columns=columns, dtype=object)
    return frame.infer_objects()


def table_text(frame: pd.DataFrame) -> str:
    """The table as it is printed; of a long one its beginning and its end."""
    if len(frame.columns) == 0:  # no run gave a metric
        return frame.index.to_frame(index=False).to_string(index=False, max_rows=_MOST_ROWS)
    return frame.to_string(max_rows=_MOST_ROWS)


def save_xlsx(frame: pd.DataFrame, folder: str) -> str:
    """Write the table to the folder, whole or not at all; returns the path."""
    path = os.path.join(folder, TABLE)
    buffer = io.BytesIO()
    cells = frame.map(_cell)
    cells.index = cells.index.map(lambda labels: tuple(map(_cell, labels)))
    cells.to_excel(buffer, sheet_name="MetricFrame", merge_cells=True)
    write_whole(Path(path), buffer.getvalue())
    return path


def _cell(value: Any) -> Any:
    """What a cell of Excel can hold; anything else as text."""
    if value is None or (isinstance(value, (Number, date, time, timedelta)) and not isinstance(value, complex)):
        return value if getattr(value, "tzinfo", None) is None else str(value)
    text = value if isinstance(value, str) else short_repr(value, _LONGEST_CELL)
    text = _NOT_IN_XML.sub("\ufffd", text)[:_LONGEST_CELL]
    return f"'{text}" if text.startswith("=") else text  # no formula
