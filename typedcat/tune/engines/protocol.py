"""What runs tasks: the protocol that all engines share, and the one that runs them in this process.

Whatever a run does is an outcome, never an exception of the engine. `tests/tune/test_engines.py` holds every engine to
what stands here.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from sysconfig import get_path
from types import TracebackType
from typing import Any, Literal, Protocol, TypeAlias

from ...errors import TypedcatError, short_repr
from ...load.pipeline import load_complete
from ...load.record import RECORDED_RUN, record_run
from ...load.surroundings import Surroundings

Work: TypeAlias = Callable[..., Any]
"""The user's function: (pkl_idx, cfg, cfg_pkl, cfg_rslt_dir, cuda_env)."""

_LONGEST_OUTPUT = 2_000  # characters of a failed command's output that are kept
_LONGEST_REASON = 5_000  # characters of an exception
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)
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
    """Runs tasks, several at a time. One thread calls it, and no signal handler does."""

    @property
    def room(self) -> int:
        """How many more tasks can be started now; at least 1 when none runs and every outcome was taken."""
        ...

    def start(self, task: Task) -> None:
        """Start a task; there has to be room. That it cannot be started is its outcome."""

    def wait(self, timeout_s: float) -> list[Outcome]:
        """The outcomes of runs that have ended, each once; waits for one, but not much longer than `timeout_s`.

        It returns at once when nothing runs. Runs whose time is up are ended from here, so it has to be called often.
        """
        ...

    def stop(self, how: Literal["ask", "kill"]) -> None:
        """Ask all runs to end, or kill them and everything that they have started; returns at once.

        `wait` gives their outcomes, which are `stopped`, whatever the runs have made of it; those of runs that had
        ended before stay what they are. A run that was asked is killed when its grace is over.
        """

    def close(self) -> None:
        """End all processes. There are no outcomes after that; a second time does nothing."""


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


class Asked(SystemExit):
    """Raised in a run that was asked to end, so that it can clean up."""


def run_task(work: Work, task: Task, surroundings: Surroundings | None = None, *, trace: bool = False) -> Outcome:
    """Load the config of a task and do its work, in this process; raises nothing but `KeyboardInterrupt`.

    Args:
        work: the work function.
        task: the run.
        surroundings: what it runs in, for the record in its result folder; None for no record.
        trace: whether the traceback of what it raises goes to standard error.
    """
    start = time.monotonic()
    result, error = None, ""
    try:
        with contextlib.chdir(os.curdir), in_one_process():  # a run that changes it must not move the next one
            cfg: Any = load_complete(task.cfg_pkl)
            if surroundings is not None:
                record_run(cfg, surroundings=surroundings.here())
                os.environ[RECORDED_RUN] = os.path.abspath(cfg.rslt_dir)
            environment = {**os.environ, **task.environment}
            result = work(task.index, cfg, task.cfg_pkl, cfg.rslt_dir, environment)
        error = _reason_in(result)
    except KeyboardInterrupt:
        raise
    except BaseException as raised:  # noqa: BLE001 - whatever a run does is its outcome
        error = _reason_of_end(raised)
        if trace and error and not isinstance(raised, Asked):
            _print_traceback(raised)
    finally:
        os.environ.pop(RECORDED_RUN, None)
    return Outcome(task.index, None if error else result, error, time.monotonic() - start)


@contextlib.contextmanager
def in_one_process() -> Iterator[None]:
    """What the user's code forks in here, and does not end, ends here: it must not go on as a second runner."""
    pid = os.getpid()
    try:
        yield
    finally:
        if os.getpid() != pid:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
            os._exit(1)


# -- why a run failed


def _reason_of_end(raised: BaseException) -> str:
    """`sys.exit()` and `sys.exit(0)` are how scripts say that all is well."""
    if isinstance(raised, Asked):
        return "it was ended by SIGTERM, which this runner has not sent"
    if isinstance(raised, SystemExit) and raised.code in (None, 0):
        return ""
    return reason(raised)


def _print_traceback(raised: BaseException) -> None:
    with contextlib.suppress(Exception):  # a stream that the run has closed, a __str__ that raises
        beyond = raised.__traceback__.tb_next if raised.__traceback__ is not None else None
        traceback.print_exception(type(raised), raised, beyond)


def reason(error: BaseException) -> str:
    """Why something failed: the type and text of an exception, where it was raised, and a command's output."""
    theirs, innermost = _raised_at(error)
    if isinstance(error, TypedcatError):
        first, newline, rest = str(error).partition("\n")
        return shortened(f"{first}{_place(theirs)}{newline}{rest}")
    text = f"{type(error).__name__}: {said}" if (said := _text_of(error)) else type(error).__name__
    return text + _place(theirs or innermost) + tail(getattr(error, "stderr", None))


def _place(at: TracebackType | None) -> str:
    return "" if at is None else f" ({os.path.basename(at.tb_frame.f_code.co_filename)}:{at.tb_lineno})"


@functools.cache
def _libraries() -> tuple[str, ...]:
    """How the paths of files begin that are no code of the user's."""
    folders = [get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    folders.append(str(Path(__file__).parents[2]))  # typedcat itself
    return (*(os.path.join(folder, "") for folder in folders), "<frozen")


def _raised_at(error: BaseException) -> tuple[TracebackType | None, TracebackType | None]:
    """The innermost lines that led to an error: of the user's code, and of anybody's."""
    found, at = None, error.__traceback__
    last = at
    while at is not None:
        last = at
        if not at.tb_frame.f_code.co_filename.startswith(_libraries()):
            found = at
        at = at.tb_next
    return found, last


def _text_of(error: BaseException) -> str:
    try:
        return shortened(_ESCAPES.sub("", str(error)))
    except BaseException as another:  # noqa: BLE001 - a broken __str__ of the user's must not hide its error
        return f"its text cannot be told, as that raises {type(another).__name__}"


def shortened(text: str) -> str:
    """The text without its middle, if it is too long to be a reason."""
    half = _LONGEST_REASON // 2
    return text if len(text) <= _LONGEST_REASON else f"{text[:half]} [...] {text[-half:]}"


def _reason_in(result: Any) -> str:
    """A command that ended with an error is a failed run, even where nobody looked."""
    if isinstance(result, subprocess.CompletedProcess) and result.returncode != 0:
        return f"{short_repr(result.args)} ended with {exit_text(result.returncode)}{tail(result.stderr)}"
    return ""


def tail(output: Any) -> str:
    """The end of an output as a reader sees it, on lines of its own; '' if there is none.

    Of a progress bar, which overwrites its line again and again, only the last state is kept, and no colours.
    """
    text = output.decode(errors="replace") if isinstance(output, bytes) else output
    if not isinstance(text, str):
        return ""
    text = _ESCAPES.sub("", text[-16 * _LONGEST_OUTPUT :])
    lines = [line.rstrip("\r").rpartition("\r")[2].rstrip() for line in text.split("\n")]
    text = "\n".join(lines).strip()
    return f"\n{text[-_LONGEST_OUTPUT:]}" if text else ""


def tail_of(file: str) -> str:
    """The end of what a file holds; '' if it cannot be read."""
    try:
        with open(file, "rb") as stream:
            end = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, end - 16 * _LONGEST_OUTPUT))
            return tail(stream.read(16 * _LONGEST_OUTPUT))
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
