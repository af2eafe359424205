"""What runs tasks: the protocol that all engines share, and the one that runs them in this process.

Whatever a run does is an outcome, never an exception of the engine.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from ...errors import TypedcatError, short_repr
from ...load.pipeline import load_config
from ...load.record import record_run
from ...load.surroundings import Surroundings

Work: TypeAlias = Callable[..., Any]
"""The user's function: (pkl_idx, cfg, cfg_pkl, cfg_rslt_dir, cuda_env)."""

_LONGEST_OUTPUT = 2_000  # characters of a failed command's output that are kept
OUTPUT = "output.txt"
"""The file in the result folder of a run that gets its output."""


@dataclass(frozen=True)
class Task:
    """One run.

    Attributes:
        index: its number in the grid.
        cfg_pkl: the file of its config.
        rslt_dir: its result folder, which exists; its output goes there.
        environment: what it gets on top of the environment of this process.
        fds: descriptors that its process keeps open for as long as it lives: locks.
    """

    index: int
    cfg_pkl: str
    rslt_dir: str = os.curdir
    environment: dict[str, str] = field(default_factory=dict)
    fds: tuple[int, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    Attributes:
        index: of the task.
        result: what the work function returned.
        error: why it failed, on one line or several; '' if it did not.
        seconds: how long it took.
        exit_code: of its process, if that died; negative for a signal.
        stopped: whether it was asked to end before it had ended by itself.
    """

    index: int
    result: Any = None
    error: str = ""
    seconds: float = 0.0
    exit_code: int | None = None
    stopped: bool = False


class Engine(Protocol):
    """Runs tasks, several at a time."""

    @property
    def room(self) -> int:
        """How many more tasks can be started now."""
        ...

    def start(self, task: Task) -> None:
        """Start a task; there has to be room."""

    def wait(self, timeout_s: float) -> list[Outcome]:
        """The outcomes of runs that have ended; waits for one, but no longer than `timeout_s`."""
        ...

    def stop(self, how: Literal["ask", "kill"]) -> None:
        """Ask all runs to end, or kill them and everything that they have started; `wait` gives their outcomes."""

    def close(self) -> None:
        """End all processes."""


# -- in this process


class Here:
    """Runs a task at once, in this process: for a debugger, and for work that no other process can get.

    Args:
        work: the work function.
        surroundings: see `run_task`.
    """

    def __init__(self, work: Work, surroundings: Surroundings | None = None) -> None:
        self.work = work
        self.surroundings = surroundings
        self.ended: list[Outcome] = []

    @property
    def room(self) -> int:
        """See `Engine`."""
        return 0 if self.ended else 1

    def start(self, task: Task) -> None:
        """See `Engine`."""
        self.ended.append(run_task(self.work, task, self.surroundings))

    def wait(self, timeout_s: float) -> list[Outcome]:
        """See `Engine`."""
        ended, self.ended = self.ended, []
        return ended

    def stop(self, how: Literal["ask", "kill"]) -> None:
        """See `Engine`; nothing runs when anyone can ask."""

    def close(self) -> None:
        """See `Engine`."""


def run_task(work: Work, task: Task, surroundings: Surroundings | None = None) -> Outcome:
    """Load the config of a task and do its work, in this process; raises nothing but interrupts.

    Args:
        work: the work function.
        task: the run.
        surroundings: what it runs in, for the record in its result folder; None for no record.
    """
    start = time.monotonic()
    result, error = None, ""
    try:
        with contextlib.chdir(os.curdir):  # a run that changes it must not move the next one
            cfg = load_config(task.cfg_pkl)
            if surroundings is not None:
                record_run(cfg, surroundings=surroundings.here())
            environment = {**os.environ, **task.environment}
            result = work(task.index, cfg, task.cfg_pkl, cfg.rslt_dir, environment)
        error = _reason_in(result)
    except (Exception, SystemExit) as raised:  # noqa: BLE001 - whatever a run does is its outcome
        error = reason(raised)
    return Outcome(task.index, None if error else result, error, time.monotonic() - start)


# -- why a run failed


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
    return text + tail(getattr(error, "stderr", None))


def _reason_in(result: Any) -> str:
    """A command that ended with an error is a failed run, even where nobody looked."""
    if isinstance(result, subprocess.CompletedProcess) and result.returncode != 0:
        return f"{short_repr(result.args)} ended with {exit_text(result.returncode)}{tail(result.stderr)}"
    return ""


def tail(output: Any) -> str:
    """The end of an output, on lines of its own; '' if there is none."""
    text = output.decode(errors="replace") if isinstance(output, bytes) else output
    return f"\n{text.strip()[-_LONGEST_OUTPUT:]}" if isinstance(text, str) and text.strip() else ""


def tail_of(file: str, start: int) -> str:
    """The end of what was written to a file from the offset `start` on."""
    try:
        with open(file, "rb") as stream:
            end = stream.seek(0, os.SEEK_END)
            stream.seek(max(start, end - 4 * _LONGEST_OUTPUT))
            return tail(stream.read())
    except OSError:
        return ""


def exit_text(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
    return f"signal {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
