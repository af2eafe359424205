"""One call of `tuning`: starts what is due, takes what comes back, writes it down, until nothing is left."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import GpuError, HeldError, TypedcatError, short_path
from .display import Display
from .engines.protocol import OUTPUT, Engine, Outcome, Task, reason, tail_of
from .folders import made_ready
from .freshness import STALE, Files, only_fresh
from .gpus.leases import Lease, Leases
from .ledger.ledger import Attempt, Ledger
from .ledger.plan import Run
from .output import Follower

_NOT_GATHERED = "its metrics cannot be gathered"
_TICK_S = 0.5
_COMMIT_S = 0.05  # between two commits while runs start and end faster than that
_SUMMARY_S = 10.0  # between two summaries at least, and before the first
_SUMMARY_SHARE = 20  # the time between two summaries, in times of writing one


@dataclass(frozen=True)
class Steps:
    """What the runner does at the steps of a run.

    Attributes:
        dump: writes the config of a run; returns the path.
        gather: gives the metrics of a run that has ended, and raises what the user's function raises.
        summarise: writes what is known so far.
        check: raises if the folder is no longer this runner's.
    """

    dump: Callable[[Run], str]
    gather: Callable[[Run, Any], Mapping[str, Any]]
    summarise: Callable[[], None]
    check: Callable[[], None] = lambda: None


@dataclass
class _Going:
    """A run that goes on."""

    run: Run
    attempt: int
    output: Follower
    before: Files = field(default_factory=dict)
    lease: Lease | None = None


class Session:
    """See the module.

    Args:
        steps: what the runner does.
        runs: all points; those that are due are run.
        engine: runs them.
        ledger: has a sweep, and takes attempts.
        sweep: its number.
        code: the hash of the user's code.
        display: shows what happens.
        leases: lends GPUs.
        max_retries: how often a run that fails is tried again.
        echo: whether the output of a run is shown as it comes.
        signals: whether Ctrl-C, SIGTERM and SIGHUP end it in order; else they do what they always do.

    Attributes:
        interrupted: the signal that has ended it early; None if none has.
        not_gathered: what gather functions raised.
    """

    def __init__(
        self,
        steps: Steps,
        runs: Sequence[Run],
        engine: Engine,
        ledger: Ledger,
        sweep: int,
        code: str,
        display: Display,
        *,
        leases: Leases | None = None,
        max_retries: int = 0,
        echo: bool = False,
        signals: bool = True,
    ) -> None:
        self.steps = steps
        self.engine = engine
        self.ledger = ledger
        self.sweep = sweep
        self.code = code
        self.display = display
        self.leases = leases
        self.max_retries = max_retries
        self.echo = echo
        self.signals = signals
        self.interrupted: int | None = None
        self.due = deque(run for run in runs if run.due)
        self.going: dict[int, _Going] = {}
        self.not_gathered: list[BaseException] = []
        self._interrupts = 0
        self._obeyed = 0
        self._gathering = False
        self._host = socket.gethostname()
        now = time.monotonic()
        self._committed, self._next_summary, self._news = now, now + _SUMMARY_S, False

    def run(self) -> None:
        """Go on until nothing is due any more, or somebody interrupts.

        Raises:
            GpuError: there will never be enough GPUs again.
            HeldError: see `Steps.check`.
        """
        with _signals(self._interrupt) if self.signals else contextlib.nullcontext():
            try:
                while self.going or (self.due and not self._interrupts):
                    self._start_what_fits()
                    self._take_what_has_ended()
                    self._obey()
            finally:
                self._abandon()
                self._commit()

    # -- starting

    def _start_what_fits(self) -> None:
        while self.due and not self._interrupts and self.engine.room > 0:
            lease = None
            if self.leases is not None and (lease := self._lease(self.leases)) is None:
                break
            self._start(self.due.popleft(), lease)

    def _lease(self, leases: Leases) -> Lease | None:
        try:
            lease = leases.try_acquire(self.due[0].point.folder)
        except GpuError as error:
            if not self.going:
                raise
            self.display.wait_for(str(error))  # what goes on has its GPUs, and is not lost for that
            return None
        self.display.wait_for("" if lease is not None or self.going else leases.waits_for())
        for line in leases.lost:
            self.display.warn_once(f"{line}; it is left out")
        return lease

    def _start(self, run: Run, lease: Lease | None) -> None:
        run.tries += 1
        run.gpus = () if lease is None else tuple(str(gpu) for gpu in lease.gpus)
        run.started, run.host, run.state = time.time(), self._host, "running"
        run.rslt_dir, run.seconds, run.error = run.folder, None, ""
        going = _Going(run, self.ledger.next_id(), Follower(os.path.join(run.folder, OUTPUT)), lease=lease)
        self.going[run.index] = going
        self.display.start(run)
        try:
            going.before = made_ready(run, self.ledger)
            self._begin(going)
            cfg_pkl = self.steps.dump(run)
        except (OSError, TypedcatError) as error:  # a full disk fails this run; the next may have more luck
            self._begin(going)
            self._end(going, Outcome(run.index, None, str(error)))
            return
        environment, fds = ({}, ()) if lease is None else (lease.environment, lease.fds)
        self.engine.start(Task(run.index, os.path.abspath(cfg_pkl), os.path.abspath(run.folder), environment, fds))

    def _begin(self, going: _Going) -> None:
        """Write down that the run is started; a second time does nothing."""
        run = going.run
        if run.last is not None and run.last.id == going.attempt:
            return
        run.last = Attempt(
            going.attempt, self.sweep, run.point.folder, run.digest, self.code, "running", run.started or 0.0,
            self._host, run.folder, run.gpus,
        )  # fmt: skip
        self.ledger.start(run.last)

    # -- ending

    def _take_what_has_ended(self) -> None:
        outcomes = self.engine.wait(_COMMIT_S if self.ledger.has_news else _TICK_S)
        for outcome in outcomes:
            self._end(self.going[outcome.index], outcome)
            self._commit_now_and_then()
        if not outcomes:
            if self.due and not self.going and not self._interrupts:  # it waits for GPUs
                time.sleep(_TICK_S)
            self._commit()
        if self.echo:
            for going in self.going.values():
                going.output.show()
        if self._news and time.monotonic() > self._next_summary:
            self._commit()  # it takes a while, in which nothing should be lost
            self._summarise()

    def _commit_now_and_then(self) -> None:
        if time.monotonic() - self._committed > _COMMIT_S:
            self._commit()

    def _commit(self) -> None:
        if self.ledger.given_up:
            return
        try:
            self.steps.check()
        except HeldError:
            self.ledger.give_up()
            raise
        written = self.ledger.commit()
        path = short_path(self.ledger.path)
        self.display.trouble_is("" if written else f"{path} cannot be written for now: {self.ledger.trouble}")
        self._committed = time.monotonic()

    def _summarise(self) -> None:
        start = time.monotonic()
        try:
            self.steps.summarise()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever strange metrics do, the sweep goes on
            self.display.warn_once(f"the tables cannot be written now: {reason(error)}")
        took = time.monotonic() - start
        self._next_summary = time.monotonic() + max(_SUMMARY_S, _SUMMARY_SHARE * took)
        self._news = False

    def _end(self, going: _Going, outcome: Outcome) -> None:
        run = going.run
        del self.going[run.index]
        if going.lease is not None:
            going.lease.release()
        if self.echo:
            going.output.show(last=True)
        run.seconds, run.error, run.metrics = outcome.seconds, outcome.error, {}
        run.state = "left" if outcome.stopped else "failed"
        if not outcome.stopped and not outcome.error:
            self._gather(going, outcome.result)
        self.ledger.end(
            going.attempt, "stopped" if run.state == "left" else run.state, run.seconds,
            exit_code=outcome.exit_code, error=run.error, metrics=run.metrics,
        )  # fmt: skip
        again = run.state == "failed" and run.tries <= self.max_retries and not self._interrupts
        self.display.end(run, again=again)
        self._news = True
        if again:
            self.due.appendleft(run)

    def _gather(self, going: _Going, result: Any) -> None:
        """Ask for the metrics: of what the user's function raises, nothing ends the sweep."""
        run = going.run
        self._gathering = True
        try:
            with only_fresh(going.before):
                metrics = self.steps.gather(run, result)
            run.metrics, run.state = metrics, "done"
        except KeyboardInterrupt:
            run.state, run.error = "left", "interrupted while its metrics were gathered"
            if not self._interrupts:
                self._interrupt(signal.SIGINT)
        except BaseException as error:  # noqa: BLE001 - the user's function may even call sys.exit
            run.state, run.error = "failed", f"{_NOT_GATHERED}: {reason(error)}"
            run.error += _instead_of_metrics(run, result, error)
            self.not_gathered.append(error)
        finally:
            self._gathering = False

    def _abandon(self) -> None:
        """What still runs when something unexpected ends the session."""
        if not self.going:
            return
        self.engine.stop("kill")
        for going in list(self.going.values()):
            self._end(going, Outcome(going.run.index, None, "the runner was ended", stopped=True))

    # -- interrupts

    def _interrupt(self, number: int) -> None:
        """Somebody wants it to end. Only noted, as a signal may come in the middle of anything."""
        self._interrupts += 1
        self.interrupted = number if self.interrupted is None else self.interrupted
        if self._interrupts > 1 and self._gathering:
            raise KeyboardInterrupt  # the user's function may never return

    def _obey(self) -> None:
        """The first time those that go on are asked to end; the second time they are killed."""
        if self._interrupts == self._obeyed:
            return
        self._obeyed = self._interrupts
        self.engine.stop("ask" if self._interrupts == 1 else "kill")
        if self.going:
            what = "asked to end; once more kills them" if self._interrupts == 1 else "killed"
            self.display.say(f"interrupted: {len(self.going)} running are {what}")


def _instead_of_metrics(run: Run, result: Any, error: BaseException) -> str:
    """What a run has put out that has written no metrics: a command that it has run may have failed unseen."""
    if not any(isinstance(one, FileNotFoundError) for one in (error, error.__cause__)) and STALE not in run.error:
        return ""
    hint = "\n  a command in the work function fails the run if it is returned, or run with check=True"
    return f"{hint if result is None else ''}{tail_of(os.path.join(run.folder, OUTPUT))}"


def lacks_metrics_only(run: Run) -> bool:
    """Whether a run has ended well, and its metrics could not be gathered; those of an older attempt are none of it."""
    return run.state == "failed" and run.error.startswith(_NOT_GATHERED) and STALE not in run.error


@contextlib.contextmanager
def _signals(on_interrupt: Callable[[int], None]) -> Iterator[None]:
    """Let Ctrl-C, what a scheduler sends, and the end of a terminal end a sweep in order.

    Only the main thread can take signals. What is ignored stays ignored: under nohup, a closed terminal is no end.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    old = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    mine = {number: handler for number, handler in old.items() if handler not in (signal.SIG_IGN, None)}
    for number in mine:
        signal.signal(number, lambda number, _: on_interrupt(number))
    try:
        yield
    finally:
        for number, handler in mine.items():
            signal.signal(number, handler)
