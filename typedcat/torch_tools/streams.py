"""The streams of Python and of the C library, which buffer what descriptors get."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..tune.streams import LOST


def flush() -> None:
    """Let everything out that waits in buffers of Python and of the C library."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(*LOST, AttributeError):  # None, or whatever somebody has put there
            stream.flush()
    with contextlib.suppress(OSError, AttributeError, ValueError):
        library = ctypes.CDLL(None)
        name = "__stdoutp" if sys.platform == "darwin" else "stdout"
        library.fflush(ctypes.c_void_p.in_dll(library, name))


def _leads_to(stream: Any, fd: int) -> bool:
    try:
        return bool(stream.fileno() == fd)
    except (OSError, AttributeError, ValueError):  # a notebook's, or closed
        return False


@contextlib.contextmanager
def missing_streams() -> Iterator[None]:
    """Streams for what was closed when Python started (`>&-`): it has None there, and drops what is printed."""
    made = {
        name: os.fdopen(fd, "w", 1, "utf-8", "backslashreplace", closefd=False)
        for name, fd in (("stdout", 1), ("stderr", 2))
        if getattr(sys, name) is None
    }
    for name, stream in made.items():
        setattr(sys, name, stream)
    try:
        yield
    finally:
        for name, stream in made.items():
            if getattr(sys, name) is stream:
                setattr(sys, name, None)


@contextlib.contextmanager
def line_buffered() -> Iterator[None]:
    """Let each line out when it is printed: what is in a buffer when a process dies is lost, and would say most."""
    changed = [
        (stream, stream.line_buffering)
        for stream, fd in ((sys.stdout, 1), (sys.stderr, 2))
        if isinstance(stream, io.TextIOWrapper) and _leads_to(stream, fd)
    ]
    for stream, _ in changed:
        stream.reconfigure(line_buffering=True)
    try:
        yield
    finally:
        for stream, before in changed:
            with contextlib.suppress(ValueError):  # closed
                stream.reconfigure(line_buffering=before)


class _Doubled:
    """A stream of Python's that does not lead to a descriptor, as in a notebook: what it gets goes into the log too."""

    def __init__(self, stream: Any, log: int) -> None:
        self._stream = stream
        self._log = log

    def write(self, text: str) -> int:
        """Write to both."""
        count: int = self._stream.write(text)
        if self._log >= 0:
            with contextlib.suppress(OSError):
                os.write(self._log, text.encode("utf-8", "backslashreplace"))
        return count

    def end(self) -> Any:
        """Write to the stream alone from now on, for whoever has kept this one; returns the stream."""
        self._log = -1  # the number may soon be that of another file
        return self._stream

    def writelines(self, lines: Any) -> None:
        """Write to both."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def other_streams_too(log: Path) -> Iterator[None]:
    """While it is entered, streams of Python's that lead to no descriptor are copied into a log."""
    names = [
        name
        for name, fd in (("stdout", 1), ("stderr", 2))
        if getattr(sys, name) is not None and not _leads_to(getattr(sys, name), fd)
    ]
    file = os.open(log, os.O_WRONLY | os.O_APPEND)
    doubled = {name: _Doubled(getattr(sys, name), file) for name in names}
    for name, stream in doubled.items():
        setattr(sys, name, stream)
    try:
        yield
    finally:
        for name, stream in doubled.items():
            before = stream.end()
            if getattr(sys, name) is stream:
                setattr(sys, name, before)
        os.close(file)


@contextlib.contextmanager
def last_words(screen: int, name: str, log: Path | None) -> Iterator[None]:
    """A process that shows nothing still shows what ends it: nobody would look for the reason in its log."""
    before: Callable[..., Any] = sys.excepthook

    def hook(kind: Any, error: BaseException, trace: Any) -> None:
        before(kind, error, trace)
        where = f" (all of its output: {log})" if log is not None else ""
        text = "".join(traceback.format_exception(kind, error, trace))
        with contextlib.suppress(OSError):
            os.write(screen, f"{name} has failed{where}\n{text}".encode("utf-8", "backslashreplace"))

    sys.excepthook = hook
    try:
        yield
    finally:
        if sys.excepthook is hook:
            sys.excepthook = before


__all__ = ["flush", "last_words", "line_buffered", "missing_streams", "other_streams_too"]
