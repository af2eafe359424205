"""Sweeps that go on where an older call has ended: what is run again, and what is not."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest

from tests.tune.conftest import WriteTune
from typedcat import Cfg2TuneRunner, load_runs
from typedcat.errors import HeldError, LedgerError, TuneError
from typedcat.tune.ledger.ledger import LEDGER, Ledger

TUNE = """
cfg = Cfg2Tune(rand_seed=7, lr=0.1)
cfg.a = Param2Tune([0, 1, 2])
"""
FOLDER = Path("experiment/tune/grid")


def work(i: int, cfg: Any, pkl: str, folder: str, env: Any) -> dict[str, Any]:
    with open("log", "a", encoding="utf-8") as log:
        log.write(f"{os.path.relpath(folder, FOLDER)}\n")
    if os.path.exists(f"fail-{cfg.a}"):
        raise RuntimeError("told to fail")
    Path(folder, "eval.json").write_text(json.dumps({"x": cfg.a + cfg.lr, "seed": cfg.rand_seed}), encoding="utf-8")
    return {}


def gather(cfg: Any, folder: str, result: Any, comb: Any) -> dict[str, Any]:
    metrics: dict[str, Any] = json.loads(Path(folder, "eval.json").read_text(encoding="utf-8"))
    return metrics


def tuned(path: str, rerun: str = "", **options: Any) -> Cfg2TuneRunner:
    runner = Cfg2TuneRunner(path, work_fn=work, gather_metric_fn=gather, pool_size=2, verbosity=False, **options)
    runner.tuning(rerun=rerun)
    return runner


def started() -> list[str]:
    """The folders of the runs that were started since the last call of this."""
    log = Path("log")
    lines = sorted(log.read_text(encoding="utf-8").split("\n")[:-1]) if log.exists() else []
    log.unlink(missing_ok=True)
    return lines


def column(runner: Cfg2TuneRunner, name: str = "x") -> list[Any]:
    assert runner.metric_frame is not None
    return list(runner.metric_frame[name])


@pytest.mark.slow
def test_what_is_done_is_not_repeated(tune: WriteTune) -> None:
    path = tune(TUNE)
    Path("fail-1").touch()
    first = tuned(path)
    assert started() == ["a=0", "a=1", "a=2"]
    assert list(first.failures) == [1]
    Path("fail-1").unlink()
    second = tuned(path)
    assert started() == ["a=1"]
    assert column(second) == [0.1, 1.1, 2.1]
    third = tuned(path)
    assert started() == []
    pd.testing.assert_frame_equal(third.tuning(), second.tuning())


@pytest.mark.slow
def test_another_config_is_run_again_and_its_old_folder_kept(tune: WriteTune) -> None:
    tuned(tune(TUNE))
    started()
    assert column(tuned(tune(TUNE.replace("lr=0.1", "lr=0.2")))) == [0.2, 1.2, 2.2]
    assert started() == ["a=0", "a=1", "a=2"]
    assert json.loads((FOLDER / "a=1.old1/eval.json").read_text(encoding="utf-8"))["x"] == 1.1


@pytest.mark.slow
def test_growing_by_a_value_a_seed_and_a_parameter(tune: WriteTune) -> None:
    tuned(tune(TUNE))
    started()
    more = TUNE.replace("[0, 1, 2]", "[0, 5, 2]")
    assert column(tuned(tune(more))) == [0.1, 5.1, 2.1]
    assert started() == ["a=5"]
    assert {one.point for one in Ledger(FOLDER).attempts()} == {"a=0", "a=1", "a=2", "a=5"}
    repeated = tuned(tune(more.replace("Cfg2Tune(", "Cfg2Tune(repeats=2, ")))
    assert started() == ["a=0/seed=8", "a=2/seed=8", "a=5/seed=8"]  # that of seed 7 has been run without a name
    assert column(repeated) == [0.1, 5.1, 2.1]
    assert column(repeated, "n") == [2, 2, 2]
    assert load_runs(FOLDER)["attempts"].tolist() == [1] * 6
    tuned(tune(more.replace("Cfg2Tune(", "Cfg2Tune(repeats=3, ")))
    assert started() == ["a=0/seed=9", "a=2/seed=9", "a=5/seed=9"]
    tuned(tune(more + "cfg.lr = Param2Tune([0.1, 0.3])\n"))
    assert started() == ["a=0,lr=0.3", "a=2,lr=0.3", "a=5,lr=0.3"]


@pytest.mark.slow
def test_what_to_run_again_can_be_said(tune: WriteTune) -> None:
    path = tune(TUNE)
    Path("fail-1").touch()
    tuned(path)
    assert started() == ["a=0", "a=1", "a=2"]
    tuned(path, rerun="failed")
    assert started() == ["a=1"]
    tuned(path, rerun="a=2")
    assert started() == ["a=2"]
    tuned(path, rerun="a=*")
    assert started() == ["a=0", "a=1", "a=2"]
    Path("fail-1").unlink()
    tuned(path, rerun="all")
    assert started() == ["a=0", "a=1", "a=2"]
    with pytest.raises(TuneError, match=re.escape("rerun='a=7' is no run of this sweep\n  did you mean 'a=")):
        tuned(path, rerun="a=7")


@pytest.mark.slow
def test_results_of_other_code_stay_and_are_marked(tune: WriteTune) -> None:
    path = tune(TUNE)
    Path("model.py").write_text("depth = 1", encoding="utf-8")
    assert "code" not in tuned(path).tuning().columns
    started()
    Path("model.py").write_text("depth = 2", encoding="utf-8")
    runner = tuned(path)
    assert started() == []
    assert runner.tuning()["code"].tolist() == ["other"] * 3
    tuned(path, rerun="stale")
    assert started() == ["a=0", "a=1", "a=2"]
    assert "code" not in tuned(path).tuning().columns


@pytest.mark.slow
def test_old_metrics_are_not_new_ones(tune: WriteTune) -> None:
    path = tune(TUNE)
    tuned(path)
    runner = Cfg2TuneRunner(path, work_fn=lambda *_: None, gather_metric_fn=gather, pool_size=1, verbosity=False)
    runner.tuning(rerun="all")
    assert len(runner.failures) == 3
    assert "a=0/eval.json is older than this run, which has not written it" in runner.failures[0]


@pytest.mark.slow
def test_retries(tune: WriteTune) -> None:
    def flaky(i: int, cfg: Any, pkl: str, folder: str, env: Any) -> dict[str, int]:
        tries = len(list(Path(folder).glob("try*")))
        Path(folder, f"try{tries}").touch()
        if tries < cfg.a:
            os._exit(9)
        return {"tries": tries + 1}

    runner = Cfg2TuneRunner(
        tune(TUNE), work_fn=flaky, gather_metric_fn=lambda cfg, folder, result, comb: result, pool_size=2,
        verbosity=False, max_retries=1,
    )  # fmt: skip
    runner.tuning()
    assert list(runner.failures) == [2]
    assert column(runner, "tries")[:2] == [1, 2]
    assert [one.state for one in Ledger(FOLDER).attempts() if one.point == "a=1"] == ["failed", "done"]


# -- the folder


SLOW = """
import os, sys, time
from typedcat import Cfg2TuneRunner

runner = Cfg2TuneRunner('configs/tune/grid/cfg.py', pool_size=2, verbosity=False, grace_s=0.2)

@runner.register_work_fn
def work(i, cfg, pkl, folder, env):
    with open('begun', 'a') as log:
        log.write(f'{cfg.a}\\n')
    time.sleep(SECONDS)
    with open('ended', 'a') as log:
        log.write(f'{cfg.a}\\n')
    return {'x': cfg.a}

runner.register_gather_metric_fn(lambda cfg, folder, result, comb: result)
runner.tuning()
"""


def script(seconds: float) -> subprocess.Popen[str]:
    Path("script.py").write_text(SLOW.replace("SECONDS", str(seconds)), encoding="utf-8")
    return subprocess.Popen([sys.executable, "script.py"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_one_runner_at_a_time(tune: WriteTune) -> None:
    path = tune(TUNE)
    first = script(600)
    while not Path("begun").exists():
        time.sleep(0.05)
    with pytest.raises(HeldError, match=rf"experiment/tune/grid is being worked on by process {first.pid} of .* on "):
        tuned(path)
    first.send_signal(signal.SIGINT)
    out, err = first.communicate(timeout=60)
    assert "3 of 3 runs have not ended: the same command again goes on with them" in out
    assert "KeyboardInterrupt" in err
    assert {one.state for one in Ledger(FOLDER).attempts()} == {"stopped"}
    assert column(tuned(path)) == [0.1, 1.1, 2.1]


ELSEWHERE = """
import os, socket, sys, time
from typedcat import Cfg2TuneRunner
from typedcat.tune.ledger import lock

def flock(fd, how):
    raise OSError(38, 'Function not implemented')

socket.gethostname = lambda: sys.argv[1]
lock.BEAT_S, lock._WATCH_S, lock.fcntl.flock = 0.1, 0.5, flock
runner = Cfg2TuneRunner('configs/tune/grid/cfg.py', pool_size=1, verbosity=False, plots=False, grace_s=0.2)

@runner.register_work_fn
def work(i, cfg, pkl, folder, env):
    open('begun', 'w').close()
    while not os.path.exists('go on'):
        time.sleep(0.05)
    return {'x': cfg.a}

runner.register_gather_metric_fn(lambda cfg, folder, result, comb: result)
runner.tuning()
"""


@pytest.mark.slow
@pytest.mark.parametrize("removed", [False, True])
def test_a_machine_that_slept_spoils_nothing(tune: WriteTune, removed: bool) -> None:
    """Another one has taken the folder meanwhile, or a new one of that name, and is done with it."""
    tune(TUNE)
    Path("script.py").write_text(ELSEWHERE, encoding="utf-8")
    slept = subprocess.Popen([sys.executable, "script.py", "one"], stderr=subprocess.PIPE, text=True)
    while not Path("begun").exists():
        time.sleep(0.05)
    time.sleep(0.2)
    slept.send_signal(signal.SIGSTOP)
    if removed:
        shutil.rmtree(FOLDER)
    Path("go on").touch()
    subprocess.run([sys.executable, "script.py", "two"], check=True, timeout=60)
    table = (FOLDER / "metric_frame.csv").read_text(encoding="utf-8")
    attempts = Ledger(FOLDER).attempts()
    slept.send_signal(signal.SIGCONT)
    _, err = slept.communicate(timeout=60)
    assert "HeldError: experiment/tune/grid is being worked on by another runner" in err
    assert Ledger(FOLDER).attempts() == attempts
    assert (FOLDER / "metric_frame.csv").read_text(encoding="utf-8") == table
    assert [one.state for one in attempts if one.state != "stopped"] == ["done"] * 3


def lines(file: str) -> list[str]:
    return Path(file).read_text(encoding="utf-8").split() if Path(file).exists() else []


def wait_for_a_moment(process: subprocess.Popen[str], random: Random, begun: int) -> None:
    """Wait until a process starts, or has started a run or a few."""
    if random.random() < 0.2:
        moment = time.monotonic() + random.uniform(0.0, 1.0)  # while it starts
        while process.poll() is None and time.monotonic() < moment:
            time.sleep(0.01)
        return
    enough = begun + random.randint(1, 3)
    while process.poll() is None and len(lines("begun")) < enough:
        time.sleep(0.002)
    time.sleep(random.uniform(0.0, 0.03))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_again_and_again(tune: WriteTune) -> None:
    """A hundred times the runner is killed: every point ends with one result, and what is done is never done again."""
    random = Random(0)
    points = 500
    tune(f"cfg = Cfg2Tune()\ncfg.a = Param2Tune(list(range({points})))\n")
    done_before: set[str] = set()
    for kill in range(101):
        begun = lines("begun")
        process = script(0.02)
        if kill < 100:
            wait_for_a_moment(process, random, len(begun))
            assert process.poll() is None, "there are not enough points"
            process.kill()
        _, err = process.communicate()
        assert process.returncode == (-signal.SIGKILL if kill < 100 else 0), err
        repeated = {f"a={i}" for i in done_before & set(lines("begun")[len(begun) :])}
        assert not repeated, [one for one in Ledger(FOLDER).attempts() if one.point in repeated]
        if (FOLDER / LEDGER).exists():
            done_before = {one.point.removeprefix("a=") for one in Ledger(FOLDER).attempts() if one.state == "done"}
    done = Counter(one.point for one in Ledger(FOLDER).attempts() if one.state == "done")
    assert done == Counter({f"a={i}": 1 for i in range(points)})


def test_a_ledger_that_is_none(tune: WriteTune) -> None:
    path = tune(TUNE)
    FOLDER.mkdir(parents=True)
    (FOLDER / LEDGER).write_bytes(b"no database" * 1000)
    with pytest.raises(LedgerError, match=r"the ledger experiment/tune/grid/ledger\.sqlite: file is not a database\n"):
        tuned(path)


def test_metrics_of_any_kind_come_back(tmp_path: Path) -> None:
    import numpy as np

    values: dict[str, Any] = {"a": 1, "b": float("nan"), "c": (1, 2), "d": np.float32(0.5), "e": {1: 2}, "f": None}
    ledger = Ledger(tmp_path, write=True)
    from typedcat.tune.ledger.ledger import Attempt

    sweep = ledger.begin_sweep({})
    ledger.start(Attempt(ledger.next_id(), sweep, "p", "d", "c", "running", 0.0, "h", "f", ("GPU 0",)))
    ledger.end(1, "done", 2.0, metrics=values)
    ledger.close()
    (attempt,) = Ledger(tmp_path).attempts()
    assert repr(dict(attempt.metrics)) == repr(values)
    assert (attempt.state, attempt.seconds, attempt.gpus) == ("done", 2.0, ("GPU 0",))


def test_what_the_last_runner_left_running_was_stopped(tmp_path: Path) -> None:
    from typedcat.tune.ledger.ledger import Attempt

    ledger = Ledger(tmp_path, write=True)
    ledger.start(Attempt(ledger.next_id(), ledger.begin_sweep({}), "p", "d", "c", "running", 0.0, "h", "f"))
    ledger.commit()
    again = Ledger(tmp_path, write=True)
    again.begin_sweep(json.loads(textwrap.dedent("{}")))
    assert [(one.state, one.error) for one in again.attempts()] == [("stopped", "its runner was killed")]
