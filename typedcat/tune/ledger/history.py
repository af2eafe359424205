"""What is known of sweeps afterwards, or from another terminal: read from their ledgers."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import ProjectError, TuneError, short_path, short_repr
from ..grid.grid import Grid, Point, load_tune
from ..tables.frames import runs_frame
from .ledger import LEDGER, Ledger
from .lock import is_held
from .plan import Run, plan
from .results import Result, number_of

if TYPE_CHECKING:
    import pandas as pd

_MOST_SWEEPS = 8  # that an error names
_MOST_FOLDERS = 2_000  # that are searched for them
_PATH = (str, os.PathLike)


@dataclass(frozen=True)
class Sweep:
    """What a ledger says.

    Attributes:
        folder: the result folder.
        about: what is known of the last call of `tuning`: its `parameters`, what is `better`, `code`, `git`.
        results: one per run.
    """

    folder: str
    about: dict[str, Any]
    results: list[Result]

    @property
    def parameters(self) -> list[str]:
        """The names of the parameters."""
        return list(self.about.get("parameters", ()))


def read_sweep(tune: str | os.PathLike[str], experiments_root: str | None = None) -> Sweep:
    """What has become of a sweep so far.

    Args:
        tune: its result folder, or the tune config.
        experiments_root: as the runner was told, to find the result folder of a tune config.

    Raises:
        ProjectError: it has not been run.
        LedgerError: its ledger cannot be read.
    """
    folder = _folder(tune, experiments_root)
    with Ledger(folder) as ledger:
        sweeps, attempts, points = ledger.sweeps(), ledger.attempts(), ledger.points()
    about = sweeps[-1][2] if sweeps else {}
    code = about.get("code", "")
    runs = [
        Run(i, Point(one.point, {}, one.labels, one.seed), one.digest, one.rslt_dir) for i, one in enumerate(points)
    ]
    plan(runs, attempts, code)
    held = is_held(folder)
    for run in runs:
        if run.due and run.last is not None and (run.last.state == "failed" or (run.last.state == "running" and held)):
            state, before = run.last.state, run.before
            run.keep(run.last, code)
            run.state, run.before = "running" if state == "running" else "failed", before
    return Sweep(folder, about, [run.result(about.get("git", {})) for run in runs])


def _folder(tune: str | os.PathLike[str], experiments_root: str | None) -> str:
    name = os.fspath(tune)
    if os.path.isdir(name) and os.path.exists(os.path.join(name, LEDGER)):
        return name
    if os.path.isdir(name) or not os.path.exists(name):
        below = [short_path(folder) for folder in itertools.islice(_sweeps_below(name), _MOST_SWEEPS)]
        is_none = f"is no result folder of a sweep: it has no {LEDGER}" if os.path.isdir(name) else "does not exist"
        raise ProjectError(
            f"{short_path(name)} {is_none}",
            f"sweeps below it: {', '.join(below)}"
            if below
            else "name the tune config, or the folder that its runner has named",
        )
    roots = [experiments_root] if experiments_root is not None else [None, "experiment"]
    folders = list(dict.fromkeys(os.path.normpath(Grid(load_tune(name, root, None)).rslt_dir) for root in roots))
    for folder in folders:
        if os.path.exists(os.path.join(folder, LEDGER)):
            return folder
    raise ProjectError(
        f"{short_path(name)} has not been run: there is no {LEDGER} in {' or '.join(map(short_path, folders))}",
        "name its result folder",
    )


def _sweeps_below(folder: str) -> Iterator[str]:
    """The result folders of sweeps in a folder, in order; not those among the results of a sweep."""
    for path, folders, files in itertools.islice(os.walk(folder), _MOST_FOLDERS):
        folders.sort()
        if LEDGER in files:
            folders.clear()
            yield path


def load_runs(
    *tunes: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], experiments_root: str | None = None
) -> pd.DataFrame:
    """The runs of one or more sweeps as one tidy table.

    Args:
        tunes: result folders of sweeps, or tune configs; lists of them as well.
        experiments_root: as the runner was told, to find the result folders of tune configs.

    Returns:
        A row per run: `sweep` (where there are several), its parameters, `seed`, `state`, its metrics, and what else is
        known. What a sweep does not have is NaN.

    Raises:
        ProjectError: a sweep has not been run.
        LedgerError: a ledger cannot be read.
        TuneError: there is no path, or something else than a path.
    """
    import pandas as pd

    names = [name for tune in tunes for name in ((tune,) if isinstance(tune, _PATH) else _several(tune))]
    if not names:
        raise TuneError("load_runs takes the result folder of a sweep, or several")
    frames = []
    for tune in names:
        sweep = read_sweep(tune, experiments_root)
        frame = runs_frame(sweep.results, sweep.parameters)
        if len(names) > 1:
            frame.insert(0, "sweep", sweep.folder)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _several(tunes: object) -> list[str | os.PathLike[str]]:
    """The paths in a list of them."""
    found: list[Any] = list(tunes) if isinstance(tunes, Iterable) else [tunes]
    for one in found:
        if not isinstance(one, _PATH):
            raise TuneError(f"load_runs takes result folders of sweeps, or tune configs, got {short_repr(one)}")
    return found


def best_run(sweep: Sweep, metric: str, which: str) -> Result:
    """The run with the best value of a metric.

    Args:
        sweep: the sweep.
        metric: a metric.
        which: 'max' or 'min'.

    Raises:
        TuneError: no run has a number for it.
    """
    found = [(value, one) for one in sweep.results if (value := number_of(one.metrics.get(metric))) is not None]
    if not found:
        names = dict.fromkeys(name for one in sweep.results for name in one.metrics)
        raise TuneError(
            f"no run in {short_path(sweep.folder)} has a number for the metric {metric!r}\n"
            f"  it has {', '.join(map(str, names)) or 'no metrics'}"
        )
    return (max if which == "max" else min)(found, key=lambda pair: pair[0])[1]
