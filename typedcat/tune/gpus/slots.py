"""What of a GPU is leased: all of it, or one of several slots, and a port to go with it.

A GPU has one file. Who has all of it holds that exclusively; who has a slot holds it with others, and the file of the
slot, `<GPU>.2of4`, exclusively. So a run that was promised a GPU of its own and runs that share one never meet, and
neither do runs that were promised different numbers of neighbours. All of this happens inside of `LockFolder.entered`,
so that nobody takes a slot between another's look and grasp.
"""

from __future__ import annotations

import contextlib
import errno
import random
import re
import socket

from ...errors import GpuError
from .locks import Holder, LockFile, OpenFolder

# Below the range from which the kernel takes the ports of outgoing connections, and not torchrun's own 29500.
PORTS = range(23_000, 24_000)


def take(folder: OpenFolder, uuid: str, slots: int, of: int) -> list[LockFile]:
    """Lock a GPU or one of its slots.

    Args:
        folder: where the locks are, entered.
        uuid: of the GPU.
        slots: how many of the slots may be used at a time, counted from the first.
        of: how many slots there are; 1 is the whole GPU.

    Returns:
        The locks, the one that tells who holds it last; [] if nothing is to be had now.
    """
    name = _file_name(uuid)
    if of == 1:
        whole = folder.lock(name)
        return [] if whole is None else [whole]
    shared = folder.lock(name, shared=True)
    if shared is None:
        return []
    taken = {slot for slot, _holder in _taken(folder, name)}
    free = [slot for slot in range(1, slots + 1) if (slot, of) not in taken]
    if free and all(number == of for _slot, number in taken):
        own = folder.lock(f"{name}.{free[0]}of{of}")
        if own is not None:
            return [shared, own]
    shared.close()
    return []


def holders(folder: OpenFolder, uuid: str) -> tuple[Holder, ...]:
    """Who has the GPU, or a part of it; arguments as of `take`."""
    name = _file_name(uuid)
    whole = _probe(folder, name, shared=True)
    return (whole,) if whole is not None else tuple(holder for _slot, holder in _taken(folder, name))


def _taken(folder: OpenFolder, name: str) -> list[tuple[tuple[int, int], Holder]]:
    """The slots that are held: (slot, of how many), and by whom."""
    found = []
    for file in sorted(folder.names()):
        match = re.fullmatch(re.escape(name) + r"\.(\d+)of(\d+)", file)
        if match is not None and (holder := _probe(folder, file)) is not None:
            found.append(((int(match[1]), int(match[2])), holder))
    return found


def _probe(folder: OpenFolder, file: str, *, shared: bool = False) -> Holder | None:
    """Who holds a lock; None if it is free."""
    lock = folder.lock(file, shared=shared)
    if lock is not None:
        lock.close()
        return None
    with contextlib.closing(folder.open(file)) as opened:
        return opened.read()


def _file_name(uuid: str) -> str:
    return uuid.replace("/", "_")  # in those of MIG instances, on old drivers


def take_port(folder: OpenFolder) -> tuple[int, LockFile]:
    """A port on which no program listens, and which no other run of this machine gets meanwhile.

    Raises:
        GpuError: there is none.
    """
    start = random.randrange(len(PORTS))  # containers may share the network, but not the folder
    for i in range(len(PORTS)):
        port = PORTS[(start + i) % len(PORTS)]
        lock = folder.lock(f"port-{port}")
        if lock is not None:
            if _is_free(port):
                return port, lock
            lock.close()
    raise GpuError(
        f"there is no free port between {PORTS[0]} and {PORTS[-1]} for MASTER_PORT\n"
        "  end other runs, or the programs that listen on all of these"
    )


def _is_free(port: int) -> bool:
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        try:
            probe = socket.socket(family, socket.SOCK_STREAM)
        except OSError:  # no IPv6
            continue
        with probe:
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                if error.errno != errno.EADDRNOTAVAIL:  # IPv6 is there and switched off
                    return False
    return True
