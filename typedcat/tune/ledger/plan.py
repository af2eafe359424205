"""What of a sweep is to be run: what is missing, has failed, or has changed since it was run."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import TuneError, did_you_mean
from ...tree.keys import suggest
from ..grid.grid import Point
from .ledger import Attempt
from .results import Result, State

RERUN = ("failed", "stale", "all", "gather")


@dataclass(slots=True)
class Run:
    """A point of the grid in one call of `tuning`.

    Attributes:
        index: its number in the grid.
        point: the point.
        digest: of its config; '' if it has none, and is like no other then.
        folder: its result folder.
        last: the last attempt at it, if there was one.
        due: whether it is to be run.
        rslt_dir: where its result is: another folder than its own, if an attempt with another name counts.
        state, metrics, error, seconds, started, host, gpus: what is known of it by now.
        tries: how often it was started in this call.
        before: how often it was before.
        other_code: whether the code has changed since.
    """

    index: int
    point: Point
    digest: str
    folder: str
    last: Attempt | None = None
    due: bool = True
    rslt_dir: str = ""
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

    def __post_init__(self) -> None:
        self.rslt_dir = self.rslt_dir or self.folder

    def keep(self, attempt: Attempt, code: str) -> None:
        """Take over what an attempt has come to, instead of running it again."""
        self.last, self.due, self.state = attempt, False, "done" if attempt.state == "done" else "failed"
        self.metrics, self.error, self.seconds = attempt.metrics, attempt.error, attempt.seconds
        self.started, self.gpus, self.host = attempt.started, attempt.gpus, attempt.host
        self.rslt_dir = attempt.rslt_dir
        self.other_code = attempt.code != code

    def again(self) -> None:
        """Run it, whatever is known of it; that no longer counts."""
        self.due, self.state, self.metrics, self.error, self.other_code = True, "left", {}, "", False
        self.rslt_dir = self.folder

    def result(self, git: Mapping[str, Any]) -> Result:
        """What tables are made from."""
        return Result(
            self.point.labels, self.point.folder, self.point.seed, self.state, self.metrics, self.error,
            self.before + self.tries, self.started, self.seconds, self.host, self.gpus,
            str(git.get("commit", "")), bool(git.get("dirty", False)), self.other_code, self.rslt_dir,
        )  # fmt: skip


def plan(
    runs: Sequence[Run],
    attempts: Iterable[Attempt],
    code: str,
    rerun: str = "",
    going_on: Iterable[int] = (),
) -> None:
    """Decide which runs are due, and take over what is done.

    A run is done if the last attempt at it with the same config was: when somebody has asked for it again, and that has
    failed or was stopped, its folder is no longer what the older attempt has left. A run is also done if its config was
    run under another name that the grid no longer has: a parameter has been added to it, say.

    Args:
        runs: all points of the grid.
        attempts: of the ledger, the oldest first.
        code: the hash of the code.
        rerun: 'failed' runs nothing but what has failed; 'stale' also what other code has done; 'all' everything;
            'gather' nothing; anything else the points that it names (a pattern as for file names).
        going_on: the sweeps that were told the same `rerun` and have not come to their end: what they have done with
            this code is not done a third time.

    Raises:
        TuneError: `rerun` names no point.
    """
    by_point: dict[str, list[Attempt]] = {}
    elsewhere: dict[str, dict[str, Attempt]] = {}
    known = {run.point.folder for run in runs}
    for attempt in attempts:
        by_point.setdefault(attempt.point, []).append(attempt)
        if attempt.point not in known and attempt.digest:
            elsewhere.setdefault(attempt.digest, {})[attempt.point] = attempt
    for run in runs:
        own = by_point.get(run.point.folder, [])
        run.last, run.before = (own[-1] if own else None), len(own)
        same = [one for one in own if run.digest and one.digest == run.digest]
        if same and same[-1].state == "done":
            run.keep(same[-1], code)
        elif not same and (adopted := _taken(elsewhere.get(run.digest))) is not None:
            run.keep(adopted, code)
            run.before += sum(one.digest == run.digest for one in by_point[adopted.point])
    if rerun:
        _again(runs, by_point, code, rerun, set(going_on))


def _taken(found: dict[str, Attempt] | None) -> Attempt | None:
    """The last attempt that was done, which one run takes only; `found`: by the name that it was run under."""
    done = [one for one in (found or {}).values() if one.state == "done"]
    if not found or not done:
        return None
    last = max(done, key=lambda one: one.id)
    del found[last.point]
    return last


def _again(
    runs: Sequence[Run], by_point: Mapping[str, list[Attempt]], code: str, rerun: str, going_on: set[int]
) -> None:
    if rerun == "failed":
        for run in runs:
            run.due = run.due and _has_failed(by_point.get(run.point.folder, []))
        return
    if rerun == "gather":
        for run in runs:
            run.due = False
            last = run.last
            if run.state == "left" and last is not None and last.state == "failed" and last.digest == run.digest != "":
                run.keep(last, code)  # another config's result is none of this one
        return
    if rerun in ("all", "stale"):
        chosen = [run for run in runs if rerun == "all" or run.other_code]
    else:
        chosen = [run for run in runs if _is_named(run.point.folder, rerun)]
        if not chosen:
            names = suggest(rerun, [run.point.folder for run in runs])
            hint = did_you_mean(names) or f"{', '.join(map(repr, RERUN))}, or the folder of a run"
            raise TuneError(f"rerun={rerun!r} is no run of this sweep\n  {hint}")
        for run in runs:
            run.due = False
    for run in chosen:
        if run.state == "done" and run.last is not None and run.last.sweep in going_on and not run.other_code:
            continue
        run.again()


def _has_failed(attempts: Sequence[Attempt]) -> bool:
    """Whether the last attempt has that came to an end: being stopped makes no failed run a new one."""
    ended = [one.state for one in attempts if one.state not in ("stopped", "running")]
    return bool(ended) and ended[-1] == "failed"


def _is_named(folder: str, name: str) -> bool:
    """Whether a name or a pattern means a run, or all seeds of a combination. `steps=[1, 2]` is meant as it is."""
    pattern = name.replace("[", "[[]")
    names = (folder, os.path.dirname(folder))
    return name in names or any(one and fnmatch.fnmatchcase(one, pattern) for one in names)
