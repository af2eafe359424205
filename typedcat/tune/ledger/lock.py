"""One runner per result folder: a lock that the kernel frees when its holder and the holder's workers are gone.

Where machines share a folder without sharing locks (some network file systems), the holder also counts in the file, and
who comes from another machine watches for a while whether it still does. No clock is compared.
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
from types import TracebackType
from typing import Any

from ...errors import HeldError, TuneError, short_path

LOCK = "runner.lock"
BEAT_S = 2.0
_UNSUPPORTED = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)


class RunnerLock:
    """The lock of a result folder; a context manager.

    Args:
        folder: the folder, which exists.
        patience_s: how long to wait for what a dead runner has left running.

    Raises:
        HeldError: another runner is at work there.
        TuneError: the folder cannot be written.
    """

    def __init__(self, folder: str | os.PathLike[str], patience_s: float = 15.0) -> None:
        self.path = os.path.join(folder, LOCK)
        self.folder = os.fspath(folder)
        try:
            self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise TuneError(
                f"cannot write into the result folder {short_path(folder)}: {error.strerror}\n"
                "  make it writable, or name another one: Cfg2TuneRunner(..., experiment_root='...')"
            ) from error
        try:
            self._acquire(patience_s)
        except BaseException:
            os.close(self.fd)
            raise
        self._beats = 0
        self._over = threading.Event()
        self._beat()
        self._thread = threading.Thread(target=self._keep_beating, name="typedcat-lock", daemon=True)
        self._thread.start()

    def _acquire(self, patience_s: float) -> None:
        deadline = time.monotonic() + patience_s
        while not self._locked():
            holder = self._read()
            if _lives(holder) or time.monotonic() > deadline:
                raise HeldError(self.folder, _described(holder))
            time.sleep(0.1)
        holder = self._read()
        if holder and holder.get("host") != socket.gethostname():
            time.sleep(2.5 * BEAT_S)
            if self._read().get("beats") != holder.get("beats"):
                raise HeldError(self.folder, _described(holder))

    def _locked(self) -> bool:
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
        return True

    # -- what the file says

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(os.pread(self.fd, 10_000, 0))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _beat(self) -> None:
        self._beats += 1
        who = {"pid": os.getpid(), "host": socket.gethostname(), "user": _user(), "beats": self._beats}
        data = json.dumps(who).encode()
        with contextlib.suppress(OSError):  # a full disk: the lock itself holds
            os.pwrite(self.fd, data, 0)
            os.ftruncate(self.fd, len(data))

    def _keep_beating(self) -> None:
        while not self._over.wait(BEAT_S):
            self._beat()

    # -- the end

    def release(self) -> None:
        """Free the folder, unless workers still hold the lock."""
        self._over.set()
        self._thread.join()
        with contextlib.suppress(OSError):
            os.ftruncate(self.fd, 0)
        os.close(self.fd)

    def __enter__(self) -> RunnerLock:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may not know the user's name
        return str(os.getuid())


def _lives(holder: dict[str, Any]) -> bool:
    """Whether the runner itself is alive; if it is not, its workers are about to end."""
    pid = holder.get("pid")
    if holder.get("host") != socket.gethostname() or not isinstance(pid, int):
        return bool(holder)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _described(holder: dict[str, Any]) -> str:
    if not holder:
        return "another runner"
    return f"process {holder.get('pid')} of {holder.get('user')} on {holder.get('host')}"
