"""The ledger and the lock of a result folder, when the folder or the machine plays tricks."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from typedcat.errors import HeldError, LedgerError, TuneError
from typedcat.tune.ledger import lock as lock_module
from typedcat.tune.ledger.ledger import LEDGER, Attempt, Ledger, PlannedPoint, unfinished
from typedcat.tune.ledger.lock import LOCK, RunnerLock, is_held, read_holder


def begun(ledger: Ledger, point: str = "a=0", **changes: Any) -> int:
    """The id of an attempt that was started."""
    number = ledger.next_id()
    values: dict[str, Any] = {
        "id": number, "sweep": 1, "point": point, "digest": "d", "code": "c", "state": "running", "started": 0.0,
        "host": "h", "rslt_dir": os.path.join(ledger.folder, point),
    }  # fmt: skip
    ledger.start(Attempt(**{**values, **changes}))
    return number


def states(folder: Path) -> list[str]:
    with Ledger(folder) as ledger:
        return [one.state for one in ledger.attempts()]


# -- the ledger


def test_a_ledger_that_is_removed_is_written_again(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    folder.mkdir()
    ledger = Ledger(folder, write=True)
    ledger.begin_sweep({})
    ledger.end(begun(ledger), "done", 1.0, metrics={"x": 1})
    assert ledger.commit()
    (folder / LEDGER).unlink()
    begun(ledger, "a=1")
    assert ledger.commit()
    assert states(folder) == ["done", "running"]
    shutil.rmtree(folder)
    begun(ledger, "a=2")
    assert ledger.commit()
    assert states(folder) == ["done", "running", "running"]
    ledger.close()
    assert not list(folder.glob("*.new"))


def test_texts_that_are_none(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, write=True)
    ledger.begin_sweep({"user": "\udcff"}, [PlannedPoint("a=0", ("\udcff", 1), 1 << 70, "d", f"{tmp_path}/a=0")])
    ledger.end(begun(ledger), "failed", 1.0, error="\udcff\0", metrics={"\udcff": "\udcfe", "big": 1 << 70})
    ledger.close()
    with Ledger(tmp_path) as again:
        (attempt,) = again.attempts()
        assert attempt.metrics == {"\udcff": "\udcfe", "big": 1 << 70}
        assert attempt.error.startswith("\\udcff")
        assert again.points()[0].seed == 1 << 70


def test_a_result_folder_can_be_moved(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    ledger = Ledger(tmp_path / "one", write=True)
    ledger.begin_sweep({}, [PlannedPoint("a=0", (0,), None, "d", f"{tmp_path}/one/a=0")])
    begun(ledger)
    begun(ledger, "a=0/seed=1")
    begun(ledger, "a=01")
    ledger.move(f"{tmp_path}/one/a=0", f"{tmp_path}/one/a=0.old1")
    ledger.close()
    os.rename(tmp_path / "one", tmp_path / "two")
    with Ledger(tmp_path / "two") as moved:
        folders = [os.path.relpath(one.rslt_dir, tmp_path) for one in moved.attempts()]
        assert folders == ["two/a=0.old1", "two/a=0.old1/seed=1", "two/a=01"]
        assert moved.points()[0].rslt_dir == f"{tmp_path}/two/a=0"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", os.fspath(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", os.fspath(folder)], check=True)


def filled(folder: Path) -> Path:
    """A file that takes all that is left of a disk."""
    file = folder / "filler"
    with file.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(bytes(1024))
        except OSError:
            pass
    return file


def test_what_a_full_disk_does_not_take_is_written_later(small_disk: Path) -> None:
    ledger = Ledger(small_disk, write=True)
    ledger.begin_sweep({})
    filler = filled(small_disk)
    for _ in range(50):
        ledger.end(begun(ledger), "done", 1.0, metrics={"text": "x" * 1000})
    assert not ledger.commit()
    assert "full" in ledger.trouble
    with pytest.raises(LedgerError, match="cannot be written: database or disk is full"):
        Ledger(small_disk, write=True).begin_sweep({"much": "x" * 10_000})
    filler.unlink()
    assert ledger.commit()
    ledger.close()
    assert states(small_disk) == ["done"] * 50


def test_somebody_elses_database(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / LEDGER) as connection:
        connection.execute("PRAGMA user_version=1")
    with pytest.raises(LedgerError, match="no such table"):
        Ledger(tmp_path, write=True)


def test_which_sweeps_are_gone_on_with() -> None:
    sweeps: list[tuple[int, float, dict[str, Any]]] = [
        (1, 0.0, {"rerun": "all"}),
        (2, 0.0, {"rerun": "all", "ended": True}),
        (3, 0.0, {"rerun": "all"}),
    ]
    assert unfinished(sweeps, "all") == [3]
    assert unfinished([*sweeps, (4, 0.0, {"rerun": "all"})], "all") == [4, 3]
    assert unfinished([*sweeps, (4, 0.0, {"rerun": ""})], "all") == []


# -- the lock


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_module, "BEAT_S", 0.1)
    monkeypatch.setattr(lock_module, "_WATCH_S", 0.4)


HOLD = """
import os, socket, sys, time
sys.path[:0] = {path!r}
socket.gethostname = lambda: {host!r}
from typedcat.tune.ledger import lock
lock.BEAT_S = 0.1
if not {locks}:
    def flock(fd, how):
        raise OSError(38, 'Function not implemented')
    lock.fcntl.flock = flock
with lock.RunnerLock({folder!r}):
    print('held', flush=True)
    time.sleep(600)
"""


def holder(folder: Path, host: str = "elsewhere", *, locks: bool = True) -> subprocess.Popen[str]:
    """A process that holds the lock of a folder, on another machine as far as it knows."""
    code = HOLD.format(path=sys.path, host=host, folder=os.fspath(folder), locks=locks)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def no_locks(fd: int, how: int) -> None:
    raise OSError(38, "Function not implemented")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("host", ["elsewhere", socket.gethostname()])
def test_where_there_are_no_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    process = holder(tmp_path, host, locks=False)
    monkeypatch.setattr(fcntl, "flock", no_locks)
    monkeypatch.setattr(time, "time", lambda: -1e9)  # clocks say nothing
    with pytest.raises(HeldError, match=rf"process {process.pid} of .* on {host}"):
        RunnerLock(tmp_path)
    assert is_held(tmp_path)
    process.kill()
    process.communicate()
    assert is_held(tmp_path) == (host == "elsewhere")  # which cannot be told from here
    with RunnerLock(tmp_path):
        assert read_holder(f"{tmp_path}/{LOCK}")["pid"] == os.getpid()


@pytest.mark.usefixtures("quick")
def test_two_at_the_same_moment_where_there_are_no_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", no_locks)
    real = RunnerLock._beat

    def beaten(self: RunnerLock) -> None:
        real(self)
        if self._beats == 1:
            (tmp_path / LOCK).write_text('{"me": "another", "pid": 1, "host": "h", "user": "u"}', encoding="utf-8")

    monkeypatch.setattr(RunnerLock, "_beat", beaten)
    with pytest.raises(HeldError, match="process 1 of u on h"):
        RunnerLock(tmp_path)


@pytest.mark.usefixtures("quick")
def test_a_runner_that_slept_notices_that_another_one_has_the_folder(tmp_path: Path) -> None:
    with RunnerLock(tmp_path) as mine:
        mine.check()
        (tmp_path / LOCK).write_text('{"me": "another", "pid": 1, "host": "h", "user": "u"}', encoding="utf-8")
        time.sleep(0.5)
        with pytest.raises(HeldError, match="process 1 of u on h"):
            mine.check()
    assert "another" in (tmp_path / LOCK).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "left", [b"", b"garbage \xff", b"[1]", b'{"pid": "x"}', b'{"pid": 1e99, "host": 3}', b"[" * 9999]
)
@pytest.mark.usefixtures("quick")
def test_what_may_stand_in_the_file_of_a_dead_runner(tmp_path: Path, left: bytes) -> None:
    (tmp_path / LOCK).write_bytes(left)
    with RunnerLock(tmp_path) as mine:
        assert read_holder(mine.path)["pid"] == os.getpid()
    assert not is_held(tmp_path)


def test_a_number_that_another_process_has_by_now_is_no_holder(tmp_path: Path) -> None:
    text = {"pid": os.getpid(), "host": socket.gethostname(), "born": "1"}
    (tmp_path / LOCK).write_text(json.dumps(text), encoding="utf-8")
    assert not is_held(tmp_path)


def test_what_a_dead_runner_has_left_running_is_named(tmp_path: Path) -> None:
    """A process that it has forked, and that its lock went to."""
    code = f"""
import os, sys, time
sys.path[:0] = {sys.path!r}
from typedcat.tune.ledger.lock import RunnerLock
lock = RunnerLock({os.fspath(tmp_path)!r}, 0.1)
if (pid := os.fork()):
    print(pid, flush=True)
    os._exit(0)
os.setsid()
time.sleep(600)
"""
    done = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert done.stdout is not None
    pid = int(done.stdout.readline())
    done.wait()
    try:
        with pytest.raises(HeldError, match=rf"what process {done.pid} of .* has left running: kill {pid}\n"):
            RunnerLock(tmp_path, 0.2)
    finally:
        os.kill(pid, 9)
    done.stdout.close()
    RunnerLock(tmp_path, 5.0).release()


def test_a_lock_that_is_released_is_free_whoever_has_the_descriptor(tmp_path: Path) -> None:
    lock = RunnerLock(tmp_path)
    copy = os.dup(lock.fd)
    lock.release()
    RunnerLock(tmp_path, 0.0).release()
    os.close(copy)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / LOCK).mkdir()
    with pytest.raises(TuneError, match=r"cannot write into the result folder .*runner\.lock: Is a directory"):
        RunnerLock(tmp_path)
