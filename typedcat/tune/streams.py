"""The streams of the runner: what cannot be shown must not end a sweep.

A terminal may be gone, a pipe closed (`| head`), the disk of a log full, and a stream may know no `é`. None of that is
a reason to lose a run.
"""

from __future__ import annotations

import contextlib
import os
import sys

from ..console import console

LOST = (OSError, ValueError, SystemExit)
"""What a stream raises that is gone; ValueError if it was closed, SystemExit where rich finds a broken pipe."""


def show(text: str) -> None:
    """Print lines to standard output as they are; see `console.write`."""
    with contextlib.suppress(*LOST):
        screen = console()
        screen.print(printable(text, screen.encoding), markup=False, highlight=False, emoji=False, soft_wrap=True)


def pass_on(text: str) -> None:
    """Write what a run has written to standard output, unchanged."""
    stream = sys.stdout
    if stream is None:  # pythonw, and descriptors that were closed at the start
        return
    with contextlib.suppress(*LOST):
        stream.write(printable(text, getattr(stream, "encoding", None)))
        stream.flush()


def printable(text: str, encoding: str | None) -> str:
    """The text with escapes for the characters that an encoding does not have, half ones among them."""
    try:
        return text.encode(encoding or "utf-8", "backslashreplace").decode(encoding or "utf-8")
    except LookupError:
        return text.encode("ascii", "backslashreplace").decode()


def fill_standard_streams() -> None:
    """Open the descriptors 0, 1 and 2 where they are closed, as after `<&-`: a lock must not become standard input."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest free number, so this one
            os.set_inheritable(opened, True)
