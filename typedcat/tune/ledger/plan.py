"""What of a sweep is to be run: what is missing, has failed, or has changed since it was run."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import TuneError, did_you_mean
from ...tree.keys import suggest
from ..grid.grid import Point
from .ledger import Attempt
from .results import Result, State

RERUN = ("failed", "stale", "all")


@dataclass
class Run:
    """A point of the grid in one call of `tuning`.

    Attributes:
        index: its number in the grid.
        point: the point.
        digest: of its config.
        rslt_dir: its result folder.
        last: the last attempt at it, if there was one.
        due: whether it is to be run.
        state, metrics, error, seconds, gpus: what is known of it by now.
        tries: how often it was started in this call.
    """

    index: int
    point: Point
    digest: str
    rslt_dir: str
    last: Attempt | None = None
    due: bool = True
    state: State = "left"
    metrics: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    seconds: float | None = None
    started: float | None = None
    gpus: tuple[str, ...] = ()
    host: str = ""
    tries: int = 0
    before: int = 0
    other_code: bool = False

    def keep(self, attempt: Attempt, code: str) -> None:
        """Take over what an attempt has come to, instead of running it again."""
        self.last, self.due, self.state = attempt, False, "done" if attempt.state == "done" else "failed"
        self.metrics, self.error, self.seconds = attempt.metrics, attempt.error, attempt.seconds
        self.started, self.gpus, self.host = attempt.started, attempt.gpus, attempt.host
        self.rslt_dir = attempt.rslt_dir
        self.other_code = attempt.code != code

    def result(self, git: Mapping[str, Any]) -> Result:
        """What tables are made from."""
        return Result(
            self.point.labels, self.point.folder, self.point.seed, self.state, self.metrics, self.error,
            self.before + self.tries, self.started, self.seconds, self.host, self.gpus,
            str(git.get("commit", "")), bool(git.get("dirty", False)), self.other_code, self.rslt_dir,
        )  # fmt: skip


def plan(runs: Sequence[Run], attempts: Iterable[Attempt], code: str, rerun: str = "") -> None:
    """Decide which runs are due, and take over what is done.

    A run is done if an attempt at it with the same config was. So is one whose config was run under another name that
    the grid no longer has: a parameter has been added to it, say.

    Args:
        runs: all points of the grid.
        attempts: of the ledger, the oldest first.
        code: the hash of the code.
        rerun: 'failed' runs nothing but what has failed; 'stale' also what other code has done; 'all' everything;
            anything else the points that it names (a pattern as for file names).

    Raises:
        TuneError: `rerun` names no point.
    """
    by_point: dict[str, list[Attempt]] = {}
    by_digest: dict[str, list[Attempt]] = {}
    known = {run.point.folder for run in runs}
    for attempt in attempts:
        by_point.setdefault(attempt.point, []).append(attempt)
        if attempt.state == "done" and attempt.point not in known:
            by_digest.setdefault(attempt.digest, []).append(attempt)
    for run in runs:
        own = by_point.get(run.point.folder, [])
        run.last, run.before = (own[-1] if own else None), len(own)
        done = [one for one in own if one.state == "done" and one.digest == run.digest]
        if not done and by_digest.get(run.digest):
            done = [by_digest[run.digest].pop()]
        if done:
            run.keep(done[-1], code)
    if rerun:
        _again(runs, by_point, code, rerun)


def _again(runs: Sequence[Run], by_point: Mapping[str, list[Attempt]], code: str, rerun: str) -> None:
    if rerun == "failed":
        for run in runs:
            failed = run.last is not None and run.last.state == "failed" and run.due
            if run.due and not failed:
                run.due = False
        return
    if rerun in ("all", "stale"):
        chosen = [run for run in runs if rerun == "all" or run.other_code]
    else:
        chosen = [run for run in runs if fnmatch.fnmatchcase(run.point.folder, _pattern(rerun))]
        if not chosen:
            names = suggest(rerun, [run.point.folder for run in runs])
            hint = did_you_mean(names) or f"'{RERUN[0]}', '{RERUN[1]}', '{RERUN[2]}', or the folder of a run"
            raise TuneError(f"rerun={rerun!r} is no run of this sweep\n  {hint}")
        for run in runs:
            run.due = False
    for run in chosen:
        run.due, run.state, run.metrics, run.error, run.other_code = True, "left", {}, "", False


def _pattern(name: str) -> str:
    """A name with a bracket in it, `steps=[1, 2]`, is meant as it is."""
    return name.replace("[", "[[]")
