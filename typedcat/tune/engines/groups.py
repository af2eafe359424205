"""Process groups, with what has left them: programs such as torchrun start their workers in sessions of their own."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterable


def signal_groups(groups: Collection[int], number: int) -> None:
    """Send a signal to process groups, and to all that descends from their processes.

    A descendant whose parents have all ended is found no more: who wants to outlive everything, does.

    Args:
        groups: the pids of their leaders, which nobody has waited for yet (else the number may be another's by now).
        number: the signal.
    """
    strays = strays_of(groups)  # first of all: when its parent is dead, nobody knows whose it was
    mine = os.getpgrp()  # last, as it may be the end of this process
    _send(os.killpg, [group for group in groups if group != mine], number)
    _send(os.kill, strays, number)
    _send(os.killpg, [group for group in groups if group == mine], number)


def _send(how: Callable[[int, int], None], to: Iterable[int], number: int) -> None:
    for pid in to:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            how(pid, number)


def strays_of(groups: Collection[int]) -> list[int]:
    """The processes outside of the groups that belong to their sessions, or descend from their processes."""
    children: dict[int, list[int]] = {}
    inside, found = [], []
    for pid, parent, group, session in _processes():
        children.setdefault(parent, []).append(pid)
        if group in groups:
            inside.append(pid)
        elif session in groups:
            found.append(pid)
    seen = {*inside, *found}
    waiting = list(seen)
    while waiting:
        for pid in children.get(waiting.pop(), ()):
            if pid not in seen:
                seen.add(pid)
                waiting.append(pid)
                found.append(pid)
    return found


def _processes() -> Iterable[tuple[int, int, int, int]]:
    """(pid, parent, group, session) of every process that can be seen."""
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as stream:
                fields = stream.read().rpartition(b")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        yield int(name), int(fields[1]), int(fields[2]), int(fields[3])
