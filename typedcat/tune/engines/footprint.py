"""Whether a run has left its process as it was, so that another one may run there as if it were the first."""

from __future__ import annotations

import contextlib
import fcntl
import io
import logging
import os
import resource
import signal
import stat
import sys
import threading
from typing import Any

_LIMITS = tuple(number for name, number in vars(resource).items() if name.startswith("RLIMIT_"))
_STANDARD = (0, 1, 2)
_SIGNALS = tuple(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})


class Footprint:
    """What a process is like before a run.

    Modules that a run has imported, and what they hold, are not looked at: that they are there is what makes the next
    run fast. The handlers of the root logger are, as with them the next run would log into the folder of this one; but
    not those of the standard streams, which lead to the folder of each: scripts begin with `logging.basicConfig()`.
    """

    def __init__(self) -> None:
        self._before = _state()
        self._threads = set(threading.enumerate())

    def is_clean(self) -> bool:
        """Whether the process is still like that, and nothing goes on in it."""
        return set(threading.enumerate()) <= self._threads and not has_children() and _state() == self._before


def _state() -> tuple[Any, ...]:
    umask = os.umask(0o077)
    os.umask(umask)
    return (
        umask,
        dict(os.environ),
        tuple(map(signal.getsignal, _SIGNALS)),
        signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        signal.getitimer(signal.ITIMER_REAL),
        tuple(map(resource.getrlimit, _LIMITS)),
        os.getpriority(os.PRIO_PROCESS, 0),
        tuple((id(one), isinstance(one, io.IOBase) and one.closed) for one in (sys.stdin, sys.stdout, sys.stderr)),
        id(sys.excepthook),
        tuple(sys.argv),
        (sys.gettrace(), sys.getprofile()),
        os.sched_getaffinity(0),
        tuple(id(one) for one in logging.root.handlers if getattr(one, "stream", None) not in (sys.stdout, sys.stderr)),
        _descriptors(),
    )


def _descriptors() -> tuple[int, set[tuple[int, int, int]]]:
    """How many hundreds there are, as they add up from run to run; the standard streams; files that are written.

    The next run would write into these as well: into a log in the folder of this one.
    """
    names = os.listdir("/proc/self/fd")
    found = set()
    for fd in map(int, names):
        with contextlib.suppress(OSError):  # that of the listing itself
            about = os.fstat(fd)
            is_written = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
            if fd in _STANDARD or (stat.S_ISREG(about.st_mode) and is_written):
                found.add((fd, about.st_dev, about.st_ino))
    return len(names) // 100, found


def has_children() -> bool:
    """Whether this process has others below it; true where the system does not tell."""
    try:
        for thread in os.listdir("/proc/self/task"):
            with open(f"/proc/self/task/{thread}/children", "rb") as stream:
                if stream.read().strip():
                    return True
    except OSError:  # a thread has ended meanwhile, or this kernel does not tell
        return True
    return False
