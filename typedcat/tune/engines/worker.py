"""The process that does runs, one after the other, for a runner that holds the other end of a socket.

It leads a process group of its own, so that whatever runs have started can be ended with it. When the runner is gone,
however that came about, it ends the run as the runner would have: it asks, waits, and kills.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import os
import pickle
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ...load.surroundings import Surroundings
from ...tree.pickling import dumps
from .channel import Channel
from .footprint import Footprint, has_children
from .groups import signal_groups
from .protocol import OUTPUT, Asked, Outcome, Task, Work, reason, run_task


@dataclass(frozen=True)
class Orders:
    """What every worker of an engine is told.

    Attributes:
        argv: of the runner.
        work: the work function, pickled.
        grace_s: seconds between asking a run to end and killing it.
        redirect: whether the output of a run goes to a file in its result folder.
        surroundings: see `run_task`.
        private: descriptors that this process keeps open, and that no program gets which a run starts.
    """

    argv: list[str]
    work: bytes
    grace_s: float
    redirect: bool
    surroundings: Surroundings | None
    private: tuple[int, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What a worker sends back.

    Attributes:
        outcome: of a run, the result pickled by itself: the runner may be unable to load that.
        clean: whether the process can do another run.
    """

    outcome: Outcome
    clean: bool


def main(fd: int, orders_fd: int) -> None:
    """Do what comes over the socket until its other end is closed; does not return.

    Args:
        fd: the socket.
        orders_fd: a file that has the orders; other workers read it as well.
    """
    channel = Channel(socket.socket(fileno=fd))
    orders: Orders = pickle.loads(os.pread(orders_fd, os.fstat(orders_fd).st_size, 0))
    for private in (fd, *orders.private):
        os.set_inheritable(private, False)
    os.close(orders_fd)
    sys.argv[:] = orders.argv
    _let_output_out()
    tasks = _Tasks(channel, orders.grace_s)
    try:
        signal.signal(signal.SIGTERM, _asked_to_end)
        work, refusal = _loaded(orders.work)
        before = Footprint()  # of every run: one that does not leave the process like that is its last
        for task in tasks:
            _asked.clear()
            outcome = _done(task, work, refusal, orders)
            tasks.done()
            channel.send(pickle.dumps(Answer(outcome, before.is_clean())))
    except ConnectionError:  # the runner is gone
        pass
    except (OSError, Asked):  # the run has closed the socket, or somebody else ends this: the runner takes note
        _leave()
    signal_groups((os.getpgrp(),), signal.SIGKILL)  # nobody else ends what the last run has left behind


def _done(task: Task, work: Work | None, refusal: str, orders: Orders) -> Outcome:
    with _output(task, orders.redirect):
        if work is None:
            return Outcome(task.index, None, refusal)
        try:
            outcome = run_task(work, task, orders.surroundings, trace=True)
        except KeyboardInterrupt as error:
            outcome = Outcome(task.index, None, reason(error))
        return _packed(outcome)


def _leave() -> None:
    """End, whatever threads runs have left behind."""
    with contextlib.suppress(Exception):
        sys.stdout.flush()
    os._exit(1)


def _let_output_out() -> None:
    """Let each line go out when it is printed: what is in a buffer when a run dies is lost, and would say most.

    It goes to a file of ours, so a character that the terminal does not have is no reason to fail.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")


def _loaded(work: bytes) -> tuple[Work | None, str]:
    try:
        loaded: Work = pickle.loads(work)
        _let_main_have(loaded)
        return loaded, ""
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever an import of the user's raises
        return None, f"the work function cannot be loaded in its process: {reason(error)}"


def _let_main_have(work: Work) -> None:
    """Let `__main__` have what the work function uses of the user's script, of which it is a part.

    Whatever the function pickles, to save a checkpoint or for processes that it forks, is looked for there.
    """
    function = inspect.unwrap(work)
    while isinstance(function, functools.partial):
        function = function.func
    function = getattr(function, "__func__", function)
    if getattr(function, "__module__", "") == "__main__":
        mine = vars(sys.modules["__main__"])
        for name, value in getattr(function, "__globals__", {}).items():
            mine.setdefault(name, value)


def _packed(outcome: Outcome) -> Outcome:
    try:
        return replace(outcome, result=dumps(outcome.result)) if outcome.result is not None else outcome
    except Exception as error:  # noqa: BLE001 - any object may refuse to be pickled, in its own way
        why = f"what it returned cannot be sent back: {reason(error)}"
        if isinstance(outcome.result, subprocess.Popen):
            why += "\n  wait for the command: return subprocess.run(...)"
        return replace(outcome, result=None, error=why)


class _Tasks:
    """The tasks that come over a socket, as an iterator; a thread of its own notices when the other end is gone."""

    def __init__(self, channel: Channel, grace_s: float) -> None:
        self.channel = channel
        self.grace_s = grace_s
        self.waiting: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self.busy = False
        threading.Thread(target=self._read, name="typedcat-runner", daemon=True).start()

    def __iter__(self) -> Iterator[Task]:
        while (task := self.waiting.get()) is not None:
            yield task

    def done(self) -> None:
        """The run has ended. To be called before its outcome is sent: the next task may come as soon as it was."""
        self.busy = False

    def _read(self) -> None:
        try:
            while True:
                task: Task = pickle.loads(self.channel.receive())
                self.busy = True
                self.waiting.put(task)
        except (EOFError, ConnectionError):  # the runner is gone
            if self.busy:
                end_own_group(self.grace_s)
        except OSError:  # the run has closed the socket: it may go on, and cannot be answered for
            pass
        self.waiting.put(None)


def end_own_group(grace_s: float) -> None:
    """Ask the processes of this group, and what descends from them, to end, and kill them when they have not."""
    group = (os.getpgrp(),)
    signal_groups(group, signal.SIGTERM)
    time.sleep(grace_s)
    signal_groups(group, signal.SIGKILL)


# -- being asked to end

_asked: list[int] = []  # the signals that the run has been told of; a list, as signal handlers must not wait for locks


def _asked_to_end(number: int, _: Any) -> None:
    """A run in this process unwinds. One that waits for another process goes on waiting: that was asked as well.

    Schedulers send the signal to every process, and then the runner does: a second one must not end the cleaning up.
    """
    if _asked or has_children():
        return
    _asked.append(number)
    raise Asked(128 + number)


# -- output


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
        for stream in {id(one): one for one in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)}.values():
            with contextlib.suppress(Exception):  # whatever a run has put there
                stream.flush()  # type: ignore[union-attr]
        for old, fd in zip(kept, (1, 2), strict=True):
            with contextlib.suppress(OSError):  # a run that closes all descriptors has closed these
                os.dup2(old, fd)
                os.close(old)
