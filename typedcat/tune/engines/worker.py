"""The process that does runs, one after the other, for a runner that holds the other end of a socket.

It leads a process group of its own, so that whatever runs have started can be ended with it. When the runner is gone,
however that came about, it ends the run as the runner would have: it asks, waits, and kills.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

from ...load.surroundings import Surroundings
from ...tree.pickling import dumps
from .protocol import OUTPUT, Outcome, Task, Work, reason, run_task


@dataclass(frozen=True)
class Orders:
    """The first message to a worker.

    Attributes:
        argv: of the runner.
        work: the work function, pickled.
        grace_s: seconds between asking a run to end and killing it.
        redirect: whether the output of a run goes to a file in its result folder.
        surroundings: see `run_task`.
    """

    argv: list[str]
    work: bytes
    grace_s: float
    redirect: bool
    surroundings: Surroundings | None


def main(fd: int) -> None:
    """Do what comes over the socket until its other end is closed."""
    os.set_inheritable(fd, False)
    connection = Connection(fd)
    orders: Orders = pickle.loads(connection.recv_bytes())
    sys.argv[:] = orders.argv
    signal.signal(signal.SIGTERM, _asked_to_end)
    tasks = _Tasks(connection, orders.grace_s)
    work, refusal = _loaded(orders.work)
    for task in tasks:
        with _output(task, orders.redirect):
            outcome = (
                run_task(work, task, orders.surroundings) if work is not None else Outcome(task.index, None, refusal)
            )
        connection.send_bytes(_packed(outcome))
        tasks.done()


def _loaded(work: bytes) -> tuple[Work | None, str]:
    try:
        return pickle.loads(work), ""
    except Exception as error:  # noqa: BLE001 - whatever an import of the user's raises
        return None, f"the work function cannot be loaded in its process: {reason(error)}"


def _packed(outcome: Outcome) -> bytes:
    """The outcome with its result pickled by itself: the runner may be unable to load that."""
    try:
        result = dumps(outcome.result) if outcome.result is not None else None
        return pickle.dumps(replace(outcome, result=result))
    except Exception as error:  # noqa: BLE001 - any object may refuse to be pickled, in its own way
        why = f"what it returned cannot be sent back: {reason(error)}"
        return pickle.dumps(replace(outcome, result=None, error=why))


class _Tasks:
    """The tasks that come over a socket, as an iterator; a thread of its own notices when the other end is gone."""

    def __init__(self, connection: Connection, grace_s: float) -> None:
        self.connection = connection
        self.grace_s = grace_s
        self.waiting: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self.busy = False
        threading.Thread(target=self._read, name="typedcat-runner", daemon=True).start()

    def __iter__(self) -> Iterator[Task]:
        while (task := self.waiting.get()) is not None:
            yield task

    def done(self) -> None:
        """The run has ended."""
        self.busy = False

    def _read(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                task: Task = pickle.loads(self.connection.recv_bytes())
                self.busy = True
                self.waiting.put(task)
        if self.busy:
            end_own_group(self.grace_s)
        self.waiting.put(None)


def end_own_group(grace_s: float) -> None:
    """Ask the processes of this group to end, and kill them when they have not."""
    deadline = time.monotonic() + grace_s
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(0, signal.SIGTERM)
    while time.monotonic() < deadline:
        time.sleep(min(0.2, grace_s))
    os.killpg(0, signal.SIGKILL)


class Asked(SystemExit):
    """Raised in a run that was asked to end, so that it can clean up."""


def _asked_to_end(*_: Any) -> None:
    """A run in this process unwinds. One that waits for another process goes on waiting: that was asked as well."""
    if not _has_children():
        raise Asked


def _has_children() -> bool:
    try:
        for thread in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{thread}/children", "rb") as stream:
                if stream.read().strip():
                    return True
    except OSError:  # a thread has ended meanwhile, or this kernel does not tell
        return True
    return False


@contextlib.contextmanager
def _output(task: Task, redirect: bool) -> Iterator[None]:
    """Send standard output and errors, of programs that the run starts as well, to a file in its result folder."""
    if not redirect:
        yield
        return
    try:
        file = os.open(os.path.join(task.rslt_dir, OUTPUT), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    except OSError:  # the folder is full or gone, which the run will find out
        file = os.open(os.devnull, os.O_WRONLY)
    kept = os.dup(1), os.dup(2)
    try:
        os.dup2(file, 1)
        os.dup2(file, 2)
        os.close(file)
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        for old, fd in zip(kept, (1, 2), strict=True):
            os.dup2(old, fd)
            os.close(old)
