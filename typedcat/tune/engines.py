"""Running tasks: in this process, or several at a time in worker processes.

An engine is a function from tasks to outcomes, both iterators: it takes the next task when it has room for it and gives
an outcome as soon as there is one, in whatever order. Whatever a run does is an outcome, never an exception of the
engine. Closing the iterator of outcomes ends what still runs.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import TuneError, TypedcatError, short_repr
from ..load.pipeline import load_config
from ..tree.pickling import dumps

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

Work = Callable[..., Any]
"""The user's function: (pkl_idx, cfg, cfg_pkl, cfg_rslt_dir, cuda_env)."""

Engine = Callable[[Work, Iterator["Task"]], Iterator["Outcome"]]

_POLL_S = 0.5  # how soon the death of a worker is seen whose children still hold its pipe
_GRACE_S = 5.0  # between asking a worker to end and ending it
_LONGEST_OUTPUT = 2_000  # characters of a failed command's output that are kept


@dataclass(frozen=True)
class Task:
    """One run.

    Attributes:
        index: its number in the grid.
        cfg_pkl: the file of its config.
        environment: what it gets on top of the environment of this process.
    """

    index: int
    cfg_pkl: str
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    Attributes:
        index: of the task.
        result: what the work function returned.
        error: why it failed, on one line or several; '' if it did not.
        seconds: how long it took.
    """

    index: int
    result: Any = None
    error: str = ""
    seconds: float = 0.0


def run_task(work: Work, task: Task) -> Outcome:
    """Load the config of a task and do its work, in this process; raises nothing but interrupts."""
    start = time.monotonic()
    result, error = None, ""
    try:
        with contextlib.chdir(os.curdir):  # a run that changes it must not move the next one
            cfg = load_config(task.cfg_pkl)
            environment = {**os.environ, **task.environment}
            result = work(task.index, cfg, task.cfg_pkl, cfg.rslt_dir, environment)
        error = _reason_in(result)
    except (Exception, SystemExit) as raised:
        error = reason(raised)
    return Outcome(task.index, None if error else result, error, time.monotonic() - start)


def reason(error: BaseException) -> str:
    """Why something failed: the type and text of an exception, where it was raised, and a command's output."""
    if isinstance(error, TypedcatError):
        return str(error)
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is not None:
        text += f" ({os.path.basename(traceback.tb_frame.f_code.co_filename)}:{traceback.tb_lineno})"
    return text + _tail(getattr(error, "stderr", None))


def _reason_in(result: Any) -> str:
    """A command that ended with an error is a failed run, even where nobody looked."""
    if isinstance(result, subprocess.CompletedProcess) and result.returncode != 0:
        return f"{short_repr(result.args)} ended with {_exit(result.returncode)}{_tail(result.stderr)}"
    return ""


def _tail(output: Any) -> str:
    text = output.decode(errors="replace") if isinstance(output, bytes) else output
    return f"\n{text.strip()[-_LONGEST_OUTPUT:]}" if isinstance(text, str) and text.strip() else ""


def _exit(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
    return f"signal {name}" + (" (out of memory?)" if name == "SIGKILL" else "")


# -- one after the other, here


def run_here(work: Work, tasks: Iterator[Task]) -> Iterator[Outcome]:
    """An engine that runs in this process, one task after the other."""
    for task in tasks:
        yield run_task(work, task)


# -- several at a time, in worker processes


def run_in_processes(work: Work, tasks: Iterator[Task], size: int) -> Iterator[Outcome]:
    """An engine with `size` worker processes.

    A worker is a fresh interpreter, not a fork: it shares no locks, threads or GPUs with this process, and does not run
    the user's script again. It does one task after the other; if it dies, its task has failed and another takes over.

    Raises:
        TuneError: the work function cannot be sent to another process.
    """
    pickled = _pickled(work)
    pool: list[_Worker] = []
    pending: Task | None = next(tasks, None)
    try:
        while pending is not None or any(worker.task for worker in pool):
            while pending is not None and (worker := _free(pool, size, pickled)) is not None:
                worker.give(pending)
                pending = next(tasks, None) if _has_room(pool, size) else pending
                break
            yield from _collected(pool)
    finally:
        _end(pool)
