"""Copying what a process writes into a file, at the level of descriptors: output of its subprocesses and of C code too.

Descriptors 1 and 2 become pipes, or, where they led to a terminal, a terminal of the same size, so that progress bars
and colours stay. Another process, `copier.py`, reads them; see there why.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import subprocess
import sys
import time
import traceback
from pathlib import Path

from ..errors import EnvError
from ..tune.streams import fill_standard_streams
from .copier import marker
from .streams import flush, last_words, line_buffered, missing_streams, other_streams_too

_PATIENCE_S = 10.0
_COPIER = Path(__file__).with_name("copier.py")


def new_log(folder: Path, rank: int = 0) -> Path:
    """Make an empty log with a name of its own: `2026-01-02--03-04-05.log`, of rank 1 `2026-01-02--03-04-05.rank1.log`.

    Args:
        folder: where; it is made if need be.
        rank: of this process, in a distributed training.

    Raises:
        EnvError: the system refuses.
    """
    time_of_day = time.strftime("%Y-%m-%d--%H-%M-%S")
    suffix = f".rank{rank}.log" if rank else ".log"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(1, 10_000):
            file = folder / f"{time_of_day}{f'-{number}' if number > 1 else ''}{suffix}"
            with contextlib.suppress(FileExistsError):
                os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
                return file
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise EnvError("log_stdout", f"no log can be written into {folder}: {reason}") from error
    raise EnvError("log_stdout", f"{folder} has ten thousand logs of this second")


class Capture:
    """Copies standard output and standard error of this process, from now on.

    Args:
        log: the file; None for none.
        silent: nothing of it is shown on the screen. What ends the process still is.
        name: what this process is called there.

    Attributes:
        error: what is being raised when it is closed; the log gets its traceback.

    Raises:
        EnvError: this system has no `fork`, or the copying process cannot be started.
    """

    def __init__(self, log: Path | None, *, silent: bool = False, name: str = "") -> None:
        if not hasattr(os, "fork"):
            raise EnvError("log_stdout", "output is copied on Linux and macOS only", "log_stdout=False leaves it alone")
        self.log = log
        self._file = os.path.abspath(log or os.devnull)  # the process may change its folder
        self._pid = os.getpid()
        self._mark = b""
        self._ack = -1
        self._is_closed = False
        self.error: BaseException | None = None
        fill_standard_streams()
        flush()
        for one in _abandoned():
            one.close()
        self._kept = os.dup(1), os.dup(2)
        with contextlib.ExitStack() as undo:
            for fd in self._kept:
                undo.callback(os.close, fd)
            self._ends = self._start(silent, undo)
            for fd in (1, 2):
                os.dup2(self._ends[fd - 1], fd)
            undo.callback(self._restore)
            undo.enter_context(missing_streams())
            undo.enter_context(line_buffered())
            if log is not None:
                undo.enter_context(other_streams_too(log))
            if silent:
                undo.enter_context(last_words(self._kept[1], name, log))
            self._undo = undo.pop_all()
        _open.append(self)

    def sync(self) -> None:
        """Wait until everything that was written so far is on the screen and in the log, but not for ever."""
        flush()
        if self._ack < 0 or self._is_closed or os.getpid() != self._pid:
            return  # the numbers of what is closed may be those of other files
        with contextlib.suppress(OSError):  # the copying process was killed
            for end in set(self._ends):
                os.write(end, self._mark)
            poll = select.poll()
            poll.register(self._ack, select.POLLIN)
            if poll.poll(_PATIENCE_S * 1_000):
                os.read(self._ack, 1)

    def close(self) -> None:
        """Give back the descriptors."""
        if self._is_closed or os.getpid() != self._pid:  # a forked child has them from its parent, and keeps them
            return
        _open.remove(self)
        try:
            self.sync()
        finally:  # Ctrl-C ends the waiting
            self._is_closed = True
            self._undo.close()
        if self.error is not None and not isinstance(self.error, SystemExit) and self.log is not None:
            text = "".join(traceback.format_exception(self.error))
            with (
                contextlib.suppress(OSError),
                open(self._file, "a", encoding="utf-8", errors="backslashreplace") as log,
            ):
                log.write(text)

    def _start(self, silent: bool, undo: contextlib.ExitStack) -> tuple[int, int]:
        """Start copying; returns where standard output and standard error have to go."""
        screens = (-1, -1) if silent else self._kept
        if self.log is None:
            null = os.open(os.devnull, os.O_WRONLY)
            undo.callback(os.close, null)
            return (null, null) if silent else self._kept
        token = secrets.token_hex(8)
        with contextlib.ExitStack() as theirs:
            log = os.open(self.log, os.O_WRONLY | os.O_APPEND)
            theirs.callback(os.close, log)
            self._ack, said = _owned(os.pipe(), undo, theirs)
            channels = [_channel(screens[0], undo, theirs)]
            if not silent and not _is_same(*self._kept):  # else one carries both, and their order is kept
                channels.append(_channel(screens[1], undo, theirs))
            pairs = [f"{fd}:{screen}" for (_, fd), screen in zip(channels, screens, strict=False)]
            fds = [said, log, *(fd for _, fd in channels), *(fd for fd in screens if fd >= 0)]
            command = [sys.executable, "-I", "-S", str(_COPIER), str(said), str(log), token, *pairs]
            null = subprocess.DEVNULL
            try:
                code = subprocess.Popen(
                    command, stdin=null, stdout=null, stderr=null, pass_fds=fds, start_new_session=True
                ).wait()
            except OSError as error:
                raise EnvError("log_stdout", f"the process that writes the log cannot be started: {error}") from error
            if code:
                raise EnvError(
                    "log_stdout", f"the process that writes the log has ended at once, with exit code {code}"
                )
        self._mark = marker(token)
        return channels[0][0], channels[-1][0]

    def _restore(self) -> None:
        for fd in (1, 2):
            if _is_same(fd, self._ends[fd - 1]):  # else somebody has put something else there, and will put this back
                os.dup2(self._kept[fd - 1], fd)


_open: list[Capture] = []


def _abandoned() -> list[Capture]:
    """Those that get no output any more: somebody has put back what was there, as a tuner's worker does after a run."""
    left, fds = list(_open), [1, 2]
    for fd in fds:
        reached = [one for one in left if any(_is_same(fd, end) for end in one._ends)]
        left = [one for one in left if one not in reached]
        fds += [kept for one in reached for kept in one._kept]
    return left


# -- where output goes


def _owned(pair: tuple[int, int], first: contextlib.ExitStack, second: contextlib.ExitStack) -> tuple[int, int]:
    first.callback(os.close, pair[0])
    second.callback(os.close, pair[1])
    return pair


def _channel(screen: int, ours: contextlib.ExitStack, theirs: contextlib.ExitStack) -> tuple[int, int]:
    """(end to write to, end to read from) of a pipe, or of a terminal if that is what the screen is."""
    if screen < 0 or not os.isatty(screen):
        read, write = os.pipe()
        return _owned((write, read), ours, theirs)
    import fcntl
    import termios

    read, write = os.openpty()
    modes = termios.tcgetattr(write)
    modes[1] &= ~termios.OPOST  # the real one will turn \n into \r\n
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(write, termios.TCSANOW, modes)
    with contextlib.suppress(OSError):
        fcntl.ioctl(read, termios.TIOCSWINSZ, fcntl.ioctl(screen, termios.TIOCGWINSZ, bytes(8)))
    return _owned((write, read), ours, theirs)


def _is_same(one: int, other: int) -> bool:
    """Whether two descriptors lead to the same terminal, file or pipe."""
    try:
        first, second = os.fstat(one), os.fstat(other)
    except OSError:  # closed
        return False
    return (first.st_dev, first.st_ino, first.st_rdev) == (second.st_dev, second.st_ino, second.st_rdev)


__all__ = ["Capture", "new_log"]
