"""The folder of lock files: for everybody, whatever lies in it, and whoever cleans it."""

from __future__ import annotations

import errno
import os
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.tune.conftest import Machine
from typedcat.errors import GpuError
from typedcat.tune.gpus import locks
from typedcat.tune.gpus.leases import Lease, Leases
from typedcat.tune.gpus.locks import Holder, LockFolder, this_process


def got(lease: Lease | None) -> list[int | None]:
    assert lease is not None
    return [gpu.index for gpu in lease.gpus]


def test_the_files_are_for_everybody(machine: Machine) -> None:
    old = os.umask(0o077)
    try:
        lease = Leases(1, runs_per_gpu=2).try_acquire("")
    finally:
        os.umask(old)
    assert lease is not None
    assert machine.locks.stat().st_mode & 0o7777 == 0o1777
    names = {file.name: file.stat().st_mode & 0o7777 for file in machine.locks.iterdir()}
    port = f"port-{lease.environment['MASTER_PORT']}"
    assert names == dict.fromkeys(["gate", machine.uuid(0), f"{machine.uuid(0)}.1of2", port], 0o666)


def test_existing_files_are_opened_without_making_them(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """With O_CREAT, `fs.protected_regular` would refuse those of other users."""
    with Leases(1).acquire(""):
        pass
    real, seen = os.open, Counter[bool]()

    def spy(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if str(path).startswith("port-"):
            return real(path, flags, mode, dir_fd=dir_fd)
        seen[bool(flags & os.O_CREAT)] += 1
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", spy)
    assert got(Leases(1).try_acquire("")) == [0]
    assert seen[True] == 0 < seen[False]


def test_a_folder_that_is_there_stays_as_it_is(machine: Machine) -> None:
    machine.locks.mkdir(mode=0o700)
    assert got(Leases(1).try_acquire("")) == [0]
    assert machine.locks.stat().st_mode & 0o7777 == 0o700


def test_the_folder_of_the_argument(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert got(Leases(1, lock_dir=tmp_path / "link").try_acquire("")) == [0]
    assert (tmp_path / "real" / machine.uuid(0)).exists()
    assert not machine.locks.exists()


def test_the_default_folder(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "DEFAULT", str(tmp_path / "default"))
    (tmp_path / "default").mkdir(mode=0o755)  # of one who was stopped before he opened it to all
    assert got(Leases(1, environ={}).try_acquire("")) == [0]
    assert (tmp_path / "default").stat().st_mode & 0o7777 == 0o1777


def test_a_link_in_place_of_the_default_folder(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "DEFAULT", str(tmp_path / "default"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "default").symlink_to("elsewhere")
    with pytest.raises(GpuError, match=r"cannot be used: .*\n .* TYPEDCAT_LOCK_DIR names another one"):
        Leases(1, environ={})
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("place", ["no/such/folder", "gpus.txt", "/proc/version/locks", "/proc/locks-here"])
def test_a_folder_that_cannot_be(machine: Machine, tmp_path: Path, place: str) -> None:
    with pytest.raises(GpuError) as caught:
        Leases(1, lock_dir=tmp_path / place)
    assert str(caught.value).startswith(f"the folder of GPU locks {tmp_path / place} cannot be used: ")
    assert "(chmod 1777); TYPEDCAT_LOCK_DIR names another one" in str(caught.value)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            errno.ENOSPC,
            "No space left on device\n  it needs room for a few small files; TYPEDCAT_LOCK_DIR names another one",
        ),
        (errno.EMFILE, "Too many open files\n  this process has too many files open, and may have no more (ulimit -n)"),
        (errno.EROFS, "Read-only file system\n  it has to be a folder that all users of these GPUs can write (chmod"),
    ],
)
@pytest.mark.parametrize("name", ["gate", "GPU-", "port-"])
def test_a_file_that_cannot_be_made(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, name: str, code: int, message: str
) -> None:
    real, before = os.open, len(os.listdir("/proc/self/fd"))

    def failing(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if str(path).startswith(name) and flags & os.O_CREAT:
            raise OSError(code, os.strerror(code), path)
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", failing)
    with pytest.raises(GpuError) as caught:
        Leases(1).try_acquire("")
    assert str(caught.value).startswith(f"the folder of GPU locks {machine.locks} cannot be used: {message}")
    assert len(os.listdir("/proc/self/fd")) == before
    monkeypatch.setattr(os, "open", real)
    assert got(Leases(1).try_acquire("")) == [0]


@pytest.mark.parametrize("kind", ["link", "dangling link", "hard link", "folder", "fifo", "socket"])
def test_a_file_that_is_none(machine: Machine, tmp_path: Path, kind: str) -> None:
    leases = Leases(1)
    mine, place = tmp_path / "mine", machine.locks / machine.uuid(0)
    mine.write_text("precious", encoding="utf-8")
    if kind == "folder":
        place.mkdir()
    elif kind == "fifo":
        os.mkfifo(place)
    elif kind == "hard link":
        os.link(mine, place)
    elif kind == "socket":
        os.mknod(place, 0o140666)
    else:
        place.symlink_to(mine if kind == "link" else tmp_path / "nothing")
    with pytest.raises(GpuError, match=f"{re.escape(str(place))} should be a file to lock, but it is .*: remove it"):
        leases.try_acquire("")
    assert mine.read_text(encoding="utf-8") == "precious"
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (b"", "somebody"),
        (b'{"pid": 12, "us', "somebody"),
        (b"\xff\xfe", "somebody"),
        (b"[" * 5000, "somebody"),
        (b"[1]", "somebody"),
        (b'{"pid": "x", "since": 5}', "somebody"),
        (b'{"pid": 1, "since": 1e400}', "somebody"),
        (
            b'{"pid": 1, "since": 0, "user": "\\u001b[2Jeve", "host": "h\\n", "who": 3}',
            "[2Jeve (process 1 on h) for 3 s",
        ),
    ],
)
def test_what_a_file_says_is_only_shown(machine: Machine, said: bytes, shown: str) -> None:
    machine.has_idle(1)
    leases = Leases(1)
    lease = leases.try_acquire("")
    (machine.locks / machine.uuid(0)).write_bytes(said)
    (busy,) = leases.busy()
    assert f": leased by {shown}" in str(busy)
    assert str(busy).isprintable()
    assert lease is not None
    lease.release()
    assert got(leases.try_acquire("")) == [0]


def test_a_holder_says_no_more_than_fits() -> None:
    assert len(this_process("x" * 10_000).who) == 200
    assert str(Holder(1, "alice", "node1", "lr=0.1", 0.0)).startswith("alice (process 1 on node1) for lr=0.1 since 19")


def test_a_lock_file_that_is_removed(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between opening and locking it: what is locked then is not the file that others find."""
    machine.has_idle(1)
    leases, place = Leases(1), machine.locks / machine.uuid(0)
    place.touch()
    real = locks.LockFile.try_lock

    def slow(file: locks.LockFile, *, shared: bool = False) -> bool:
        if place.exists() and os.path.samestat(os.fstat(file.fd), place.stat()) and place.stat().st_size == 0:
            place.unlink()
            place.write_text("new", encoding="utf-8")
        return real(file, shared=shared)

    monkeypatch.setattr(locks.LockFile, "try_lock", slow)
    lease = leases.try_acquire("")
    assert lease is not None
    assert any(os.path.samestat(os.fstat(fd), place.stat()) for fd in lease.fds)


def test_a_folder_that_is_removed_is_made_anew(machine: Machine) -> None:
    leases = Leases(1)
    machine.locks.rename(machine.locks.with_name("gone"))
    assert got(leases.try_acquire("")) == [0]
    assert machine.locks.is_dir()


def test_what_cleans_tmp_leaves_the_folder_alone_while_there_are_leases(machine: Machine) -> None:
    """systemd-tmpfiles passes by what it cannot lock."""
    with LockFolder(machine.locks, {}).entered():
        pass
    cleaner = locks._open(str(machine.locks), os.O_RDONLY)
    lease = Leases(1).try_acquire("")
    assert not cleaner.try_lock()
    assert lease is not None
    lease.release()
    assert cleaner.try_lock()


def test_a_process_that_was_stopped_in_the_folder(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_GATE_PATIENCE_S", 0.1)
    leases = Leases(1)
    with LockFolder(machine.locks, {}).entered(), pytest.raises(GpuError) as caught:
        leases.try_acquire("")
    assert f"(process {os.getpid()} on " in str(caught.value)
    assert f"keeps {machine.locks}/gate locked" in str(caught.value)
    assert f"kill -CONT {os.getpid()}" in str(caught.value)
    assert got(leases.try_acquire("")) == [0]


def test_nothing_stays_open(machine: Machine) -> None:
    before = len(os.listdir("/proc/self/fd"))
    leases = Leases(2, runs_per_gpu=3)
    made = [leases.try_acquire("") for _ in range(13)]
    assert sum(lease is not None for lease in made) == 12
    leases.busy()
    Leases(2).busy()
    for lease in made:
        if lease is not None:
            lease.release()
    assert len(os.listdir("/proc/self/fd")) == before
