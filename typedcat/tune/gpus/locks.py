"""Lock files in a folder that all users of a machine share.

A lock is an `flock` on an open file. The kernel frees it when the last process that has the file open is gone, however
it ended, so there are no stale locks and no clean-up. What a file says about its holder is for people to read: nothing
is decided by it, and where it is old or half written nothing breaks.

All files lie in one folder, world-writable and sticky like /tmp. In such a folder a kernel with `fs.protected_regular`
refuses to open a file of somebody else with O_CREAT, so existing files are opened without it. Links are never followed.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import random
import socket
import stat
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ...errors import GpuError

VARIABLE = "TYPEDCAT_LOCK_DIR"
DEFAULT = "/tmp/typedcat-gpus"  # not $TMPDIR, which differs between users and jobs

_SHARED_MODE = 0o1777
_FILE_MODE = 0o666
_GATE = "gate"
_GATE_PATIENCE_S = 30.0  # it is held for less than a millisecond
_MODE_PATIENCE_S = 1.0  # between making a file and opening it to all
_NEEDS = {
    errno.ENOSPC: "it needs room for a few small files",
    errno.EDQUOT: "it needs room for a few small files",
    errno.EMFILE: "this process has too many files open, and may have no more (ulimit -n)",
}
_LONGEST_HOLDER = 4096  # bytes that are read
_LONGEST_WHO = 200  # characters


@dataclass(frozen=True)
class Holder:
    """Who has a lock, as he said when he took it.

    Attributes:
        pid: the process, in its own container; 0 if it is not known.
        user, host: whose it is, and where it runs.
        who: what the lock is for.
        since: when it was taken, in seconds since 1970.
    """

    pid: int = 0
    user: str = ""
    host: str = ""
    who: str = ""
    since: float = 0.0

    def __str__(self) -> str:
        if not self.pid:
            return "somebody"
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since))
        what = f" for {self.who}" if self.who else ""
        return f"{self.user} (process {self.pid} on {self.host}){what} since {since}"


def this_process(who: str) -> Holder:
    """This process, as a holder from now on."""
    return Holder(os.getpid(), _user_name(os.geteuid()), socket.gethostname(), who[:_LONGEST_WHO], time.time())


@functools.cache
def _user_name(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # in containers
        return f"user {uid}"


# -- one file


class LockFile:
    """An open file that can be locked; closing it gives the lock up, unless another process has been handed it, too.

    A process that forks hands none over: only those that get `fd` by `subprocess`' `pass_fds` keep the lock alive.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        _open_files.add(self)

    def try_lock(self, *, shared: bool = False) -> bool:
        """Lock it, exclusively or with others; False if that is not possible now. Never waits."""
        import fcntl  # not on Windows, where the tuner can be imported, too

        try:
            fcntl.flock(self.fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def write(self, holder: Holder) -> None:
        """Say who holds it, where that is possible: a full disk is no reason not to have a GPU."""
        with contextlib.suppress(OSError):
            os.ftruncate(self.fd, 0)
            os.pwrite(self.fd, json.dumps(asdict(holder)).encode(), 0)

    def read(self) -> Holder:
        """Who holds it, as far as the file says."""
        try:
            return _holder(json.loads(os.pread(self.fd, _LONGEST_HOLDER, 0)))
        except (OSError, ValueError, RecursionError):
            return Holder()

    @property
    def is_open(self) -> bool:
        """Whether this process has it open; one that has forked off has not."""
        return self in _open_files

    def close(self) -> None:
        """Give it up; a second time does nothing."""
        with contextlib.suppress(KeyError):
            _open_files.remove(self)
            os.close(self.fd)


def _holder(said: Any) -> Holder:
    """A holder from what anybody may have written."""
    if not isinstance(said, dict):
        return Holder()
    texts = {key: _plain(said.get(key)) for key in ("user", "host", "who")}
    pid, since = said.get("pid"), said.get("since")
    if not isinstance(pid, int) or not isinstance(since, int | float) or not 0 <= since < 1e11:
        return Holder()
    return Holder(pid, **texts, since=since)


def _plain(text: object) -> str:
    """Without what would move the cursor of a terminal."""
    return "".join(c for c in str(text)[:_LONGEST_WHO] if c.isprintable())


# -- across forks


_open_files: set[LockFile] = set()
_forking = threading.RLock()  # nothing forks between opening a file and knowing of it


def _after_fork() -> None:
    """In the child: what the parent has locked is not the child's."""
    for file in list(_open_files):
        with contextlib.suppress(OSError):
            file.close()
    _forking.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_forking.acquire, after_in_parent=_forking.release, after_in_child=_after_fork)


def _open(path: str, flags: int, folder: int | None = None) -> LockFile:
    with _forking:
        return LockFile(os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, _FILE_MODE, dir_fd=folder))


# -- the folder


class OpenFolder:
    """The folder, open; as long as it is, what cleans /tmp leaves the files in it alone.

    Args:
        path: of the folder, for messages.
        file: the folder itself.
    """

    def __init__(self, path: str, file: LockFile) -> None:
        self.path = path
        self.file = file

    def names(self) -> list[str]:
        """The names of all files in it."""
        return os.listdir(self.file.fd)

    def keep(self) -> LockFile:
        """The folder once more, to be held with a lock that is kept: it protects the files from being cleaned away."""
        with _forking:
            return LockFile(os.dup(self.file.fd))

    def lock(self, name: str, *, shared: bool = False) -> LockFile | None:
        """Lock a file, which is made if it is not there; None if that is not possible now.

        Raises:
            GpuError: the file cannot be used.
            PermissionError: it may have been made a moment ago, and not yet opened to all.
        """
        while True:
            file = self.open(name)
            if not file.try_lock(shared=shared):
                file.close()
                return None
            if os.fstat(file.fd).st_nlink:
                return file
            file.close()  # removed after it was opened: whoever comes next would make and lock another one

    def open(self, name: str) -> LockFile:
        """Open a file, which is made if it is not there; raises as `lock` does."""
        while True:
            with contextlib.suppress(FileNotFoundError):
                return self._existing(name)
            with contextlib.suppress(FileExistsError):  # another process was faster
                file = _open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, self.file.fd)
                os.fchmod(file.fd, _FILE_MODE)  # whatever the umask
                return file

    def _existing(self, name: str) -> LockFile:
        # a FIFO or a device must not make this wait
        flags = os.O_NONBLOCK | os.O_NOCTTY
        try:
            try:
                file = _open(name, os.O_RDWR | flags, self.file.fd)
            except PermissionError:  # an flock needs no more than reading
                file = _open(name, os.O_RDONLY | flags, self.file.fd)
        except (FileNotFoundError, PermissionError):
            raise
        except OSError as error:
            what = "a link" if stat.S_ISLNK(os.lstat(name, dir_fd=self.file.fd).st_mode) else error.strerror
            raise self._odd(name, what or str(error)) from error
        status = os.fstat(file.fd)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
            file.close()
            raise self._odd(name, "no regular file" if not stat.S_ISREG(status.st_mode) else "a hard link")
        if status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) != _FILE_MODE:
            os.fchmod(file.fd, _FILE_MODE)  # who made it was stopped before he got there
        return file

    def _odd(self, name: str, what: str) -> GpuError:
        return GpuError(f"{self.path}/{name} should be a file to lock, but it is {what}: remove it")


class LockFolder:
    """The folder of lock files, which is made when it is not there.

    Args:
        path: where it is; by default `TYPEDCAT_LOCK_DIR`, else /tmp/typedcat-gpus.
        environ: where that variable is looked up.
    """

    def __init__(self, path: str | os.PathLike[str] | None, environ: Mapping[str, str]) -> None:
        given = os.fspath(path) if path is not None else environ.get(VARIABLE, "")
        # a link to a folder is fine where the user wrote it; in /tmp anybody could have made it
        self.path = os.path.realpath(given) if given else DEFAULT
        self._is_default = not given

    @contextlib.contextmanager
    def entered(self) -> Iterator[OpenFolder]:
        """The folder, with nobody else in it: what is locked here is locked all at once, or not at all.

        Only the short time inside is exclusive. Locks that were taken stay when it is left.

        Raises:
            GpuError: the folder cannot be used, or a process that was stopped inside keeps the others out.
        """
        holder = this_process("")
        start = time.monotonic()
        while (entry := self._try_enter(start)) is None:
            if time.monotonic() - start > _GATE_PATIENCE_S:
                raise GpuError(self._kept_out())
            time.sleep(random.uniform(0.0005, 0.005))
        folder, gate = entry
        try:
            gate.write(holder)
            yield folder
        except OSError as error:
            raise self._unusable(error) from error
        finally:
            gate.close()
            folder.file.close()

    def _try_enter(self, start: float) -> tuple[OpenFolder, LockFile] | None:
        """The folder and its gate; None if not now. `start`: since when it has been tried."""
        folder = None
        try:
            folder = self._open()
            gate = None if folder is None else folder.lock(_GATE)
            if folder is not None and gate is not None:
                opened, folder = folder, None
                return opened, gate
        except (FileNotFoundError, PermissionError) as error:
            # made a moment ago and not yet opened to all, or just removed
            if time.monotonic() - start > _MODE_PATIENCE_S:
                raise self._unusable(error) from error
        except OSError as error:
            raise self._unusable(error) from error
        finally:
            if folder is not None:
                folder.file.close()
        return None

    def _open(self) -> OpenFolder | None:
        """Open it, or make it; None if that is for the next try, or it is just being cleaned."""
        try:
            file = _open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            self._make()
            return None
        status = os.fstat(file.fd)
        if self._is_default and status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) != _SHARED_MODE:
            os.fchmod(file.fd, _SHARED_MODE)  # who made it was stopped before he got there
        if self._protected(file) and self._is_there(status):
            return OpenFolder(self.path, file)
        file.close()
        return None

    def _is_there(self, status: os.stat_result) -> bool:
        """Whether the opened folder is still the one that others find."""
        try:
            return os.path.samestat(status, os.lstat(self.path))
        except FileNotFoundError:
            return False

    def _protected(self, file: LockFile) -> bool:
        """Keep systemd-tmpfiles away, which removes old files from /tmp, but nothing below a folder that is locked."""
        try:
            return file.try_lock(shared=True)
        except OSError:  # a file system on which folders cannot be locked
            return True

    def _make(self) -> None:
        try:
            os.mkdir(self.path)
            os.chmod(self.path, _SHARED_MODE)  # whatever the umask
        except FileExistsError:
            return
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> GpuError:
        path = os.path.join(self.path, str(error.filename or ""))
        try:
            status = os.lstat(path)
            owner, mode = _user_name(status.st_uid), stat.filemode(status.st_mode)
            there = f" ({path} belongs to {owner} and is {mode})"
        except OSError:
            there = ""
        need = _NEEDS.get(error.errno or 0, "it has to be a folder that all users of these GPUs can write (chmod 1777)")
        return GpuError(
            f"the folder of GPU locks {self.path} cannot be used: {error.strerror}{there}\n"
            f"  {need}; {VARIABLE} names another one"
        )

    def _kept_out(self) -> str:
        try:
            file = _open(os.path.join(self.path, _GATE), os.O_RDONLY)
        except OSError:
            return f"{self.path}/{_GATE} cannot be locked"
        holder = file.read()
        file.close()
        return (
            f"{holder} keeps {self.path}/{_GATE} locked for {_GATE_PATIENCE_S:.0f} s, so no GPU can be leased\n"
            f"  a process that was stopped there has to go on or end: kill -CONT {holder.pid or 'PID'}"
        )
