"""What a sweep leaves in its folder: the table, as Excel and CSV, its runs, pictures, and a page with all of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ...load.save import write_whole
from ..ledger.results import Result
from .excel import TABLE, workbook
from .frames import Better, check_better, csv_text, metric_frame, metric_names_of, runs_frame
from .plot_style import SOFTWARE
from .plots import NO_PICTURES, Picture, can_draw, pictures
from .report import report_html

TABLE_CSV = "metric_frame.csv"
RUNS_CSV = "runs.csv"
REPORT = "report.html"
PLOTS = "plots"
_WHERE_PNG_SAYS_ITS_SOFTWARE = 200  # bytes from the beginning


def write_summary(
    folder: Path,
    results: Sequence[Result],
    parameters: Sequence[str],
    *,
    metric_names: Sequence[str] | None = None,
    better: Better,
    about: Mapping[str, str],
    draw: bool = True,
) -> Path:
    """Write what is known of a sweep; can be called again and again as results come in.

    `metric_frame.xlsx`, `metric_frame.csv`, `runs.csv`, `plots/*.png` and `report.html` are each there whole or not at
    all. Pictures of an earlier summary that are no longer drawn are removed.

    Args:
        folder: where to; it is made.
        results: one per run.
        parameters: the names of the parameters.
        metric_names: the metrics to show, in order; by default all.
        better: which end of a metric is the good one.
        about: what the report says about the sweep; 'name' is its title, else that of the folder.
        draw: whether to draw pictures, which takes most of the time. Those of an earlier summary stay as they are, and
            the report has none.

    Returns:
        The path of the report.

    Raises:
        TuneError: see `frames.check_better`; nothing is written.
        OSError: a file cannot be written; no part of it is left.
    """
    check_better(better, results, metric_names)
    metrics = metric_names_of(results, metric_names)
    frame = metric_frame(results, parameters, metrics)
    facts = {name: text for name, text in about.items() if name != "name"}
    write_whole(folder / TABLE, workbook(frame, results, parameters, metrics=metrics, better=better, about=facts))
    write_whole(folder / TABLE_CSV, _encoded(csv_text(frame)))
    write_whole(folder / RUNS_CSV, _encoded(csv_text(runs_frame(results, parameters, metrics), index=False)))
    able = draw and can_draw()
    drawn = pictures(results, parameters, metrics, better) if able else []
    for picture in drawn:
        write_whole(folder / PLOTS / picture.file, picture.png)
    if drawn:
        _remove_old(folder / PLOTS, drawn)
    html = report_html(
        about.get("name") or folder.resolve().name,
        frame,
        results,
        parameters,
        metrics=metrics,
        better=better,
        about=facts,
        pictures=drawn,
        note=NO_PICTURES if draw and not able else "",
    )
    write_whole(folder / REPORT, _encoded(html))
    return folder / REPORT


def _encoded(text: str) -> bytes:
    return text.encode(errors="backslashreplace")  # half a character, which a name or an error message can have


def _remove_old(folder: Path, drawn: Iterable[Picture]) -> None:
    """Remove pictures that an earlier summary drew, of parameters that are gone; never a picture of the user's."""
    files = {picture.file for picture in drawn}
    for path in folder.glob("*.png"):
        if path.name in files:
            continue
        with path.open("rb") as stream:
            head = stream.read(_WHERE_PNG_SAYS_ITS_SOFTWARE)
        if f"Software\0{SOFTWARE}".encode() in head:
            path.unlink()
