"""The table of a sweep: one row per point, its parameters as index, its metrics as columns."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

TABLE = "metric_frame.xlsx"


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
    rows = [[(row or {}).get(name) for name in columns] for row in metrics]
    index = pd.MultiIndex.from_tuples(list(labels), names=list(parameters))
    frame = pd.DataFrame(rows, index=index, columns=pd.Index(columns, dtype=object), dtype=object)
    return frame.infer_objects()


def save_xlsx(frame: pd.DataFrame, folder: str) -> str:
    """Write the table to the folder, whole or not at all; returns the path."""
    path = os.path.join(folder, TABLE)
    os.makedirs(folder, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=folder, suffix=".xlsx", prefix=".")
    os.close(descriptor)
    try:
        frame.to_excel(name, sheet_name="MetricFrame", merge_cells=True)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    return path
