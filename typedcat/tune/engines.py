"""Running tasks: in this process, or several at a time in processes of their own.

An engine is a function from tasks to outcomes, both iterators: it takes the next task when it has room for it and gives
an outcome as soon as there is one, in whatever order. Whatever a run does is an outcome, never an exception of the
engine. Closing the iterator of outcomes ends what still runs.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import TuneError, TypedcatError, short_repr
from ..load.pipeline import load_config
from ..tree.pickling import dumps

Work = Callable[..., Any]
"""The user's function: (pkl_idx, cfg, cfg_pkl, cfg_rslt_dir, cuda_env)."""

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
    except (Exception, SystemExit) as raised:  # noqa: BLE001 - whatever a run does is its outcome
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


def run_here(work: Work, tasks: Iterator[Task]) -> Generator[Outcome]:
    """An engine that runs in this process, one task after the other."""
    for task in tasks:
        yield run_task(work, task)


# -- several at a time, each in a process of its own


def run_in_processes(
    work: Work, tasks: Iterator[Task], size: int, groups: Sequence[dict[str, str]] = ()
) -> Generator[Outcome]:
    """An engine that runs up to `size` tasks at a time, each in a fresh interpreter and a process group of its own.

    A fresh interpreter shares no locks, threads or GPUs with this process and does not run the user's script again. If
    it dies, its task has failed, and nothing else.

    Args:
        work: the work function; it is sent by value.
        tasks: what to run.
        size: how many at a time.
        groups: environments to lend, one to each task that runs; at least `size` of them, or none.

    Raises:
        TuneError: the work function cannot be sent to another process.
    """
    pickled = _pickled(work)
    free: queue.SimpleQueue[dict[str, str]] = queue.SimpleQueue()
    for group in groups or [{}] * size:
        free.put(group)
    processes = _Processes()

    def run(task: Task) -> Outcome:
        lent = free.get()
        try:
            return _run_apart(pickled, replace(task, environment={**task.environment, **lent}), processes)
        finally:
            free.put(lent)

    with ThreadPoolExecutor(size, thread_name_prefix="typedcat-run") as threads:
        waiting: set[Future[Outcome]] = set()
        try:
            while True:
                waiting |= {threads.submit(run, task) for task in itertools.islice(tasks, size - len(waiting))}
                if not waiting:
                    return
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        finally:
            processes.end()


def _pickled(work: Work) -> bytes:
    try:
        return dumps(work)
    except Exception as error:
        raise TuneError(
            f"the work function cannot be sent to another process: {type(error).__name__}: {error}\n"
            "  open files, locks and connections inside of it, or run with pool_size=0"
        ) from error


_START = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from typedcat.tune.worker import main
main(*sys.argv[2:])
"""


def _run_apart(pickled: bytes, task: Task, processes: _Processes) -> Outcome:
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="typedcat-") as folder:
        order, answer = os.path.join(folder, "task"), os.path.join(folder, "outcome")
        with open(order, "wb") as stream:
            pickle.dump({"argv": sys.argv, "work": pickled, "task": task}, stream)
        # modules are searched where they are here; PYTHONPATH would do that to every program that the run starts, too
        search = json.dumps([os.fspath(path) for path in sys.path])
        code = processes.run([sys.executable, "-P", "-c", _START, search, order, answer], answer)
        try:
            with open(answer, "rb") as stream:
                outcome: Outcome = pickle.load(stream)
                return outcome
        except OSError:
            error = f"its process ended with {_exit(code)}"
        except Exception as raised:  # noqa: BLE001 - what was pickled there need not load here
            error = f"what it returned cannot be read here: {reason(raised)}"
        return Outcome(task.index, None, error, time.monotonic() - start)


class _Processes:
    """The processes that run, so that they can be ended together, with whatever they have started."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.running: set[subprocess.Popen[bytes]] = set()
        self.ended = False

    def run(self, command: Sequence[str], answer: str) -> int:
        """Run a command and wait for it; returns its exit code.

        What it has started is ended with it if it dies without an answer.
        """
        with self.lock:
            if self.ended:
                return -signal.SIGTERM
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
            self.running.add(process)
        code = process.wait()
        with self.lock:
            self.running.discard(process)
        if not os.path.exists(answer):
            _signal(process, signal.SIGKILL)
        return code

    def end(self) -> None:
        """Ask what still runs to end, then end it; nothing starts any more."""
        with self.lock:
            self.ended = True
            left = list(self.running)
        for process in left:
            _signal(process, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_S
        for process in left:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        for process in left:
            _signal(process, signal.SIGKILL)


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    """Signal the process group that a process leads; it may be empty by now."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
