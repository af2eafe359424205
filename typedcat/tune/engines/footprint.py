"""Whether a run has left its process as it was, so that another one may run there as if it were the first."""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
from typing import Any

_LIMITS = tuple(number for name, number in vars(resource).items() if name.startswith("RLIMIT_"))
_SIGNALS = tuple(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})


class Footprint:
    """What a process is like before a run.

    Modules that a run has imported, and what they hold, are not looked at: that they are there is what makes the next
    run fast.
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
        tuple(map(id, (sys.stdin, sys.stdout, sys.stderr, sys.excepthook))),
    )


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
