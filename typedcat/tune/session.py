"""One call of `tuning`: starts what is due, takes what comes back, writes it down, until nothing is left."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ProjectError, TypedcatError, short_path
from .display import Display
from .engines.protocol import OUTPUT, Engine, Outcome, Task, reason
from .freshness import Files, files_in, only_fresh
from .gpus.leases import Lease, Leases
from .ledger.ledger import Attempt, Ledger
from .ledger.plan import Run

_TICK_S = 0.5
_COMMIT_S = 0.05  # between two commits while runs end faster than that
_SUMMARY_S = 10.0  # between two summaries at least
_SUMMARY_SHARE = 20  # the time between two summaries, in times of writing one


@dataclass(frozen=True)
class Steps:
    """What the runner does at the steps of a run.

    Attributes:
        dump: writes the config of a run; returns the path.
        gather: gives the metrics of a run that has ended, and raises what the user's function raises.
        summarise: writes what is known so far.
    """

    dump: Callable[[Run], str]
    gather: Callable[[Run, Any], Mapping[str, Any]]
    summarise: Callable[[], None]


@dataclass
class _Going:
    """A run that goes on."""

    run: Run
    attempt: int
    before: Files
    output: str
    lease: Lease | None = None
    shown: int = 0


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
        signals: whether Ctrl-C and SIGTERM end it in order; else they do what they always do.

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
        self.runs = runs
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
        self.interrupts = 0
        self.not_gathered: list[Exception] = []
        self._host = socket.gethostname()
        self._committed = self._summarised = time.monotonic()
        self._summary_took = 0.0

    def run(self) -> None:
        """Go on until nothing is due any more, or somebody interrupts."""
        with _signals(self._interrupt) if self.signals else contextlib.nullcontext():
            try:
                while self.due or self.going:
                    self._start_what_fits()
                    if self.interrupts and not self.going:
                        break
                    self._take_what_has_ended()
            finally:
                self._abandon()
                self.ledger.commit()

    # -- starting

    def _start_what_fits(self) -> None:
        while self.due and not self.interrupts and self.engine.room > 0:
            lease = None
            if self.leases is not None and (lease := self._lease(self.leases)) is None:
                break
            self._start(self.due.popleft(), lease)

    def _lease(self, leases: Leases) -> Lease | None:
        lease = leases.try_acquire(self.due[0].point.folder)
        busy = "" if lease is not None or self.going else "; ".join(map(str, leases.busy()))
        self.display.wait_for(busy)
        return lease

    def _start(self, run: Run, lease: Lease | None) -> None:
        run.tries += 1
        run.gpus = () if lease is None else tuple(str(gpu) for gpu in lease.gpus)
        run.started, run.host, run.state = time.time(), self._host, "running"
        number = self.ledger.next_id()
        going = _Going(run, number, {}, os.path.join(run.rslt_dir, OUTPUT), lease)
        self.ledger.start(
            Attempt(
                number, self.sweep, run.point.folder, run.digest, self.code, "running", run.started, self._host,
                run.rslt_dir, run.gpus,
            )
        )  # fmt: skip
        self.going[run.index] = going
        self.display.start(run)
        try:
            going.before = _made_ready(run)
            going.shown = _size(going.output)
            cfg_pkl = self.steps.dump(run)
        except (OSError, TypedcatError) as error:  # a full disk fails this run; the next may have more luck
            self._end(going, Outcome(run.index, None, str(error)))
            return
        environment, fds = ({}, ()) if lease is None else (lease.environment, lease.fds)
        self.engine.start(Task(run.index, os.path.abspath(cfg_pkl), os.path.abspath(run.rslt_dir), environment, fds))

    # -- ending

    def _take_what_has_ended(self) -> None:
        outcomes = self.engine.wait(_TICK_S if self.going else 0.0)
        if not self.going and self.due:  # it waits for GPUs
            time.sleep(_TICK_S)
        for outcome in outcomes:
            self._end(self.going[outcome.index], outcome)
        if self.echo:
            for going in self.going.values():
                _show_output(going)
        now = time.monotonic()
        if not outcomes or now - self._committed > _COMMIT_S:
            if not self.ledger.commit():
                self.display.wait_for(f"{short_path(self.ledger.path)} cannot be written: {self.ledger.trouble}")
            self._committed = now
        if now - self._summarised > max(_SUMMARY_S, _SUMMARY_SHARE * self._summary_took):
            self._summarise()

    def _summarise(self) -> None:
        start = time.monotonic()
        with contextlib.suppress(OSError, TypedcatError):  # the last summary will say so
            self.steps.summarise()
        self._summarised = time.monotonic()
        self._summary_took = self._summarised - start

    def _end(self, going: _Going, outcome: Outcome) -> None:
        run = going.run
        del self.going[run.index]
        if going.lease is not None:
            going.lease.release()
        if self.echo:
            _show_output(going)
        run.seconds, run.error = outcome.seconds, outcome.error
        run.metrics = {}
        if outcome.stopped:
            run.state = "left"
        elif outcome.error:
            run.state = "failed"
        else:
            self._gather(going, outcome.result)
        self.ledger.end(
            going.attempt, "stopped" if run.state == "left" else run.state, run.seconds,
            exit_code=outcome.exit_code, error=run.error, metrics=run.metrics,
        )  # fmt: skip
        again = run.state == "failed" and run.tries <= self.max_retries and not self.interrupts
        self.display.end(run, again=again)
        if again:
            self.due.appendleft(run)

    def _gather(self, going: _Going, result: Any) -> None:
        run = going.run
        try:
            with only_fresh(going.before):
                run.metrics = self.steps.gather(run, result)
            run.state = "done"
        except Exception as error:  # noqa: BLE001 - the user's function; one failed row, never the end
            run.state, run.error = "failed", f"its metrics cannot be gathered: {reason(error)}"
            self.not_gathered.append(error)

    def _abandon(self) -> None:
        """What still runs when something unexpected ends the session."""
        if not self.going:
            return
        self.engine.stop("kill")
        for going in list(self.going.values()):
            self._end(going, Outcome(going.run.index, None, "the runner was ended", stopped=True))

    # -- interrupts

    def _interrupt(self, number: int) -> None:
        """The first time no more runs are started, and those that go on are asked to end; the second time killed."""
        self.interrupts += 1
        self.interrupted = number
        self.engine.stop("ask" if self.interrupts == 1 else "kill")
        if self.going:
            what = "asked to end; once more kills them" if self.interrupts == 1 else "killed"
            self.display.say(f"interrupted: {len(self.going)} running are {what}")


@contextlib.contextmanager
def _signals(on_interrupt: Callable[[int], None]) -> Iterator[None]:
    """Let Ctrl-C, and what a scheduler sends, end a sweep in order. Only the main thread can take signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    old = {number: signal.signal(number, lambda number, _: on_interrupt(number)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


# -- result folders


def _made_ready(run: Run) -> Files:
    """Make the result folder of a run; gives the files of older attempts in it.

    What another config has left there is moved aside, never overwritten.

    Raises:
        ProjectError: the system refuses.
    """
    folder = run.rslt_dir
    try:
        if run.last is not None and run.last.digest != run.digest and os.path.isdir(folder):
            os.rename(folder, _free(f"{folder}.old"))
        if run.last is not None:
            run.last = None if run.last.digest != run.digest else run.last
        if os.path.isdir(folder):
            return files_in(folder)
        os.makedirs(folder)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ProjectError(f"cannot make the result folder {short_path(folder)}: {why}") from error
    return {}


def _free(path: str) -> str:
    number = 1
    while os.path.lexists(f"{path}{number}"):
        number += 1
    return f"{path}{number}"


def _size(file: str) -> int:
    try:
        return os.stat(file).st_size
    except OSError:
        return 0


def _show_output(going: _Going) -> None:
    """Show what a run has written since the last time."""
    with contextlib.suppress(OSError), open(going.output, "rb") as stream:
        stream.seek(going.shown)
        data = stream.read()
        going.shown += len(data)
        if data:
            sys.stdout.write(data.decode(errors="replace"))
            sys.stdout.flush()
