"""`typedcat runs` and `typedcat best`: what has become of the runs of a sweep, from any terminal."""

from __future__ import annotations

import argparse
import math
import os
import shlex
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..console import console
from ..errors import TuneError, short_path
from ..load.pipeline import load_config
from ..load.project import READABLE_ENDINGS, find_project, locate
from ..tune.ledger.history import Sweep, best_run, read_sweep
from ..tune.ledger.lock import is_held
from ..tune.ledger.results import Result, number_of
from ..tune.tables.frames import cell_text, is_done, is_repeated, mean, number, plain
from ..tune.tables.text import visible
from .common import Commands, add_plain_command, counted
from .page import ANSI, ERROR, HEAD, NEW, PLACE, Page, on_terminal

_RUNS = """\
Show the runs of a sweep: their state, time, machine and metrics, and why some have failed. It reads the ledger in the
result folder, so it works while the sweep runs, from any terminal and any machine that sees the folder.

examples:
  typedcat runs configs/tune/lr/cfg.py
  typedcat runs experiment/tune/lr --watch         again and again, until the sweep has ended
"""
_BEST = """\
Show the config of the best run of a sweep. Where runs are repeated, the combination with the best mean wins, as in the
table, and its best run is shown.

examples:
  typedcat best configs/tune/lr/cfg.py                  by the metric of which the sweep says what is better
  typedcat best configs/tune/lr/cfg.py acc              what the sweep says is better, else the largest
  typedcat best experiment/tune/lr test_loss:min
  typedcat best experiment/tune/lr acc --folder         its result folder only
"""
_TUNE_HELP = "the tune config, or the result folder of the sweep"
_MOST_METRICS = 6  # that an error names
_WATCH_S = 2.0
_WIDEST = 40  # characters of a metric
_AROUND = 3  # lines that are not runs: the head, the counts, and the cursor's
_RANKS = ("running", "failed", "done", "left")
_STYLES = {"done": NEW, "failed": ERROR, "running": HEAD, "left": PLACE}


def add(commands: Commands) -> None:
    """Add the commands."""
    runs = add_plain_command(commands, "runs", "show what has become of the runs of a sweep", _RUNS)
    runs.add_argument("tune", metavar="TUNE", help=_TUNE_HELP)
    runs.add_argument("--watch", action="store_true", help="until the sweep has ended")
    runs.set_defaults(run=run_runs)
    best = add_plain_command(commands, "best", "show the config of the best run of a sweep", _BEST)
    best.add_argument("tune", metavar="TUNE", help=_TUNE_HELP)
    best.add_argument(
        "metric",
        metavar="METRIC[:max|min]",
        nargs="?",
        help="(default: the one of which the sweep says what is better)",
    )
    best.add_argument("--folder", action="store_true", help="the result folder of the run, nothing else")
    best.set_defaults(run=run_best)
    for parser in (runs, best):
        parser.add_argument("--experiments-root", metavar="DIR", help="as the runner was told")


def run_runs(args: argparse.Namespace) -> Page:
    """Answer `typedcat runs`."""
    sweep = _sweep(args)
    screen = console()
    lines = screen.height if args.watch and screen.is_terminal else None
    while args.watch and is_held(sweep.folder):
        if screen.is_terminal:
            screen.clear()
        sweep_page(sweep, lines).write()
        time.sleep(_WATCH_S)
        sweep = read_sweep(sweep.folder)
    if args.watch and screen.is_terminal:
        screen.clear()
    return sweep_page(sweep, lines)


def run_best(args: argparse.Namespace) -> Page:
    """Answer `typedcat best`."""
    sweep = _sweep(args)
    better: dict[str, str] = sweep.about.get("better", {})
    metric, _, which = (args.metric or _only_one(better, args.tune, sweep)).partition(":")
    which = which or better.get(metric, "max")
    if which not in ("max", "min"):
        raise TuneError(f"{args.metric}: write {metric}:max or {metric}:min")
    best, mean_of_it = best_run(sweep, metric, which), None
    if is_repeated(sweep.results):
        best, mean_of_it = _best_on_average(sweep, metric, which, best)
    page = Page()
    if args.folder:
        return page.line(best.rslt_dir)
    value = plain(best.metrics[metric])
    if mean_of_it is None:
        page.line((f"# {best.folder}: {metric} = {value}, the {which}imum of {sweep.folder}", PLACE))
    else:
        point = os.path.dirname(best.folder)
        page.line((f"# {point}: mean {metric} = {mean_of_it:g}, the {which}imum of {sweep.folder}", PLACE))
        page.line((f"# of its runs the best, {os.path.basename(best.folder)}: {metric} = {value}", PLACE))
    if not os.path.isdir(best.rslt_dir):
        gone = f"{best.folder} is the best, but its result folder {short_path(best.rslt_dir)} is gone"
        raise TuneError(f"{gone}\n  rerun={best.folder!r} (--rerun {shlex.quote(best.folder)}) runs it again")
    color = on_terminal()
    text = load_config(best.rslt_dir, create_rslt_dir=False).to_txt(color=color)
    return page.add(text, ANSI if color else "").add("\n")


def _sweep(args: argparse.Namespace) -> Sweep:
    """The sweep that the user named; paths count from the root of the project too."""
    name, project = args.tune, find_project()
    if not os.path.exists(name):
        if os.path.exists(project.root / name):
            name = str(project.root / name)
        elif name.endswith(READABLE_ENDINGS):
            name = str(locate(name, project=project))
    return read_sweep(name, args.experiments_root)


def _only_one(better: dict[str, str], name: str, sweep: Sweep) -> str:
    """The metric of which the sweep says what is better.

    Raises:
        TuneError: it says so of none, or of several, or no run has metrics.
    """
    if len(better) == 1:
        return next(iter(better))
    numbers = (metric for one in sweep.results for metric, value in one.metrics.items() if number_of(value) is not None)
    metrics = list(better or dict.fromkeys(map(str, numbers)))
    if not metrics:
        raise TuneError(f"which run is the best? {sweep.folder} has no metrics")
    says = f"says it of {', '.join(metrics)}" if better else "does not say what is better"
    command = " ".join(["typedcat best", shlex.quote(name), *metrics[:1]])
    others = f", or {' or '.join(metrics[1:_MOST_METRICS])}" if metrics[1:] else ""
    raise TuneError(f"which metric? {sweep.folder} {says}\n  name one: {command}{others}")


def _best_on_average(sweep: Sweep, metric: str, which: str, best: Result) -> tuple[Result, float | None]:
    """Of repeated runs: the best run of the combination that is best on average, as in the table, and that average.

    `best` itself and None if no combination has an average.
    """
    groups: dict[tuple[Any, ...], list[Result]] = {}
    for one in sweep.results:
        groups.setdefault(one.labels, []).append(one)
    means = []
    for group in groups.values():
        numbers = [x for one in group if is_done(one) and (x := number(plain(one.metrics.get(metric)))) is not None]
        if numbers and not math.isnan(average := mean(numbers)):
            means.append((average, group))
    if not means:
        return best, None
    average, group = (max if which == "max" else min)(means, key=lambda pair: pair[0])
    return best_run(replace(sweep, results=group), metric, which), average


# -- the table


def sweep_page(sweep: Sweep, lines: int | None = None) -> Page:
    """A line per run, and how many are in which state; where lines are few, those of the runs that matter now."""
    page = Page()
    shown = sweep.results if lines is None else _fitting(sweep.results, lines - _AROUND)
    metrics = list(dict.fromkeys(name for one in shown for name in one.metrics))
    rows = [_row(one, metrics) for one in shown]
    head = ["run", "state", "time", "where", *(_cell(str(name)) for name in metrics)]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)] if rows else []
    if rows:
        page.line((_aligned(head, widths), HEAD))
    for one, row in zip(shown, rows, strict=True):
        page.line((_aligned(row, widths), _STYLES[one.state]))
        if one.error and one.state == "failed":
            error = one.error if lines is None else one.error.partition("\n")[0]
            page.line(("    " + error.replace("\n", "\n    "), ERROR))
    counts: Counter[str] = Counter(one.state for one in sweep.results)
    said = ", ".join(f"{counts[state]:,} {state}" for state in _STYLES if counts[state])
    if hidden := len(sweep.results) - len(shown):
        said += f"; {hidden:,} of them are not shown"
    return page.line(f"{counted(len(sweep.results), 'run')}: {said}" if sweep.results else "nothing has been run")


def _fitting(results: Sequence[Result], lines: int) -> list[Result]:
    """The runs for which there are lines: what runs comes first, then failures, then what was started last."""
    ranked = sorted(results, key=lambda one: (_RANKS.index(one.state), -(one.started or 0.0)))
    chosen: set[int] = set()
    for one in ranked:
        lines -= 2 if one.state == "failed" else 1
        if lines < 0:
            break
        chosen.add(id(one))
    return [one for one in results if id(one) in chosen]


def _row(one: Result, metrics: list[str]) -> list[str]:
    seconds = "" if one.seconds is None else f"{one.seconds:.1f} s"
    if one.state == "running" and one.started is not None:
        seconds = f"{max(0.0, time.time() - one.started):.0f} s"
    where = " ".join([one.host, *one.gpus]) if one.state != "left" else ""
    return [one.folder, one.state, seconds, where, *(_cell(one.metrics.get(name, "")) for name in metrics)]


def _cell(metric: Any) -> str:
    """A metric on one line, whatever it is."""
    value = plain(metric)
    return f"{value:g}" if isinstance(value, float) else visible(" ".join(cell_text(value, _WIDEST).split()))


def _aligned(cells: list[str], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
