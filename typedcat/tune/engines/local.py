"""The engine that runs tasks in processes of their own on this machine.

A worker is a fresh interpreter, neither forked nor started by running the user's script again: it shares no locks,
threads or GPUs with this process. It does one run after the other, unless each run is to have a process of its own, as
where GPUs are lent: CUDA reads its environment once per process.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from typing import Any, Literal

from ...errors import TuneError
from ...load.surroundings import Surroundings
from ...tree.pickling import dumps
from .protocol import OUTPUT, Outcome, Task, Work, exit_text, reason, tail_of
from .worker import Orders

_START = "import sys; sys.path[:] = sys.argv[2:]; from typedcat.tune.engines.worker import main; main(int(sys.argv[1]))"
_TICK_S = 0.5  # how often deadlines are looked at


def pickled(work: Work) -> bytes:
    """The work function, for other processes.

    Raises:
        TuneError: it cannot be pickled.
    """
    try:
        return dumps(work)
    except Exception as error:
        raise TuneError(
            f"the work function cannot be sent to another process: {type(error).__name__}: {error}\n"
            "  open files, locks and connections inside of it, or run in this process: in_process=True"
        ) from error


class LocalProcesses:
    """See the module.

    Args:
        work: the work function, pickled.
        size: how many runs at a time.
        fresh: whether each run gets a new process.
        timeout_s: how long a run may take; None for as long as it takes.
        grace_s: seconds between asking a run to end and killing it.
        redirect: whether the output of a run goes to a file in its result folder.
        surroundings: see `run_task`.
        keep: descriptors that every worker keeps open: the lock of the runner.
    """

    def __init__(
        self,
        work: bytes,
        size: int,
        *,
        fresh: bool = False,
        timeout_s: float | None = None,
        grace_s: float = 10.0,
        redirect: bool = True,
        surroundings: Surroundings | None = None,
        keep: Sequence[int] = (),
    ) -> None:
        self.orders = pickle.dumps(Orders(list(sys.argv), work, grace_s, redirect, surroundings))
        self.size = size
        self.fresh = fresh
        self.timeout_s = timeout_s
        self.grace_s = grace_s
        self.keep = tuple(keep)
        self.idle: list[_Worker] = []
        self.busy: list[_Worker] = []

    @property
    def room(self) -> int:
        """See `Engine`."""
        return self.size - len(self.busy)

    def start(self, task: Task) -> None:
        """See `Engine`."""
        worker = self.idle.pop() if self.idle else _Worker(self.orders, (*self.keep, *task.fds), task.environment)
        self.busy.append(worker)
        worker.start(task, self.timeout_s)

    def wait(self, timeout_s: float) -> list[Outcome]:
        """See `Engine`."""
        deadline = time.monotonic() + timeout_s
        while self.busy:
            left = deadline - time.monotonic()
            ready = wait([worker.connection for worker in self.busy], max(0.0, min(left, _TICK_S)))
            outcomes = [
                self._ended(worker)
                for worker in list(self.busy)
                if worker.connection in ready or (not ready and worker.process.poll() is not None)
            ]
            for worker in self.busy:
                worker.enforce(self.grace_s)
            if outcomes or left <= 0:
                return outcomes
        return []

    def _ended(self, worker: _Worker) -> Outcome:
        """The outcome of a run whose worker has answered or died."""
        self.busy.remove(worker)
        outcome = worker.outcome()
        if outcome.exit_code is None and not self.fresh and not worker.asked:
            self.idle.append(worker)
        else:
            worker.end()
        return outcome

    def stop(self, how: Literal["ask", "kill"]) -> None:
        """See `Engine`."""
        for worker in self.busy:
            worker.ask() if how == "ask" else worker.kill()

    def close(self) -> None:
        """See `Engine`."""
        for worker in [*self.busy, *self.idle]:
            worker.end()
        self.busy, self.idle = [], []


class _Worker:
    """A worker process, and the run that it does."""

    def __init__(self, orders: bytes, keep: tuple[int, ...], environment: dict[str, str]) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            command = [sys.executable, "-P", "-c", _START, str(theirs.fileno()), *map(os.fspath, sys.path)]
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=(theirs.fileno(), *keep),
                env={**os.environ, **environment},
            )
            self.connection: Any = Connection(ours.detach())
        self.orders: bytes | None = orders
        self.task: Task | None = None
        self.began = 0.0
        self.deadline: float | None = None
        self.asked: float | None = None
        self.killed = False
        self.late = False
        self.output_start = 0

    def start(self, task: Task, timeout_s: float | None) -> None:
        """Send a run."""
        self.task, self.began = task, time.monotonic()
        self.deadline = None if timeout_s is None else self.began + timeout_s
        with contextlib.suppress(OSError):
            self.output_start = os.stat(os.path.join(task.rslt_dir, OUTPUT)).st_size
        with contextlib.suppress(OSError):  # it has died: its outcome will say so
            if self.orders is not None:
                self.connection.send_bytes(self.orders)
                self.orders = None
            self.connection.send_bytes(pickle.dumps(replace(task, fds=())))

    def enforce(self, grace_s: float) -> None:
        """Ask a run to end whose time is up, and kill one that does not."""
        now = time.monotonic()
        if self.deadline is not None and now > self.deadline and self.asked is None:
            self.late = True
            self.ask()
        if self.asked is not None and now > self.asked + grace_s and not self.killed:
            self.kill()

    def ask(self) -> None:
        """Ask the run, and what it has started, to end."""
        if self.asked is None:
            self.asked = time.monotonic()
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the run, and what it has started."""
        if self.asked is None:
            self.asked = time.monotonic()
        self.killed = True
        self._signal(signal.SIGKILL)

    def outcome(self) -> Outcome:
        """What the worker has sent, or why it has died."""
        task = self.task
        if task is None:  # pragma: no cover - only busy workers are asked
            raise TuneError("a worker without a run has no outcome")
        try:
            if not self.connection.poll():  # it is dead, but what it has forked holds the socket open
                raise EOFError
            outcome: Outcome = pickle.loads(self.connection.recv_bytes())
        except (EOFError, OSError):
            code = self._code()
            error = "" if self.asked else f"its process ended with {exit_text(code)}"
            outcome = Outcome(task.index, None, error, time.monotonic() - self.began, code)
        self.task = None
        if self.asked is not None:
            limit = f"it took longer than {self._limit():g} s" if self.late else "it was asked to end"
            outcome = replace(outcome, result=None, error=limit, stopped=not self.late)
        if outcome.error:
            output = tail_of(os.path.join(task.rslt_dir, OUTPUT), self.output_start)
            told = "\n" in outcome.error  # lines of the output already
            return replace(outcome, result=None, error=outcome.error + ("" if told else output))
        return _with_result(outcome)

    def _limit(self) -> float:
        return 0.0 if self.deadline is None else round(self.deadline - self.began, 3)

    def _code(self) -> int:
        try:
            return self.process.wait(_TICK_S)
        except subprocess.TimeoutExpired:  # it has closed the socket, and lives
            self._signal(signal.SIGKILL)
            return self.process.wait()

    def end(self) -> None:
        """End the process, with what its runs have left behind."""
        self.connection.close()
        self._signal(signal.SIGKILL)
        self.process.wait()

    def _signal(self, number: int) -> None:
        """Signal the process group that the worker leads; it may be empty by now."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


def _with_result(outcome: Outcome) -> Outcome:
    if outcome.result is None:
        return outcome
    try:
        return replace(outcome, result=pickle.loads(outcome.result))
    except Exception as error:  # noqa: BLE001 - what was pickled there need not load here
        return replace(outcome, result=None, error=f"what it returned cannot be read here: {reason(error)}")
