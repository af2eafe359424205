"""The engine that runs tasks in processes of their own on this machine.

A worker is a fresh interpreter, neither forked nor started by running the user's script again: it shares no locks,
threads or GPUs with this process. It does one run after the other, as long as each leaves it as it was; or each run has
a process of its own, as where GPUs are lent: CUDA reads its environment once per process.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import time
from collections.abc import Sequence
from multiprocessing.connection import wait
from typing import Any, Literal

from ...errors import TuneError
from ...load.surroundings import Surroundings
from ...tree.pickling import dumps
from .groups import signal_groups
from .process import Process
from .protocol import Outcome, Task, Work
from .worker import Orders

_TICK_S = 0.5  # how often deadlines are looked at
_END_S = 5.0  # how long killed processes are waited for at the end


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
        self.keep = tuple(keep)
        self.size = size
        self.fresh = fresh
        self.timeout_s = timeout_s
        self.grace_s = grace_s
        self.idle: list[Process] = []
        self.busy: list[Process] = []
        self.refused: list[Outcome] = []
        orders = Orders(list(sys.argv), work, grace_s, redirect, surroundings, self.keep)
        self._orders = _file_of(pickle.dumps(orders))

    @property
    def room(self) -> int:
        """See `Engine`."""
        return self.size - len(self.busy) - len(self.refused)

    def start(self, task: Task) -> None:
        """See `Engine`."""
        try:
            process = self._process_for(task)
        except (OSError, ValueError) as error:  # no more processes, memory or descriptors
            why = f"no process can be started for it: {error}"
            self.refused.append(Outcome(task.index, None, why))
        else:
            self.busy.append(process)

    def _process_for(self, task: Task) -> Process:
        """A process that has been given the task: one that is idle, and has not died of that, or a new one."""
        while self.idle and not task.environment:
            process = self.idle.pop()
            if not process.has_ended() and process.start(task, self.timeout_s):
                return process
            process.end()
        process = Process(self._orders, (*self.keep, *task.fds), task.environment)
        process.start(task, self.timeout_s)  # if it has died of that, its outcome says so
        return process

    def wait(self, timeout_s: float) -> list[Outcome]:
        """See `Engine`."""
        deadline = time.monotonic() + timeout_s
        while True:
            outcomes = self._by_now()
            left = deadline - time.monotonic()
            if outcomes or not self.busy or left <= 0:
                return outcomes
            wait([process.channel.fileno() for process in self.busy], min(left, _TICK_S))

    def _by_now(self) -> list[Outcome]:
        outcomes, self.refused = self.refused, []
        for process in list(self.busy):
            if process.has_ended():
                self.busy.remove(process)
                if (task := process.not_begun()) is not None:
                    process.end()
                    self.start(task)
                    continue
                outcomes.append(process.outcome())
                if process.is_clean and not process.is_special and not self.fresh:
                    self.idle.append(process)
                else:
                    process.end()
            else:
                process.enforce(self.grace_s)
        return outcomes

    def stop(self, how: Literal["ask", "kill"]) -> None:
        """See `Engine`."""
        going = [process for process in self.busy if not process.has_ended()]
        for process in going:
            process.mark(how)
        number = signal.SIGTERM if how == "ask" else signal.SIGKILL
        signal_groups({process.pid for process in going}, number)

    def close(self) -> None:
        """See `Engine`."""
        processes = [*self.busy, *self.idle]
        self.busy, self.idle = [], []
        signal_groups({process.pid for process in processes}, signal.SIGKILL)
        deadline = time.monotonic() + _END_S
        for process in processes:
            process.leave(max(0.0, deadline - time.monotonic()))
        if self._orders >= 0:
            os.close(self._orders)
            self._orders = -1


def _file_of(data: bytes) -> int:
    """A file in memory: a worker that is slow to start must not keep the runner waiting, as a pipe would."""
    if not hasattr(os, "memfd_create"):
        raise TuneError("runs in processes of their own need Linux\n  in_process=True runs them in this one")
    fd = os.memfd_create("typedcat-orders")
    view: Any = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    return fd
