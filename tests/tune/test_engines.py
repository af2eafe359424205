"""The contract of engines, which every one of them keeps. A new engine is added to `ENGINES`, and nothing else."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tune.conftest import WriteTune
from tests.tune.waiting import ended
from typedcat.tune.engines.local import LocalProcesses, pickled
from typedcat.tune.engines.protocol import Engine, Here, Outcome, Task, Work
from typedcat.tune.grid.grid import Grid, load_tune

Make = Callable[..., Engine]
GRACE_S = 1.0


def here(work: Work, **options: Any) -> Engine:
    return Here(work)


def local(work: Work, *, size: int = 2, timeout_s: float | None = None, **options: Any) -> Engine:
    return LocalProcesses(pickled(work), size, timeout_s=timeout_s, grace_s=GRACE_S, **options)


def fresh(work: Work, **options: Any) -> Engine:
    return local(work, fresh=True, **options)


ENGINES: dict[str, Make] = {"here": here, "local": local, "fresh": fresh}
APART = [name for name in ENGINES if name != "here"]  # whose runs go on while others are asked about
every_engine = pytest.mark.parametrize("name", ENGINES)
engines_apart = pytest.mark.parametrize("name", APART)


@pytest.fixture
def make(name: str) -> Iterator[Make]:
    made: list[Engine] = []

    def engine(work: Work, **options: Any) -> Engine:
        made.append(ENGINES[name](work, **options))
        return made[-1]

    yield engine
    for one in made:
        one.close()
        one.close()  # a second time does nothing


@pytest.fixture
def tasks(tune: WriteTune) -> list[Task]:
    grid = Grid(load_tune(tune("cfg = Cfg2Tune()\ncfg.a = Param2Tune(list(range(6)))\n"), "experiment", None))
    found = []
    for index, point in enumerate(grid.points()):
        folder = os.path.abspath(os.path.join(grid.rslt_dir, point.folder))
        os.makedirs(folder)
        found.append(Task(index, os.path.abspath(grid.dump(point, "configs/tune/grid")), folder))
    return found


def drained(engine: Engine, count: int, limit_s: float = 30.0) -> dict[int, Outcome]:
    """So many outcomes, by index."""
    found: dict[int, Outcome] = {}
    deadline = time.monotonic() + limit_s
    while len(found) < count and time.monotonic() < deadline:
        for outcome in engine.wait(0.2):
            assert outcome.index not in found
            found[outcome.index] = outcome
    assert len(found) == count
    return found


def work(i: int, cfg: Any, pkl: str, folder: str, env: dict[str, str]) -> Any:
    if cfg.a == 1:
        raise ValueError("bad luck")
    return {"a": cfg.a, "folder": folder, "pkl": pkl, "of_task": env.get("OF_TASK")}


@every_engine
@pytest.mark.slow
def test_every_task_has_one_outcome(make: Make, tasks: list[Task]) -> None:
    engine = make(work)
    assert engine.room >= 1
    assert engine.wait(60.0) == []  # at once, as nothing runs
    found: dict[int, Outcome] = {}
    for task in tasks:
        while engine.room == 0:
            found.update({outcome.index: outcome for outcome in engine.wait(5.0)})
        engine.start(task)
    found.update(drained(engine, len(tasks) - len(found)))
    assert sorted(found) == list(range(6))
    assert engine.wait(0.0) == []
    assert engine.room >= 1
    assert [found[i].result["a"] for i in (0, 2, 3, 4, 5)] == [0, 2, 3, 4, 5]
    assert found[0].result["pkl"] == tasks[0].cfg_pkl
    assert os.path.abspath(found[0].result["folder"]) == tasks[0].rslt_dir
    bad = found.pop(1)
    assert bad.error.startswith("ValueError: bad luck (test_engines.py:")
    assert (bad.result, bad.exit_code, bad.stopped) == (None, None, False)
    assert all(one.error == "" and not one.stopped and 0 <= one.seconds < 30 for one in found.values())


@every_engine
def test_a_task_brings_its_environment(make: Make, tasks: list[Task]) -> None:
    from dataclasses import replace

    engine = make(work)
    engine.start(replace(tasks[0], environment={"OF_TASK": "1"}))
    assert drained(engine, 1)[0].result["of_task"] == "1"
    engine.start(tasks[2])
    assert drained(engine, 1)[2].result["of_task"] is None


@every_engine
def test_a_config_that_is_not_there_is_an_outcome(make: Make, tasks: list[Task]) -> None:
    engine = make(work)
    Path(tasks[0].cfg_pkl).unlink()
    engine.start(tasks[0])
    assert "cfg.pkl" in drained(engine, 1)[0].error


@every_engine
def test_stop_without_runs(make: Make, tasks: list[Task]) -> None:
    engine = make(work)
    engine.stop("ask")
    engine.stop("kill")
    engine.start(tasks[0])  # who asks may still change his mind
    assert drained(engine, 1)[0].error == ""


def slow(i: int, cfg: Any, pkl: str, folder: str, env: Any) -> Any:
    """Says that it has begun; then number 0 cleans up when it is asked to end, and number 1 does not listen."""
    if cfg.a == 1:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(folder, "begun").touch()
    try:
        time.sleep(600 if cfg.a < 2 else 0)
    finally:
        Path(folder, "cleaned").touch()
    return cfg.a


def begun(*tasks: Task) -> None:
    deadline = time.monotonic() + 30
    while not all(Path(task.rslt_dir, "begun").exists() for task in tasks):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@engines_apart
def test_room_is_what_was_asked_for(make: Make, tasks: list[Task]) -> None:
    engine = make(slow)
    assert engine.room == 2
    engine.start(tasks[0])
    assert engine.room == 1
    start = time.monotonic()
    assert engine.wait(0.1) == []
    assert time.monotonic() - start < 5


@engines_apart
@pytest.mark.slow
def test_asked_runs_clean_up_and_deaf_ones_are_killed(make: Make, tasks: list[Task]) -> None:
    engine = make(slow)
    engine.start(tasks[0])
    engine.start(tasks[1])
    begun(*tasks[:2])
    engine.stop("ask")
    found = drained(engine, 2)
    assert all(one.stopped and one.error.startswith("it was asked to end") for one in found.values())
    assert Path(tasks[0].rslt_dir, "cleaned").exists()
    assert not Path(tasks[1].rslt_dir, "cleaned").exists()
    assert engine.room == 2
    engine.start(tasks[2])  # and it goes on
    assert drained(engine, 1)[2].result == 2


@engines_apart
def test_killed_runs_do_not_clean_up(make: Make, tasks: list[Task]) -> None:
    engine = make(slow)
    engine.start(tasks[0])
    begun(tasks[0])
    engine.stop("kill")
    assert drained(engine, 1)[0].stopped
    assert not Path(tasks[0].rslt_dir, "cleaned").exists()


@engines_apart
def test_a_run_that_had_ended_was_not_stopped(make: Make, tasks: list[Task]) -> None:
    engine = make(slow)
    engine.start(tasks[2])
    begun(tasks[2])
    deadline = time.monotonic() + 10
    while not Path(tasks[2].rslt_dir, "cleaned").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.5)
    engine.stop("kill")
    (outcome,) = drained(engine, 1).values()
    assert (outcome.result, outcome.stopped, outcome.error) == (2, False, "")


@engines_apart
@pytest.mark.slow
def test_time_outs(make: Make, tasks: list[Task]) -> None:
    engine = make(slow, timeout_s=6.0)
    engine.start(tasks[0])
    engine.start(tasks[2])
    found = drained(engine, 2)
    assert found[2].result == 2
    assert found[0].error.startswith("it took longer than 6 s")
    assert not found[0].stopped


def dying(i: int, cfg: Any, pkl: str, folder: str, env: Any) -> Any:
    sys.stdout.write("last words\n")
    if cfg.a == 0:
        os._exit(7)
    if cfg.a == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    if cfg.a == 2:  # a child that lives on has the other end of every pipe, too
        if os.fork() == 0:
            time.sleep(600)
        os._exit(8)
    return os.getpid()


@engines_apart
@pytest.mark.slow
def test_processes_that_die(make: Make, tasks: list[Task]) -> None:
    engine = make(dying, size=6)
    for task in tasks[:4]:
        engine.start(task)
    found = drained(engine, 4)
    assert [found[i].exit_code for i in range(4)] == [7, -signal.SIGKILL, 8, None]
    assert found[0].error == "its process ended with exit code 7\nlast words"
    assert found[1].error.startswith("its process ended with signal SIGKILL")


@engines_apart
def test_nothing_lives_after_close(make: Make, tasks: list[Task]) -> None:
    def work(i: int, cfg: Any, pkl: str, folder: str, env: Any) -> None:
        Path(folder, "begun").write_text(str(os.getpid()), encoding="utf-8")
        time.sleep(600)

    engine = make(work)
    engine.start(tasks[0])
    begun(tasks[0])
    time.sleep(0.1)
    engine.close()
    assert ended(int(Path(tasks[0].rslt_dir, "begun").read_text(encoding="utf-8")))
    assert engine.wait(0.0) == []


# -- of processes on this machine only


@pytest.mark.slow
@pytest.mark.parametrize("name", ["local", "fresh"])
def test_processes_are_used_again(make: Make, tasks: list[Task], name: str) -> None:
    """Else each run would wait for all of its imports."""
    engine = make(dying, size=1)
    pids = set()
    for task in tasks[3:]:
        engine.start(task)
        pids.add(drained(engine, 1)[task.index].result)
    assert len(pids) == (1 if name == "local" else 3)


@pytest.mark.parametrize("name", ["local"])
def test_a_process_that_dies_while_it_is_idle_costs_no_run(make: Make, tasks: list[Task]) -> None:
    engine: Any = make(dying, size=1)
    engine.start(tasks[3])
    pid = drained(engine, 1)[3].result
    os.kill(pid, signal.SIGKILL)
    assert ended(pid)
    time.sleep(0.2)  # its threads end after it
    engine.start(tasks[4])
    assert drained(engine, 1)[4].result not in (None, pid)


@pytest.mark.parametrize("name", ["local"])
def test_a_process_that_dies_as_it_gets_a_run_costs_no_run(make: Make, tasks: list[Task]) -> None:
    engine: Any = make(dying, size=1)
    engine.start(tasks[3])
    pid = drained(engine, 1)[3].result
    os.kill(pid, signal.SIGSTOP)  # so that it does not read what it is given, as if it had died just before
    engine.start(tasks[4])
    os.kill(pid, signal.SIGKILL)
    assert drained(engine, 1)[4].result not in (None, pid)


@pytest.mark.parametrize("name", ["local"])
def test_a_process_that_cannot_be_started_is_an_outcome(
    make: Make, tasks: list[Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make(dying)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    engine.start(tasks[3])
    assert engine.room == 1
    assert "no process can be started for it: " in drained(engine, 1)[3].error
    assert engine.room == 2


@pytest.mark.parametrize("name", ["local"])
@pytest.mark.slow
def test_a_process_that_cannot_be_killed_is_given_up(
    make: Make, tasks: list[Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that hangs in the kernel: a signal does nothing."""
    from typedcat.tune.engines import local, process

    engine = make(slow, timeout_s=0.5)
    with monkeypatch.context() as patch:
        patch.setattr(process, "_UNKILLABLE_S", 0.5)
        patch.setattr(process, "_REAP_S", 0.1)
        patch.setattr(process, "signal_groups", lambda groups, number: None)
        patch.setattr(local, "signal_groups", lambda groups, number: None)
        engine.start(tasks[0])
        pid = engine.busy[0].pid  # type: ignore[attr-defined]
        error = drained(engine, 1)[0].error
    assert error.startswith("it took longer than 0.5 s, and does not end even when it is killed")
    assert ended(pid)  # it ends itself when its runner does not listen any more
