"""The ledger and the lock of a result folder, when the folder or the machine plays tricks."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from typedcat.errors import HeldError, LedgerError, TuneError
from typedcat.tune.ledger import ledger as ledger_module
from typedcat.tune.ledger import lock as lock_module
from typedcat.tune.ledger import packing
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


def everything(ledger: Ledger) -> tuple[Any, ...]:
    return ledger.attempts(), ledger.sweeps(), ledger.points()


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


def test_a_reader_that_takes_its_time_keeps_no_runner_waiting(tmp_path: Path) -> None:
    """Runs have to be started and ended meanwhile; at the end there is time to wait for it."""
    ledger = Ledger(tmp_path, write=True)
    ledger.begin_sweep({})
    reader = sqlite3.connect(tmp_path / LEDGER, isolation_level=None, check_same_thread=False)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM attempts").fetchall()
    begun(ledger)
    threading.Timer(2.0, reader.close).start()
    assert not ledger.commit()  # one that waits for the reader can write
    assert ledger.trouble == "database is locked"
    ledger.close()
    assert states(tmp_path) == ["running"]


def test_somebody_elses_database(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / LEDGER) as connection:
        connection.execute("PRAGMA user_version=1")
    with pytest.raises(LedgerError, match="no such table"):
        Ledger(tmp_path, write=True)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE attempts SET metrics='{'", "it is damaged: Expecting"),
        ("UPDATE attempts SET metrics='[1]'", "it is damaged: it has [1] where a dict should be"),
        ("UPDATE attempts SET gpus='null'", "it is damaged: it has None where a list should be"),
        ("UPDATE attempts SET host=x'00'", r"it is damaged: host is b'\x00'"),
        ("UPDATE attempts SET error=CAST(x'ff' AS TEXT)", "Could not decode to UTF-8"),
        ("UPDATE sweeps SET about='0'", "it is damaged: it has 0 where a dict should be"),
        ("UPDATE points SET seed='x'", "it is damaged: invalid literal"),
        ("UPDATE points SET labels=x'ff'", "it is damaged: 'utf-8' codec can't decode"),
        ("DROP TABLE points", "no such table: points"),
    ],
)
def test_a_ledger_that_is_damaged(tmp_path: Path, damage: str, said: str) -> None:
    with Ledger(tmp_path, write=True) as ledger:
        ledger.begin_sweep({}, [PlannedPoint("a=0", (0,), None, "d", f"{tmp_path}/a=0")])
        begun(ledger)
    with sqlite3.connect(tmp_path / LEDGER) as connection:
        connection.execute(damage)
    with pytest.raises(LedgerError, match=re.escape(said)) as caught, Ledger(tmp_path) as ledger:
        everything(ledger)
    assert "move it away: then every run is done again" in str(caught.value)


def test_any_damage_is_told(tmp_path: Path) -> None:
    with Ledger(tmp_path, write=True) as ledger:
        ledger.begin_sweep({"parameters": ["a"]}, [PlannedPoint("a=0", (0,), None, "d", f"{tmp_path}/a=0")])
        for i in range(30):
            ledger.end(begun(ledger, f"a={i}"), "done", 1.0, metrics={"x": i, "y": (i, "text")})
    sound = (tmp_path / LEDGER).read_bytes()
    random = Random(0)
    told = 0
    for _ in range(300):
        damaged = bytearray(sound)
        at, length = random.randrange(len(sound)), random.choice([1, 16, 4096])
        if random.random() < 0.3:
            del damaged[at:]
        else:
            damaged[at : at + length] = random.randbytes(length)
        (tmp_path / LEDGER).write_bytes(damaged)
        try:
            with Ledger(tmp_path) as ledger:
                everything(ledger)
        except LedgerError:
            told += 1
    assert 50 < told < 300


def test_a_ledger_that_cannot_be_opened_is_not_to_be_thrown_away(tmp_path: Path) -> None:
    Ledger(tmp_path, write=True).close()
    (tmp_path / LEDGER).rename(tmp_path / "sound")
    (tmp_path / LEDGER).symlink_to("nowhere/file")
    with pytest.raises(LedgerError, match="unable to open") as caught:
        Ledger(tmp_path, write=True)
    assert "see to the folder" in str(caught.value)
    assert "move it away" not in str(caught.value)


def test_what_is_given_up_is_not_written(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, write=True)
    ledger.begin_sweep({})
    begun(ledger)
    ledger.give_up()
    begun(ledger, "a=1")
    ledger.close()
    assert states(tmp_path) == []


def test_metrics_larger_than_a_ledger_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_LARGEST", 10_000)
    with Ledger(tmp_path, write=True) as ledger:
        ledger.begin_sweep({})
        for large in ("x" * 20_000, list(range(10_000)), b"x" * 20_000):
            ledger.end(begun(ledger), "done", 1.0, metrics={"acc": 0.5, "large": large})
    with Ledger(tmp_path) as ledger:
        assert [one.metrics["acc"] for one in ledger.attempts()] == [0.5] * 3
        assert all(len(one.metrics["large"]) <= 1_000 for one in ledger.attempts())


def test_which_sweeps_are_gone_on_with() -> None:
    sweeps: list[tuple[int, float, dict[str, Any]]] = [
        (1, 0.0, {"rerun": "all"}),
        (2, 0.0, {"rerun": "all", "ended": True}),
        (3, 0.0, {"rerun": "all"}),
    ]
    assert unfinished(sweeps, "all") == [3]
    assert unfinished([*sweeps, (4, 0.0, {"rerun": "all"})], "all") == [4, 3]
    assert unfinished([*sweeps, (4, 0.0, {"rerun": ""})], "all") == []


@pytest.mark.parametrize("host", ["elsewhere", socket.gethostname()])
def test_a_reader_undoes_nothing_that_is_being_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Where there are no locks, it cannot be seen that the journal is not that of a dead writer."""
    monkeypatch.setattr(ledger_module, "can_lock", lambda folder: False)
    with Ledger(tmp_path, write=True) as ledger:
        ledger.begin_sweep({})
        for i in range(200):
            begun(ledger, f"a={i}")
    holds = {"pid": os.getpid(), "host": host}
    (tmp_path / LOCK).write_text(json.dumps(holds), encoding="utf-8")
    writer = sqlite3.connect(f"file:{tmp_path}/{LEDGER}?nolock=1", uri=True, isolation_level=None)
    writer.execute("PRAGMA journal_mode=TRUNCATE")
    writer.execute("PRAGMA cache_size=1")
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE attempts SET state='done', error=?", ["x" * 2000])  # half of it is in the file by now
    assert (tmp_path / f"{LEDGER}-journal").stat().st_size > 0
    with pytest.raises(LedgerError, match="is being written, or its runner was killed meanwhile"):
        states(tmp_path)
    writer.execute("COMMIT")
    assert states(tmp_path) == ["done"] * 200
    assert writer.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    writer.close()


def test_a_reader_undoes_what_a_dead_runner_has_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "can_lock", lambda folder: False)
    with Ledger(tmp_path, write=True) as ledger:
        ledger.begin_sweep({})
        begun(ledger)
    writer = sqlite3.connect(f"file:{tmp_path}/{LEDGER}?nolock=1", uri=True, isolation_level=None)
    writer.execute("PRAGMA cache_size=1")
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE attempts SET state='done', error=?", ["x" * 50_000])
    for file in (LEDGER, f"{LEDGER}-journal"):
        shutil.copy(tmp_path / file, tmp_path / f"{file}.killed")
    writer.close()
    for file in (LEDGER, f"{LEDGER}-journal"):
        os.replace(tmp_path / f"{file}.killed", tmp_path / file)
    assert states(tmp_path) == ["running"]


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


@pytest.mark.usefixtures("quick")
def test_two_machines_of_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They share a folder, but no locks; a number of the one says nothing on the other."""
    process = holder(tmp_path, socket.gethostname(), locks=False)
    monkeypatch.setattr(fcntl, "flock", no_locks)
    monkeypatch.setattr(lock_module, "_boot", lambda: "another")
    monkeypatch.setattr(lock_module, "_born", lambda pid: "")
    with pytest.raises(HeldError, match=rf"process {process.pid} of "):
        RunnerLock(tmp_path)
    process.kill()
    process.communicate()
    told: list[str] = []
    RunnerLock(tmp_path, 0.0, told.append).release()
    (line,) = told
    assert line.startswith(f"looking for 0.4 s whether process {process.pid} of ")


def test_a_container_of_the_same_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It numbers its processes apart, and sees the locks."""
    with RunnerLock(tmp_path):
        monkeypatch.setattr(lock_module, "_pids", lambda: "another")
        monkeypatch.setattr(lock_module, "_born", lambda pid: "")
        assert is_held(tmp_path)
        said = (tmp_path / LOCK).read_text(encoding="utf-8")
        with pytest.raises(HeldError, match=f"process {os.getpid()} of "):
            RunnerLock(tmp_path)
    (tmp_path / LOCK).write_text(said, encoding="utf-8")  # as it is when such a runner was killed
    assert not is_held(tmp_path)
    told: list[str] = []
    RunnerLock(tmp_path, tell=told.append).release()
    assert told == []  # there is nobody to be watched


def test_a_machine_that_was_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RunnerLock(tmp_path):
        said = (tmp_path / LOCK).read_text(encoding="utf-8")
    (tmp_path / LOCK).write_text(said, encoding="utf-8")
    monkeypatch.setattr(lock_module, "_boot", lambda: "another")
    assert not is_held(tmp_path)


@pytest.mark.usefixtures("quick")
def test_a_runner_that_slept_notices_that_another_one_has_had_the_folder(tmp_path: Path) -> None:
    with RunnerLock(tmp_path) as mine:
        for spoilt in (b"", b"garbage", b"[1]"):
            (tmp_path / LOCK).write_bytes(spoilt)
            mine.check()  # no runner writes that
            time.sleep(0.25)
            assert read_holder(mine.path)["pid"] == os.getpid()
        (tmp_path / "other").mkdir()
        RunnerLock(tmp_path / "other").release()
        (tmp_path / LOCK).write_bytes((tmp_path / "other" / LOCK).read_bytes())
        with pytest.raises(HeldError, match="another runner"):
            mine.check()
        assert mine.lost
    assert not is_held(tmp_path)


@pytest.mark.usefixtures("quick")
def test_a_lock_file_that_was_removed(tmp_path: Path) -> None:
    """With the folder, say: that is no other runner; who makes a new one is."""
    with RunnerLock(tmp_path) as mine:
        (tmp_path / LOCK).unlink()
        time.sleep(0.3)
        mine.check()
        with RunnerLock(tmp_path), pytest.raises(HeldError, match=f"process {os.getpid()} of "):
            mine.check()


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
    told: list[str] = []
    try:
        with pytest.raises(HeldError, match=rf"what process {done.pid} of .* has left running: kill {pid}\n"):
            RunnerLock(tmp_path, 1.5, told.append)
        assert len(told) == 1
        assert told[0].startswith(f"waiting for the end of what process {done.pid} of ")
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
