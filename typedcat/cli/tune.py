"""`typedcat tune`: runs a script for each child of a tune config, or of any config with values for some of its keys."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import Any

from ..errors import OverrideError, TuneError
from ..load.override import parse_override
from ..load.project import project_of
from ..static.findings import Checked, ordered, text_lines, united
from ..static.near_miss import near_misses
from ..tree.keys import format_path
from ..tree.node import extra_of
from ..tune.engines.script import JsonMetrics, Script
from ..tune.grid.adhoc import grid_of
from ..tune.grid.grid import load_tune
from ..tune.grid.settings import TuneSettings
from ..tune.ledger.lock import is_held
from ..tune.ledger.plan import Run
from ..tune.runner import Cfg2TuneRunner
from .common import AFTER_DASHES, Commands, add_config, add_overrides, add_plain_command, counted
from .page import GONE, HEAD, NEW, PLACE, Page

_TEXT = """\
Run a script for each child of a tune config. The script gets the path of the child's config, and writes its metrics as
JSON into the result folder of the child. What an earlier call has done is not repeated. Ctrl-C asks the runs to end, a
second one kills them; the same command goes on.

examples:
  typedcat tune configs/tune/lr/cfg.py --script train.py --metrics eval.json
  typedcat tune configs/tune/lr/cfg.py --script train.py --metrics eval.json --gpus 1 --timeout 2h --better acc:max
  typedcat tune configs/base/cfg.py -p opt.ini.lr=0.1,0.01 -p epochs=5,10 --script train.py --metrics eval.json
  typedcat tune configs/tune/lr/cfg.py --dry-run        the grid, and what of it is to be run
  typedcat tune configs/tune/lr/cfg.py --script train.py --rerun failed
  typedcat tune configs/tune/lr/cfg.py --script train.py -- --amp --workers 4       more arguments for the script

exit code: 0 all runs are done, 1 some have failed, 2 nothing could be started, 130 interrupted.
"""
_NO_METRICS = "without --metrics FILE no metrics are read: the runs will be done without any"
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_plain_command(commands, "tune", "run a script for each config of a grid", _TEXT)
    add_config(parser)
    parser.add_argument("--script", metavar="FILE", help="what to run: a Python script, or a program")
    parser.add_argument(
        "--flag", metavar="OPTION", default="-c", help="the script's option for the config (default: -c)"
    )
    parser.add_argument(
        "--metrics", metavar="FILE", action="append", default=[], help="JSON in the result folder; may be repeated"
    )
    parser.add_argument("--better", metavar="METRIC:max|min", action="append", default=[], help="may be repeated")
    grid = parser.add_argument_group("the grid")
    grid.add_argument(
        "-p", "--param", metavar="KEY=V,V", action="append", default=[], help="tune a key; may be repeated"
    )
    add_overrides(parser)
    grid.add_argument("--repeats", metavar="N", type=int, help="run each with N seeds")
    grid.add_argument("--seed-key", metavar="KEY", help="of the first seed (default: the config's, rand_seed)")
    grid.add_argument("--dry-run", action="store_true", help="show the grid; nothing is run")
    grid.add_argument(
        "--rerun",
        metavar="failed|stale|all|gather|RUN",
        default="",
        help="run again what failed, what other code did, ...; gather: only read the metrics again",
    )
    runs = parser.add_argument_group("runs")
    runs.add_argument(
        "--workers", metavar="N", type=int, default=0, help="runs at a time (default: one after the other)"
    )
    runs.add_argument("--gpus", metavar="K", type=int, help="GPUs per run; then as many run as there are GPUs for")
    runs.add_argument("--memory-need", metavar="MIB", type=float, default=-1.0, help="free memory a GPU must have")
    runs.add_argument("--runs-per-gpu", metavar="N", type=int, default=1, help="(default: 1)")
    runs.add_argument("--timeout", metavar="TIME", type=duration, help="of a run: 90s, 30m, 2h, 1d")
    runs.add_argument(
        "--grace", metavar="TIME", type=duration, default=10.0, help="to save a checkpoint (default: 10s)"
    )
    runs.add_argument("--retries", metavar="N", type=int, default=0, help="for runs that fail")
    folders = parser.add_argument_group("folders")
    folders.add_argument(
        "--experiments-root", metavar="DIR", help="of all results (default: the project's, experiment)"
    )
    folders.add_argument("--config-root", metavar="DIR", help="the folder that results mirror (default: the project's)")
    parser.add_argument(
        AFTER_DASHES, nargs="*", default=[], metavar="-- ARGUMENT", help="more arguments for the script"
    )
    parser.set_defaults(run=run)


def duration(text: str) -> float:
    """Seconds of `90`, `90s`, `30m`, `2h`, `1d`.

    Raises:
        ArgumentTypeError: it is none of these.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: write 90s, 30m, 2h or 1d")
    return float(found[1]) * _UNITS[found[2]]


def run(args: argparse.Namespace) -> Page:
    """Answer the command."""
    runner = _runner(args)
    if args.dry_run:
        _warn(runner)
        return grid_page(runner.preview(rerun=args.rerun), is_going_on=is_held(runner.rslt_dir))
    if args.script is None:
        raise TuneError("no script to run: --script train.py, or --dry-run to see the grid")
    script = Script(args.script, args.flag, tuple(args.after_dashes))
    script.check()
    _warn(runner, "" if args.metrics else _NO_METRICS)
    runner.register_work_fn(script)
    if args.metrics:
        runner.register_gather_metric_fn(JsonMetrics(tuple(args.metrics)))
    runner.tuning(rerun=args.rerun)
    return Page(code=1 if runner.failures else 0)


def _runner(args: argparse.Namespace) -> Cfg2TuneRunner:
    root = args.experiments_root
    if root is None and not project_of(args.config).experiments_root:
        root = "experiment"
    tune = args.config
    if args.param:
        _check_overrides(args.overrides, args.param)
        tune = grid_of(args.config, args.param, root, args.config_root)
    elif args.seed_key is not None:
        tune = load_tune(args.config, root, args.config_root)
    if args.seed_key is not None:
        extra = extra_of(tune)
        extra.tune = TuneSettings(seed_key=args.seed_key).over(extra.tune or TuneSettings())
    return Cfg2TuneRunner(
        tune, args.config_root, root,
        pool_size=args.workers, work_gpu_num=args.gpus, memory_need=args.memory_need, runs_per_gpu=args.runs_per_gpu,
        children="result" if args.param else "config", overrides=args.overrides, repeats=args.repeats,
        better=_better(args.better), timeout_s=args.timeout, grace_s=args.grace, max_retries=args.retries,
    )  # fmt: skip


def _warn(runner: Cfg2TuneRunner, more: str = "") -> None:
    """Name what is most likely not meant so, before hours are spent on it."""
    page = Page()
    config = os.path.abspath(runner.cfg2tune_py)
    slips = Checked(config, tuple(near_misses(runner.cfg2tune, Path(config))))
    for slip in ordered(united([slips])):
        for place, _, text in text_lines(slip):
            page.line(f"{place}: warning: {text}")
    (page.line(more) if more else page).write(error=True)


def _check_overrides(overrides: list[str], parameters: list[str]) -> None:
    """An override of a key that is tuned would tune it no more.

    Raises:
        OverrideError: there is one.
    """
    for text in overrides:
        keys = parse_override(text).keys
        for parameter in parameters:
            tuned = parse_override(parameter).keys
            if keys == tuned[: len(keys)]:
                raise OverrideError(text, f"replaces {format_path(tuned)}, which -p {parameter} tunes")


def _better(texts: list[str]) -> dict[str, Any]:
    """`acc:max` as a mapping.

    Raises:
        TuneError: it does not say which.
    """
    better = {}
    for text in texts:
        metric, colon, which = text.rpartition(":")
        if not colon or not metric:
            raise TuneError(f"--better {text}: write METRIC:max or METRIC:min")
        better[metric] = which
    return better


def grid_page(runs: list[Run], *, is_going_on: bool = False) -> Page:
    """The grid, a line per run: its folder, and what of it is known.

    Args:
        runs: all runs, planned.
        is_going_on: whether a runner is at work on them.
    """
    page = Page()
    for one in runs:
        state = _known(one, is_going_on)
        page.line((one.point.folder, HEAD), "  ", (state, GONE if "failed" in state else NEW if one.due else PLACE))
    due = sum(one.due for one in runs)
    return page.line(f"{counted(len(runs), 'run')}, {due:,} to be run")


def _known(run: Run, is_going_on: bool) -> str:
    """What of a run is known: why it is to be run, if it is."""
    last = run.last
    if not run.due:
        return run.state + (", by other code" if run.other_code else "")
    if last is None:
        return "to be run"
    if last.state == "running" and is_going_on:
        return "running"
    if last.digest != run.digest or not run.digest:
        return "to be run, as its config has changed" if run.digest else "to be run, as its config has no digest"
    if last.state == "done":
        return "to be run again"
    return "failed before" if last.state == "failed" else "stopped before"
