"""`report.html`: a sweep on one page that opens anywhere, without a network."""

from __future__ import annotations

import base64
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

from ..ledger.results import Result
from .frames import Better, best_rows, cell_text, is_repeated, moment, number, plain, point_text
from .plot_style import is_log_metric
from .plots import Picture
from .report_page import page
from .text import shown_rows

if TYPE_CHECKING:
    import pandas as pd

_MOST_ROWS = 2000
_MOST_FAILURES = 200
_LONGEST_CELL = 200  # characters
_SHORT_REASON = 160
_LONGEST_REASON = 20_000


def report_html(
    title: str,
    frame: pd.DataFrame,
    results: Sequence[Result],
    parameters: Sequence[str],
    *,
    metrics: Sequence[Any],
    better: Better,
    about: Mapping[str, str],
    pictures: Sequence[Picture] = (),
    note: str = "",
) -> str:
    """The page.

    Args:
        title: what the sweep is called.
        frame: the table of the points.
        results: one per run.
        parameters: the names of the parameters.
        metrics: the columns of the table that get a colour scale.
        better: which end of a metric is the good one.
        about: what else is said about the sweep: names, and texts of one line or several.
        pictures: which become a part of the page.
        note: what is said where the pictures are, such as why there are none.
    """
    best = best_rows(frame, better)
    parts = [
        *_summary(title, results),
        *_best(frame, results, best, better),
        *_table(frame, metrics, best, better),
        *_failures(results, parameters),
        *_pictures(pictures, note),
        *_about(results, about),
    ]
    return page(title, parts)


# -- the summary


def _summary(title: str, results: Sequence[Result]) -> list[str]:
    counts = Counter(r.state for r in results)
    cards = [
        f'<li class="{state}"><b>{counts[state]:,}</b>{state}</li>'
        for state in ("done", "failed", "running", "left")
        if counts[state] or state == "done"
    ]
    return [
        f"<h1>{escape(title)}</h1>",
        f'<p class="pale">{escape(_when(results))}</p>',
        f'<ul class="cards">{"".join(cards)}</ul>',
    ]


def _when(results: Sequence[Result]) -> str:
    """From the first start to the last end, as far as they are known."""
    starts = [r.started for r in results if r.started is not None]
    ends = [r.started + r.seconds for r in results if r.started is not None and r.seconds is not None]
    written = f"written {datetime.now().astimezone():%Y-%m-%d %H:%M %Z}"
    first, last = moment(min(starts, default=None)), moment(max(ends, default=None))
    if first is None or last is None:
        return written
    form = "%H:%M" if first.date() == last.date() else "%Y-%m-%d %H:%M"
    work = sum(r.seconds for r in results if r.seconds is not None)
    return f"{first:%Y-%m-%d %H:%M} to {last:{form}}; the last attempts took {_duration(work)} in all; {written}"


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.1f} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02} min" if hours else f"{minutes} min"


def _best(
    frame: pd.DataFrame, results: Sequence[Result], best: Mapping[str, Sequence[int]], better: Better
) -> list[str]:
    if not best:
        return []
    folders: dict[tuple[Any, ...], str] = {}
    if not is_repeated(results):
        folders = {r.labels: r.rslt_dir or r.folder for r in results}
    cards = []
    for name, rows in best.items():
        labels = frame.index[rows[0]]
        direction = "highest" if better[name] == "max" else "lowest"
        lines = [escape(point_text([str(level) for level in frame.index.names], labels))]
        if len(rows) > 1:
            lines.append(f"and {len(rows) - 1:,} more")
        if folder := folders.get(labels):
            lines.append(f'<span class="pale">{escape(folder)}</span>')
        value = escape(_spoken(frame, name, rows[0]))
        cards.append(f'<li class="best">{direction} {escape(str(name))}<b>{value}</b>{"<br>".join(lines)}</li>')
    return ["<h2>Best</h2>", f'<ul class="cards">{"".join(cards)}</ul>']


def _spoken(frame: pd.DataFrame, name: str, row: int) -> str:
    """`0.9731 ± 0.002`."""
    text = _cell_text(frame[name].iloc[row])
    if f"{name} std" not in frame.columns:
        return text
    spread = number(frame[f"{name} std"].iloc[row])
    return text if spread is None or math.isnan(spread) else f"{text} ± {spread:.2g}"


# -- the table


def _table(frame: pd.DataFrame, metrics: Sequence[Any], best: Mapping[str, Sequence[int]], better: Better) -> list[str]:
    rows = shown_rows(len(frame), best, _MOST_ROWS)
    shown = frame.iloc[rows]
    levels = [[labels[i] for labels in shown.index] for i in range(frame.index.nlevels)]
    columns = [_level(values) for values in levels]
    for i, name in enumerate(frame.columns):
        top = set(best.get(name, ()))
        direction = better.get(name, "") if name in metrics else None
        columns.append(_column(shown.iloc[:, i].tolist(), [row in top for row in rows], direction))
    names = [*frame.index.names, *frame.columns]
    heads = "".join(f'<th scope="col"><button type="button">{escape(str(name))}</button></th>' for name in names)
    lines = [f"<tr>{''.join(cells)}</tr>" for cells in zip(*columns, strict=True)]
    left_out = len(frame) - len(rows)
    note = f'<p class="pale">{left_out:,} of {len(frame):,} rows are not shown.</p>' if left_out else ""
    return [
        "<h2>Metrics</h2>",
        f'<div class="scroll" tabindex="0"><table class="sortable"><thead><tr>{heads}</tr></thead><tbody>',
        *lines,
        f"</tbody></table></div>{note}",
    ]


def _level(values: Sequence[Any]) -> list[str]:
    return [f'<th scope="row"{_kind(value)}{_sort_key(value)}>{escape(_cell_text(value))}</th>' for value in values]


def _column(values: Sequence[Any], top: Sequence[bool], direction: str | None) -> list[str]:
    """The cells of a metric, shaded by how good they are; without a direction by how much, with None not at all."""
    cells = []
    for value, is_top, share in zip(values, top, _shares(values), strict=True):
        classes, style = ["top"] if is_top else [], ""
        if direction is not None and share is not None:
            classes.append("good" if direction else "neutral")
            style = f' style="--v:{1 - share if direction == "min" else share:.3f}"'
        attributes = _kind(value, *classes) + style + _sort_key(value)
        cells.append(f"<td{attributes}>{escape(_cell_text(value))}{' ★' if is_top else ''}</td>")
    return cells


def _shares(values: Sequence[Any]) -> list[float | None]:
    """How far from the least to the largest each value is; None for what is no number, and where all are equal."""
    found = [None if (x := number(value)) is None or not math.isfinite(x) else x for value in values]
    known = [x for x in found if x is not None]
    if is_log_metric(known):
        found = [None if x is None else math.log10(x) for x in found]
        known = [math.log10(x) for x in known]
    low, length = min(known, default=0.0), max(known, default=0.0) - min(known, default=0.0)
    return [(x - low) / length if x is not None and 0 < length < math.inf else None for x in found]


def _kind(value: Any, *classes: str) -> str:
    names = " ".join([*classes, *([] if number(value) is not None else ["text"])])
    return f' class="{names}"' if names else ""


def _sort_key(value: Any) -> str:
    """Every digit, for sorting; and for reading, when the mouse rests on a number that is shown with fewer."""
    x = number(value)
    if x is None:
        return ""
    if math.isnan(x):
        return ' data-v=""'
    full = {math.inf: "Infinity", -math.inf: "-Infinity"}.get(x, repr(float(x)))  # a class of the user's may say more
    exact = escape(str(value), quote=True)
    return f' data-v="{full}"' + (f' title="{exact}"' if exact != _cell_text(value) else "")


def _cell_text(value: Any) -> str:
    """Six digits of a fraction, all of a whole number."""
    value = plain(value)
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return "" if value is None else cell_text(value, _LONGEST_CELL)


# -- failures


def _failures(results: Sequence[Result], parameters: Sequence[str]) -> list[str]:
    failed = [r for r in results if r.state == "failed"]
    if not failed:
        return []
    items = [_failure(r, parameters) for r in failed[:_MOST_FAILURES]]
    if len(failed) > _MOST_FAILURES:
        items.append(f'<li class="pale">and {len(failed) - _MOST_FAILURES:,} more, which are in runs.csv</li>')
    return ["<h2>Failures</h2>", f'<ul class="failures">{"".join(items)}</ul>']


def _failure(result: Result, parameters: Sequence[str]) -> str:
    seed = "" if result.seed is None else f", seed {result.seed}"
    attempts = f"; {result.attempts} attempts" if result.attempts > 1 else ""
    head = f"{escape(point_text(parameters, result.labels))}{seed}{attempts}"
    reason = cell_text(result.error.strip() or "no reason is known", _LONGEST_REASON)
    first = reason.splitlines()[0]
    folder = f'<div class="pale">{escape(result.rslt_dir or result.folder)}</div>'
    if reason == first and len(reason) <= _SHORT_REASON:
        return f'<li>{head}: <span class="reason">{escape(reason)}</span>{folder}</li>'
    start = escape(cell_text(first, _SHORT_REASON))
    return (
        f'<li><details><summary>{head}: <span class="reason">{start}</span></summary>'
        f"<pre>{escape(reason)}</pre></details>{folder}</li>"
    )


# -- pictures


def _pictures(pictures: Sequence[Picture], note: str) -> list[str]:
    if not pictures and not note:
        return []
    parts = ["<h2>Pictures</h2>", *([f'<p class="pale">{escape(note)}</p>'] if note else [])]
    for metric in dict.fromkeys(picture.metric for picture in pictures):
        images = [_image(picture) for picture in pictures if picture.metric == metric]
        parts += [f"<h3>{escape(metric)}</h3>", '<div class="plots">', *images, "</div>"]
    return parts


def _image(picture: Picture) -> str:
    text = escape(f"{picture.metric} by {' and '.join(picture.parameters)}", quote=True)
    data = base64.b64encode(picture.png).decode()
    return f'<img loading="lazy" alt="{text}" title="{text}" src="data:image/png;base64,{data}">'


# -- what was run


def _about(results: Sequence[Result], about: Mapping[str, str]) -> list[str]:
    started = [r for r in results if r.started is not None or r.attempts]
    facts = {
        **about,
        "git commit": _counted([_commit(r) for r in started if r.git_commit]),
        "host": _counted([r.host for r in started if r.host]),
        "GPU": _counted([name for r in started for name in r.gpus]),
    }
    items = [f"<dt>{escape(str(k))}</dt><dd>{escape(str(text))}</dd>" for k, text in facts.items() if text]
    return ["<h2>What was run</h2>", f"<dl>{''.join(items)}</dl>"] if items else []


def _commit(result: Result) -> str:
    dirty = " with changes that were not committed" if result.git_dirty else ""
    other = "; the code has changed since" if result.other_code else ""
    return f"{result.git_commit}{dirty}{other}"


def _counted(texts: Sequence[str]) -> str:
    """The distinct texts, a line each, with how many runs each belongs to if there are several."""
    counts = Counter(texts)
    if len(counts) == 1:
        return texts[0]
    return "\n".join(f"{text} ({count:,} runs)" if count > 1 else f"{text} (1 run)" for text, count in counts.items())
