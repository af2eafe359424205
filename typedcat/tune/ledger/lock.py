"""One runner per result folder: a lock that the kernel frees when its holder and the holder's workers are gone.

Where machines share a folder without sharing locks (some network file systems), or where there are no locks at all,
the holder also counts in the file, and who comes from another machine watches for a while whether it still does. No
clock is compared.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import getpass
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from ...errors import HeldError, TuneError, short_path

LOCK = "runner.lock"
BEAT_S = 2.0
_WATCH_S = 2.5 * BEAT_S
_MOMENT_S = 1.0
_MOST_PIDS = 5  # that a message names
_UNSUPPORTED = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)


class RunnerLock:
    """The lock of a result folder; a context manager.

    Args:
        folder: the folder, which exists.
        patience_s: how long it may take until what a dead runner has left running has ended.
        tell: is told what is waited for, if that takes more than a moment.

    Attributes:
        fd: the descriptor that holds the lock; so does every process that gets it.
        lost: whether another runner has taken the folder: on another machine, while this one was asleep.

    Raises:
        HeldError: another runner is at work there.
        TuneError: the folder cannot be written.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        patience_s: float = 15.0,
        tell: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.path = os.path.abspath(os.path.join(folder, LOCK))  # the working directory may change
        self.folder = os.fspath(folder)
        self.patience_s = patience_s
        self._tell = tell
        self.lost = False
        self._me = uuid.uuid4().hex
        self._writing = threading.Lock()
        try:
            self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise self._refusal(error) from error
        try:
            self._acquire()
        except OSError as error:
            os.close(self.fd)
            raise self._refusal(error) from error
        except BaseException:
            os.close(self.fd)
            raise
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_beating, name="typedcat-lock", daemon=True)
        self._thread.start()

    def _refusal(self, error: OSError) -> TuneError:
        what = f"{short_path(self.path)}: {error.strerror}"
        return TuneError(
            f"cannot write into the result folder {short_path(self.folder)}: {what}\n"
            "  make it writable, or name another one: Cfg2TuneRunner(..., experiment_root='...')"
        )

    def _acquire(self) -> None:
        self._beats = 0
        shared = self._lock()
        holder = self._read()
        if holder and not (shared and _is_of_this_kernel(holder)):
            if not shared and _is_here(holder) and not _lives(holder):  # nobody else can tell, but this machine can
                holder = {}
            self._watch(holder)
        self._beat()
        if not shared:  # another one may have come at the same moment; the last to write has it
            time.sleep(BEAT_S / 2)
            if self._read().get("me") != self._me:
                raise HeldError(self.folder, described(self._read()))

    def _lock(self) -> bool:
        """Take the lock; returns whether the file system knows locks.

        Raises:
            HeldError: somebody has it, and keeps it.
        """
        start = time.monotonic()
        told = False
        while True:
            try:
                fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            except OSError as error:
                if error.errno not in _UNSUPPORTED:
                    raise
                return False
            else:
                return True
            holder = self._read()
            if _lives(holder):
                raise HeldError(self.folder, described(holder))
            patience_s = holder.get("patience_s")
            if time.monotonic() > start + max(self.patience_s, patience_s if isinstance(patience_s, float) else 0.0):
                raise HeldError(self.folder, self._orphans(holder))
            if not told and time.monotonic() > start + _MOMENT_S:
                self._tell(f"waiting for the end of what {described(holder)} has left running")
                told = True
            time.sleep(0.1)

    def _watch(self, holder: dict[str, Any]) -> None:
        """See whether the holder still counts.

        Raises:
            HeldError: it does.
        """
        end = time.monotonic() + _WATCH_S
        if holder:
            self._tell(f"looking for {_WATCH_S:g} s whether {described(holder)} is still at work")
        while holder and time.monotonic() < end:
            time.sleep(BEAT_S / 4)
            now = self._read()
            if (now.get("me"), now.get("beats")) != (holder.get("me"), holder.get("beats")):
                if now:
                    raise HeldError(self.folder, described(now))
                return  # it has just ended

    # -- what the file says

    def _read(self) -> dict[str, Any]:
        return read_holder(self.path)

    def _beat(self) -> None:
        self._beats += 1
        who = {
            "pid": os.getpid(), "host": socket.gethostname(), "user": _user(), "beats": self._beats, "me": self._me,
            "born": _born(os.getpid()), "boot": _boot(), "pids": _pids(), "patience_s": float(self.patience_s),
        }  # fmt: skip
        data = json.dumps(who).encode()
        with self._writing, contextlib.suppress(OSError):  # a full disk: the lock itself holds
            os.pwrite(self.fd, data, 0)
            os.ftruncate(self.fd, len(data))
            os.fsync(self.fd)  # other machines see nothing before

    def _keep_beating(self) -> None:
        while not self._over.wait(BEAT_S):
            if self._is_another():
                return
            self._beat()

    def _is_another(self) -> bool:
        """Whether another runner has had the folder meanwhile: it has written into the file, or made a new one."""
        with self._writing:
            self.lost = self.lost or not self._is_as_written()
        return self.lost

    def _is_as_written(self) -> bool:
        try:
            there, said = os.stat(self.path), Path(self.path).read_bytes()
        except OSError:  # removed with the folder, and nobody has come for it yet; or too many files are open
            return True
        mine = os.fstat(self.fd)
        if (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino):
            return False
        return bool(_said_by(said).get("me", self._me) == self._me)

    def _orphans(self, holder: dict[str, Any]) -> str:
        """What a dead runner has left running, which still has its lock."""
        pids = list(map(str, _holding(self.path)))
        if not pids:
            return described(holder)
        named = ", ".join(pids[:_MOST_PIDS]) + (", ..." if len(pids) > _MOST_PIDS else "")
        return f"what {described(holder)} has left running: kill {named}"

    def check(self) -> None:
        """See whether the folder still is this runner's.

        Raises:
            HeldError: another runner has taken it.
        """
        if self._is_another():
            raise HeldError(self.folder, described(self._read()))

    # -- the end

    def release(self) -> None:
        """Free the folder, whatever process still has the descriptor."""
        self._over.set()
        self._thread.join()
        with contextlib.suppress(OSError):
            if not self._is_another():
                os.ftruncate(self.fd, 0)
                os.pwrite(self.fd, json.dumps({"me": self._me}).encode(), 0)  # one who has slept sees who was there
        with contextlib.suppress(OSError):
            fcntl.flock(self.fd, fcntl.LOCK_UN)
        os.close(self.fd)

    def __enter__(self) -> RunnerLock:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


def read_holder(path: str) -> dict[str, Any]:
    """What a lock file says of its holder; empty if nothing. Opened anew, so that a network disk gives the latest."""
    try:
        with open(path, "rb") as stream:
            said = _said_by(stream.read(10_000))
    except OSError:
        return {}
    return said if "host" in said else {}  # else it says who was the last


def _said_by(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def is_held(folder: str | os.PathLike[str]) -> bool:
    """Whether a runner is at work in a folder; true where that cannot be told: from another machine, perhaps."""
    path = os.path.join(folder, LOCK)
    holder = read_holder(path)
    if holder.get("host") == socket.gethostname() and not _is_here(holder):
        # of another container, or from before this machine was started again: then it is no more
        return _is_of_this_kernel(holder) and _is_locked(path)
    return _lives(holder)


def _is_locked(path: str) -> bool:
    """Whether somebody has the lock; true where that cannot be told."""
    try:
        with open(path, "rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


def can_lock(folder: str | os.PathLike[str]) -> bool:
    """Whether the file system knows the locks that SQLite takes; Lustre and others may be mounted without them."""
    try:
        fd = os.open(os.path.join(folder, LOCK), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return True  # what is wrong, if something is, will show
    try:
        fcntl.lockf(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _UNSUPPORTED
    finally:
        os.close(fd)
    return True


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may not know the user's name
        return str(os.getuid())


def _lives(holder: dict[str, Any]) -> bool:
    """Whether the runner itself is alive; if it is not, its workers are about to end."""
    pid = holder.get("pid")
    if not _is_here(holder) or not isinstance(pid, int) or pid <= 0:
        return bool(holder)
    return _born(pid) in (holder.get("born"), "?") if holder.get("born") else _born(pid) != ""


def _is_of_this_kernel(holder: dict[str, Any]) -> bool:
    """Whether the locks of a holder are seen from here; machines may have the same name."""
    return holder.get("host") == socket.gethostname() and holder.get("boot", _boot()) == _boot()


def _is_here(holder: dict[str, Any]) -> bool:
    """Whether its number is that of a process which is seen from here; containers number their own."""
    return _is_of_this_kernel(holder) and holder.get("pids", _pids()) == _pids()


def _boot() -> str:
    """What no other machine has, nor this one when it is started again; '' if that is not told."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _pids() -> str:
    """Which numbers of processes these are."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _born(pid: int) -> str:
    """When a process was started, by the clock of the kernel, as numbers are used again; '' if it is none or dead."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            fields = stream.read().rpartition(b")")[2].split()
    except FileNotFoundError:
        return ""
    except OSError:
        return "?"
    return "" if fields[0] in (b"Z", b"X") else fields[19].decode()


def _holding(path: str) -> list[int]:
    """The processes of this machine, as far as they can be looked into, that have a file open."""
    found = []
    path = os.path.realpath(path)
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError):
            pid = int(name)
            links = (os.readlink(f"/proc/{name}/fd/{fd}") for fd in os.listdir(f"/proc/{name}/fd"))
            if pid != os.getpid() and path in links:
                found.append(pid)
    return found


def described(holder: dict[str, Any]) -> str:
    """The holder in words."""
    if not holder:
        return "another runner"
    return f"process {holder.get('pid')} of {holder.get('user')} on {holder.get('host')}"
