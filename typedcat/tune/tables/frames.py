"""The numbers of a sweep as tables: one row per point, with means over repeats, and one row per run."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ...errors import TuneError, did_you_mean, short_repr
from ...tree.keys import suggest
from ..grid.naming import is_scalar, unique
from ..ledger.results import Result

if TYPE_CHECKING:
    import pandas as pd

Better: TypeAlias = Mapping[str, Literal["max", "min"]]
"""Which end of a metric is the good one, by the name of the metric."""

COUNT = "n"
CODE = "code"
OTHER_CODE = "other"
_EXACT_IN_FLOAT = 2**53
_LONGEST_CELL = 32_000  # characters; Excel allows 32,767


# -- the table of the points


def metric_frame(
    results: Sequence[Result], parameters: Sequence[str], metric_names: Sequence[str] | None = None
) -> pd.DataFrame:
    """The table of a sweep, its rows in the order of the results.

    Where runs are repeated (one has a seed) a row is a point: each metric is the mean over the runs that are done, its
    sample standard deviation follows as `<metric> std`, and `n` says how many runs those are. A run whose value is NaN
    makes the mean NaN, as a run that diverged should; one that lacks the metric, or gives None, is left out of the
    mean. Truth values count as 0 and 1. Of texts and other values the distinct ones are shown, and they have no
    deviation. Without repeats values stay what they are. There is a column `code` if the code of some result has
    changed since.

    Args:
        results: one per run.
        parameters: the names of the parameters, which become those of the levels of the index.
        metric_names: the metrics to show, in order; by default all, in the order in which they are first seen.

    Returns:
        The table. A point without a run that is done is a row of NaN.
    """
    import pandas as pd

    names = metric_names_of(results, metric_names)
    groups = _groups(results)
    columns: dict[Any, list[Any]] = {}
    repeated = is_repeated(results)
    for name in names:
        values = [[plain(r.metrics[name]) for r in group if is_done(r) and name in r.metrics] for group in groups]
        columns[name] = [_summary(found) for found in values] if repeated else [_only(found) for found in values]
        if repeated and _has_deviation(values):
            columns[_free(f"{name} std", [*names, *columns])] = [deviation(_numbers(found)) for found in values]
    if repeated:
        columns[_free(COUNT, columns)] = [sum(map(is_done, group)) for group in groups]
    if any(r.other_code for r in results):
        columns[_free(CODE, columns)] = [_code(group) for group in groups]
    frame = pd.DataFrame(index=_index([group[0].labels for group in groups], parameters))
    return _with_columns(frame, columns)


def is_repeated(results: Iterable[Result]) -> bool:
    """Whether the points of the sweep are run with several seeds."""
    return any(r.seed is not None for r in results)


def is_done(result: Result) -> bool:
    """Whether the run has metrics to show."""
    return result.state == "done"


def metric_names_of(results: Iterable[Result], given: Sequence[str] | None = None) -> list[Any]:
    """The metrics that are shown: those that were asked for, else those of the runs that are done, as first seen."""
    if given is not None:
        return list(dict.fromkeys(given))
    return list(dict.fromkeys(name for r in results if is_done(r) for name in r.metrics))


def _groups(results: Sequence[Result]) -> list[list[Result]]:
    """The runs of each row."""
    if not is_repeated(results):
        return [[r] for r in results]
    groups: dict[tuple[Any, ...], list[Result]] = {}
    for r in results:
        groups.setdefault(r.labels, []).append(r)
    return list(groups.values())


def _index(labels: Sequence[tuple[Any, ...]], parameters: Sequence[str]) -> pd.MultiIndex:
    import pandas as pd

    if not labels:  # from which pandas cannot tell how many levels there are
        return pd.MultiIndex.from_arrays([[] for _ in parameters], names=list(parameters))
    return pd.MultiIndex.from_tuples(list(labels), names=list(parameters))


def _with_columns(frame: pd.DataFrame, columns: Mapping[Any, list[Any]]) -> pd.DataFrame:
    import pandas as pd

    series = [_series(values, frame.index) for values in columns.values()]
    if not series:
        return frame
    return pd.concat(series, axis=1, keys=pd.Index(list(columns), dtype=object if _mixed(columns) else None))


def _mixed(names: Iterable[object]) -> bool:
    """Whether there is a name that is no text, which pandas must not try to unify with the others."""
    return not all(isinstance(name, str) for name in names)


def _series(values: Sequence[Any], index: pd.Index[Any]) -> pd.Series[Any]:
    """A column of the narrowest type that holds every value as it is."""
    import numpy as np
    import pandas as pd

    cells = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):  # one by one: numpy would take equally long lists for a matrix
        cells[i] = value
    series = pd.Series(cells, index=index, dtype=object)
    inferred = series.infer_objects()
    loses_digits = inferred.dtype.kind == "f" and any(
        isinstance(value, int) and abs(value) > _EXACT_IN_FLOAT for value in values
    )
    return series if loses_digits else inferred


def _free(name: str, taken: Iterable[Any]) -> str:
    """The name, or one like it that no metric has."""
    return unique([*(str(other) for other in taken), name])[-1]


def _code(group: Sequence[Result]) -> str:
    count = sum(r.other_code for r in group)
    if not count:
        return ""
    return OTHER_CODE if count == len(group) else f"{count} of {len(group)} {OTHER_CODE}"


# -- values


def plain(value: Any) -> Any:
    """The value itself; of numpy's and torch's scalars and of their arrays without dimensions, the Python value."""
    if not is_scalar(value):
        return value
    if getattr(getattr(value, "dtype", None), "kind", "") in ("m", "M"):  # numpy's times become bare integers
        return value
    return value.item()


def number(value: Any) -> float | None:
    """The value as a number to compare and average, NaN and infinity included; None if it is none."""
    if isinstance(value, float):
        return value
    if not isinstance(value, (numbers.Real, Decimal)):
        return None
    try:
        return float(value)
    except (OverflowError, ValueError, TypeError):  # beyond all floats; a signalling NaN; a time of numpy's
        return None


def _numbers(values: Iterable[Any]) -> list[float]:
    return [x for value in values if (x := number(value)) is not None]


def mean(values: Sequence[float]) -> float:
    """The mean; NaN of nothing."""
    if not values:
        return math.nan
    try:
        return math.fsum(values) / len(values)
    except (OverflowError, ValueError):  # the sum is no float, or is inf - inf
        return sum(x / len(values) for x in values)


def deviation(values: Sequence[float]) -> float:
    """The sample standard deviation (that of pandas, `ddof=1`); NaN of fewer than two values."""
    if len(values) < 2 or not all(map(math.isfinite, values)):
        return math.nan
    middle = mean(values)
    return math.sqrt(sum((x - middle) * (x - middle) for x in values) / (len(values) - 1))


def _only(values: Sequence[Any]) -> Any:
    return values[0] if values else math.nan


def _summary(values: Sequence[Any]) -> Any:
    """What stands for the values of several runs: the mean, or the distinct ones if there is no number."""
    given = [value for value in values if value is not None]
    if found := _numbers(given):
        return mean(found)
    texts = list(dict.fromkeys(cell_text(value) for value in given))
    return " | ".join(texts) if len(texts) > 1 else _only(given)


def _has_deviation(values: Iterable[Sequence[Any]]) -> bool:
    """Whether there is a number, or nothing yet that speaks against there being one."""
    given = [value for found in values for value in found if value is not None]
    return not given or bool(_numbers(given))


def cell_text(value: Any, limit: int = _LONGEST_CELL) -> str:
    """The value as a text for a cell of a table."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, (numbers.Number, date, time, timedelta)):
        text = _plain_text(value)
    else:
        text = short_repr(value, limit)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def _plain_text(value: object) -> str:
    try:
        return str(value)
    except ValueError:  # Python writes no integer of more than 4300 digits
        return short_repr(value)


# -- what is best


def check_better(better: Better, results: Sequence[Result], metric_names: Sequence[str] | None = None) -> None:
    """See that what is said to be better are metrics.

    Names are not judged before a run is done: until then nobody knows what the metrics are.

    Raises:
        TuneError: there is no such metric, it has no numbers, or a direction is neither 'max' nor 'min'.
    """
    for name, direction in better.items():
        if direction not in ("max", "min"):
            raise TuneError(f"better[{name!r}] is 'max' or 'min', got {direction!r}")
    if not any(map(is_done, results)):
        return
    known = list(dict.fromkeys([*(metric_names or ()), *metric_names_of(results)]))
    for name in better:
        if name not in known:
            have = f"the metrics are {', '.join(map(str, known))}" if known else "the runs gave no metrics"
            hint = f"\n  {did_you_mean(close)}" if (close := suggest(name, known)) else ""
            raise TuneError(f"better names {name!r}, which is no metric: {have}{hint}")
        values = [plain(r.metrics[name]) for r in results if is_done(r) and r.metrics.get(name) is not None]
        if values and not _numbers(values):
            raise TuneError(
                f"better names {name!r}, whose values are no numbers: {short_repr(values[0])}\n"
                "  let the gather function return numbers, or name another metric"
            )


def best_rows(frame: pd.DataFrame, better: Better) -> dict[str, list[int]]:
    """The positions of the best rows by the name of the metric; all of them where several are equally good.

    Args:
        frame: the table of the points.
        better: metrics that are not in the table, or have no number in it, are left out.
    """
    best: dict[str, list[int]] = {}
    for name, direction in better.items():
        if name not in frame.columns:
            continue
        values = [math.nan if (x := number(value)) is None else x for value in frame[name]]
        known = [x for x in values if not math.isnan(x)]
        if known:
            goal = max(known) if direction == "max" else min(known)
            best[name] = [i for i, x in enumerate(values) if x == goal]
    return best


# -- the table of the runs


def point_text(parameters: Sequence[str], labels: Sequence[Any]) -> str:
    """`lr=0.1, batch_size=128`."""
    return ", ".join(f"{name}={label}" for name, label in zip(parameters, labels, strict=True))


def moment(seconds: float | None) -> datetime | None:
    """Seconds since 1970 as a time of this machine, to the second, with its time zone."""
    return None if seconds is None else datetime.fromtimestamp(int(seconds)).astimezone()


_ABOUT_RUN: dict[str, Callable[[Result], Any]] = {
    "started": lambda r: None if (start := moment(r.started)) is None else start.isoformat(),
    "seconds": lambda r: r.seconds,
    "attempts": lambda r: r.attempts,
    "host": lambda r: r.host,
    "gpus": lambda r: ", ".join(r.gpus),
    "git_commit": lambda r: r.git_commit,
    "git_dirty": lambda r: r.git_dirty,
    "other_code": lambda r: r.other_code,
    "error": lambda r: r.error,
    "folder": lambda r: r.folder,
    "rslt_dir": lambda r: r.rslt_dir,
}


def runs_frame(
    results: Sequence[Result], parameters: Sequence[str], metric_names: Sequence[str] | None = None
) -> pd.DataFrame:
    """A tidy table: a row per run, a column per parameter, metric and fact about the run.

    Of columns that would have one name, the later ones get `#2`.

    Args: see `metric_frame`.
    """
    import pandas as pd

    columns: list[tuple[Any, list[Any]]] = [(name, [r.labels[i] for r in results]) for i, name in enumerate(parameters)]
    columns += [("seed", [r.seed for r in results]), ("state", [r.state for r in results])]
    for name in metric_names_of(results, metric_names):
        columns.append((name, [plain(r.metrics.get(name, math.nan)) if is_done(r) else math.nan for r in results]))
    columns += [(name, [of(r) for r in results]) for name, of in _ABOUT_RUN.items()]
    names = unique([str(name) for name, _ in columns])
    index = pd.RangeIndex(len(results))
    return _with_columns(
        pd.DataFrame(index=index), {name: values for name, (_, values) in zip(names, columns, strict=True)}
    )


def csv_text(frame: pd.DataFrame, *, index: bool = True) -> str:
    """The table as CSV: one line of names, every digit, nothing where there is no value.

    `pd.read_csv` gives the same numbers back.

    Args:
        frame: the table.
        index: whether the levels of the index are columns too, the first ones.
    """
    levels = list(frame.index.names) if index else []
    names = unique([" ".join(str(name).split()) for name in [*levels, *frame.columns]])
    cells = frame.copy(deep=False)
    cells.columns = names[len(levels) :]
    for name in cells.columns:
        if cells[name].dtype == object:
            cells[name] = [_csv_cell(value) for value in cells[name]]
    text: str = cells.to_csv(index=index, index_label=names[: len(levels)] if index else None, lineterminator="\n")
    return text


def _csv_cell(value: Any) -> Any:
    return value if value is None or isinstance(value, (str, float)) else cell_text(value)
