"""The program that copies output to the screen and into a log, in a process of its own.

A process, because it has to survive the one whose output it copies: what was written before `os._exit`, a crash or
SIGKILL lies in a pipe, and this end of it is read until nobody holds the other one any more. It imports nothing of
typedcat, so that it starts in 20 ms and takes little memory. `output.py` starts it and has the other end.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import sys
import time
from collections.abc import Callable

EVERY_S = 10.0
"""Of a line that is drawn again and again the log gets a state at most this often, and the last one."""

_PIECE = 1 << 16
_IDLE_MS = 1_000
_MOST_RESTARTS = 5
_TALLEST = 500  # lines
_PART = re.compile(
    rb"(\r+\n|\r|\n|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)|\x1b[()][0-9A-Za-z]|\x1b[=>78M])"
)
_BEGUN = re.compile(rb"(?:\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]{0,2000}\x1b?|[()])?|\r+)\Z")
_UP = re.compile(rb"\x1b\[([0-9]*)A")


def marker(token: str) -> bytes:
    """What asks for a sign when everything before it was copied; it is not copied itself."""
    return b"\0typedcat " + token.encode() + b"\1"


class LogText:
    """The output of a program as it goes into a log: without colours, and without most states of progress bars.

    A line that `\\r` begins anew, and lines that are gone back to by 'cursor up', are kept here until they are left.

    Args:
        clock: the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun = b""  # the start of an escape sequence whose end has not come yet
        self._is_open = False  # the last line in the log has no end yet
        self._drawn: list[bytes] | None = None  # the lines that may be drawn again; None: there are none
        self._height = 0  # how many ends of lines may stand in them
        self._written: list[bytes] = []  # the state of them that the log has
        self._when = 0.0  # when the log got it, or when drawing again began

    def feed(self, data: bytes) -> bytes:
        """What goes into the log for this output, now."""
        data, self._begun = self._begun + data, b""
        if self._drawn is None and b"\r" not in data and b"\x1b" not in data:  # nearly always
            self._is_open = not data.endswith(b"\n") if data else self._is_open
            return data
        if (begun := _BEGUN.search(data)) is not None:
            data, self._begun = data[: begun.start()], begun[0]
        return b"".join(map(self._part, _PART.split(data)))

    def idle(self) -> bytes:
        """The same when nothing has come for a while."""
        return self._state() if self._drawn and self._clock() - self._when >= EVERY_S else b""

    def rest(self) -> bytes:
        """What is still to be written, if nothing more comes."""
        return self._state()

    def _part(self, part: bytes) -> bytes:
        if not part:
            return b""
        if part.endswith(b"\n"):
            return self._end_of_line()
        if part == b"\r":
            return self._line_again()
        if (up := _UP.fullmatch(part)) is not None:
            return self._up(int(up[1] or 1))
        return b"" if len(part) > 1 and _PART.fullmatch(part) else self._text(part)

    def _text(self, text: bytes) -> bytes:
        if self._drawn is not None:
            self._drawn[-1] += text
            return b""
        self._is_open = True
        return text

    def _end_of_line(self) -> bytes:
        if self._drawn is None:
            self._is_open = False
            return b"\n"
        if len(self._drawn) <= self._height:
            self._drawn.append(b"")
            return b""
        data = self._state() + b"\n"
        self._drawn, self._is_open, self._written = None, False, []
        return data

    def _line_again(self) -> bytes:
        data = self.idle()
        self._lines()[-1] = b""
        return data

    def _up(self, lines: int) -> bytes:
        data = self.idle()
        drawn = self._lines()
        kept = len(drawn) - 1 - lines
        self._height = min(self._height + max(-kept, 0), _TALLEST)
        self._drawn = [*drawn[: max(kept, 0)], b""]
        return data

    def _lines(self) -> list[bytes]:
        if self._drawn is None:
            self._drawn, self._height, self._when = [b""], 0, self._clock()
        return self._drawn

    def _state(self) -> bytes:
        """The lines that may be drawn again, if they are anything new."""
        shown = [line.rstrip() for line in self._drawn or ()]
        if shown == self._written or not any(shown):
            return b""
        data = (b"\n" if self._is_open else b"") + b"\n".join(shown)
        self._written, self._when, self._is_open = shown, self._clock(), True
        return data


class Screen:
    """Where a stream went before: a terminal, a file, a pipe. When it is gone, what it would have got is dropped."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def write(self, data: bytes) -> None:
        """Write all of it, however long that takes."""
        while data and self.fd >= 0:
            try:
                data = data[os.write(self.fd, data) :]
            except BlockingIOError:  # somebody has made it non-blocking
                select.select([], [self.fd], [])
            except OSError:
                self.fd = -1

    def size(self) -> bytes:
        """Of a terminal: rows and columns, as the system says them."""
        import fcntl  # not on Windows, where this module is imported all the same
        import termios

        return fcntl.ioctl(self.fd, termios.TIOCGWINSZ, bytes(8)) if self.fd >= 0 else b""


class Log:
    """The file. What cannot be written is counted, and the count stands in the log when it can be written again."""

    def __init__(self, fd: int, complain: Callable[[str], None]) -> None:
        self.fd = fd
        self._complain = complain
        self._lost = 0

    def write(self, data: bytes) -> None:
        """Write what can be written."""
        if not data:
            return
        gap = b"\n[typedcat: %d bytes are missing here]\n" % self._lost if self._lost else b""
        left = gap + data
        try:
            while left:
                left = left[os.write(self.fd, left) :]
        except OSError as error:
            if not self._lost:
                self._complain(f"the log cannot be written: {error.strerror}; the output goes on without it")
            self._lost += min(len(left), len(data))
        else:
            self._lost = 0


class Input:
    """One stream that is copied: a pipe, or the end of a terminal that only exists for it."""

    def __init__(self, fd: int, screen: Screen, mark: bytes) -> None:
        self.fd = fd
        self.screen = screen
        self._mark = mark
        self._held = b""  # what may be the start of a marker
        self._is_terminal = os.isatty(fd)
        self._size = b""

    def read(self) -> tuple[bytes, bool] | None:
        """(what has come, whether a marker was in it); None at the end."""
        self.fit()
        try:
            data = os.read(self.fd, _PIECE)
        except OSError:  # how a terminal says that nobody has it open
            data = b""
        if not data:
            rest, self._held = self._held, b""
            return (rest, False) if rest else None
        *before, data = (self._held + data).split(self._mark)
        at = data.rfind(b"\0")
        cut = at if at >= 0 and self._mark.startswith(data[at:]) else len(data)
        self._held = data[cut:]
        return b"".join(before) + data[:cut], bool(before)

    def fit(self) -> None:
        """Give the terminal the size of the real one."""
        if not self._is_terminal:
            return
        import fcntl
        import termios

        try:
            size = self.screen.size()
            if size and size != self._size:
                fcntl.ioctl(self.fd, termios.TIOCSWINSZ, size)
                self._size = size
        except OSError:  # the real one is gone
            self._is_terminal = False


def copy(inputs: list[Input], log: Log, ack: int) -> None:
    """Copy until all inputs have ended. Each time that a marker has come on all of them, a byte goes to `ack`."""
    text = LogText()
    reading = {one.fd: one for one in inputs}
    marked: set[int] = set()
    poll = select.poll()
    for fd in reading:
        poll.register(fd, select.POLLIN)
    while reading:
        ready = poll.poll(_IDLE_MS)
        if not ready:
            log.write(text.idle())
            for one in reading.values():
                one.fit()
        for fd, _ in ready:
            one = reading[fd]
            if (found := one.read()) is None:
                poll.unregister(fd)
                del reading[fd]
                continue
            data, has_marker = found
            one.screen.write(data)
            log.write(text.feed(data))
            if has_marker:
                marked.add(fd)
        if marked and marked.issuperset(reading):
            marked.clear()
            log.write(text.rest())
            _say(ack)
    log.write(text.rest())


def _say(ack: int) -> None:
    with contextlib.suppress(OSError):  # nobody waits any more
        os.write(ack, b".")


def run(ack: int, log_fd: int, token: str, streams: list[tuple[int, int]]) -> None:
    """Copy the streams, (input, screen) each; -1 is a screen that shows nothing."""
    screens = {fd: Screen(fd) for _, fd in streams}
    last = screens[streams[-1][1]]
    log = Log(log_fd, lambda problem: last.write(f"\ntypedcat: {problem}\n".encode()))
    copy([Input(fd, screens[screen], marker(token)) for fd, screen in streams], log, ack)


def main(arguments: list[str]) -> None:
    """Leave the process that has started this one, copy, and start again when that is killed."""
    ack, log_fd, token, *pairs = arguments
    streams = [(int(a), int(b)) for a, b in (pair.split(":") for pair in pairs)]
    if os.fork():
        os._exit(0)  # who has started this one waits for it, and has no child after that
    os.chdir("/")
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGCONT}:
        signal.signal(number, signal.SIG_IGN)  # Ctrl-C, a scheduler's warning: there is more to copy after them
    for _ in range(_MOST_RESTARTS):
        child = os.fork()
        if not child:
            run(int(ack), int(log_fd), token, streams)
            os._exit(0)
        if os.waitpid(child, 0)[1] == 0:
            break


if __name__ == "__main__":
    main(sys.argv[1:])
