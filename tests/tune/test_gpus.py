"""GPUs lent to the runs of runners, on a machine that a stand-in for NVML describes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
import threading
import time
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from tests.tune.conftest import Machine, WriteTune
from typedcat import Cfg2TuneRunner
from typedcat.errors import GpuError
from typedcat.tune.gpus.allocate import visible_gpus
from typedcat.tune.gpus.leases import Leases

GRID = "cfg = Cfg2Tune()\ncfg.a = Param2Tune(list(range({})))"


def test_no_driver(monkeypatch: pytest.MonkeyPatch, tune: WriteTune) -> None:
    import pynvml

    monkeypatch.setattr(pynvml, "nvmlInit", lambda: (_ for _ in ()).throw(pynvml.NVMLError(12)))
    path = tune(GRID.format(2))
    with pytest.raises(GpuError, match="driver"):
        Cfg2TuneRunner(path, work_gpu_num=1)
    assert Cfg2TuneRunner(path).pool_size == 0


def test_more_gpus_than_there_are(machine: Machine, tune: WriteTune) -> None:
    machine.has_idle(2)
    with pytest.raises(GpuError, match="3"):
        Cfg2TuneRunner(tune(GRID.format(2)), work_gpu_num=3)


SCRIPT = """
import json, os, random, sys, time
from typedcat import Cfg2TuneRunner

name = sys.argv[1]
runner = Cfg2TuneRunner(
    'configs/tune/grid/cfg.py', experiment_root=f'experiment-{name}', work_gpu_num=2, verbosity=False, record=False,
    plots=False,
)

@runner.register_work_fn
def work(i, cfg, pkl, folder, env):
    start = time.monotonic()
    time.sleep(random.Random(i).uniform(0.0, 0.1))
    assert os.environ['CUDA_VISIBLE_DEVICES'] == env['CUDA_VISIBLE_DEVICES']
    keys = ('CUDA_VISIBLE_DEVICES', 'CUDA_DEVICE_ORDER', 'MASTER_ADDR', 'MASTER_PORT')
    span = {'start': start, 'end': time.monotonic(), 'pid': os.getpid()}
    with open('spans', 'a') as file:
        file.write(json.dumps({**{key: env[key] for key in keys}, **span}) + '\\n')
    return {}

runner.register_gather_metric_fn(lambda cfg, folder, result, comb: result)
runner.tuning()
assert not runner.failures, runner.failures
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_runners_share_a_machine_without_an_overlap(machine: Machine, tune: WriteTune, project: Path) -> None:
    tune(GRID.format(40))
    (project / "script.py").write_text(SCRIPT, encoding="utf-8")
    runners = [
        subprocess.Popen([sys.executable, "script.py", name], stderr=subprocess.PIPE, text=True) for name in ("a", "b")
    ]
    for runner in runners:
        _, err = runner.communicate(timeout=280)
        assert runner.returncode == 0, err
    spans = [json.loads(line) for line in Path("spans").read_text(encoding="utf-8").splitlines()]
    assert len(spans) == 80
    assert len({span["pid"] for span in spans}) == 80  # CUDA reads its environment once per process
    known = {gpu.uuid for gpu in visible_gpus()}
    for span in spans:
        gpus = span["CUDA_VISIBLE_DEVICES"].split(",")
        assert len(set(gpus)) == 2
        assert set(gpus) <= known
        assert span["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    for one, other in combinations(spans, 2):
        if one["start"] < other["end"] and other["start"] < one["end"]:
            assert not set(one["CUDA_VISIBLE_DEVICES"].split(",")) & set(other["CUDA_VISIBLE_DEVICES"].split(","))
            assert one["MASTER_PORT"] != other["MASTER_PORT"]
    lease = Leases(8).try_acquire("all of them")
    assert lease is not None
    lease.release()


@pytest.mark.slow
def test_a_lease_lasts_as_long_as_its_run(machine: Machine, tune: WriteTune, project: Path) -> None:
    """The runner is killed while a run that will not end has a GPU: nobody else gets it before that has ended."""
    machine.has_idle(1)
    tune(GRID.format(1))
    script = f"""
    import os, signal, time
    from typedcat import Cfg2TuneRunner

    def work(i, cfg, pkl, folder, env):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open('{project}/pid', 'w').write(str(os.getpid()))
        time.sleep(600)

    Cfg2TuneRunner('configs/tune/grid/cfg.py', work_gpu_num=1, work_fn=work, verbosity=False, grace_s=2.0).tuning()
    """
    (project / "script.py").write_text(textwrap.dedent(script), encoding="utf-8")
    runner = subprocess.Popen([sys.executable, "script.py"])
    while not (project / "pid").exists() or not (project / "pid").read_text(encoding="utf-8"):
        assert runner.poll() is None
        time.sleep(0.05)
    run = int((project / "pid").read_text(encoding="utf-8"))
    leases = Leases(1)
    assert [busy.why for busy in leases.busy()] == ["leased"]
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    assert not has_ended(run)
    assert leases.try_acquire("me") is None
    lease = leases.acquire("me")
    assert has_ended(run)
    lease.release()


def has_ended(pid: int) -> bool:
    """Also if nobody has asked for its exit code yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] in ("Z", "X")
    except OSError:
        return True


def test_what_a_run_waits_for_is_shown(machine: Machine, tune: WriteTune, capfd: pytest.CaptureFixture[str]) -> None:
    machine.has("gpu {0} 81920 500 40000 4242")
    runner = Cfg2TuneRunner(tune(GRID.format(1)), work_gpu_num=1, work_fn=lambda *_: None, record=False)

    def free_it() -> Any:
        time.sleep(1.5)
        machine.has_idle(1)

    thread = threading.Thread(target=free_it)
    thread.start()
    runner.tuning()
    thread.join()
    assert "waiting: " in capfd.readouterr().err
    assert not runner.failures


@pytest.mark.slow
def test_other_numbers_are_no_news(machine: Machine, tune: WriteTune, capfd: pytest.CaptureFixture[str]) -> None:
    machine.has("gpu {0} 81920 500 40000 4242")
    runner = Cfg2TuneRunner(tune(GRID.format(1)), work_gpu_num=1, work_fn=lambda *_: None, record=False)

    def use_it() -> None:
        for used in range(40_000, 40_025):
            machine.has(f"gpu {{0}} 81920 500 {used} 4242")
            time.sleep(0.1)
        machine.has_idle(1)

    thread = threading.Thread(target=use_it)
    thread.start()
    runner.tuning()
    thread.join()
    assert capfd.readouterr().err.count("waiting: ") == 1


@pytest.mark.slow
def test_a_gpu_that_is_lost_is_told_of_once(
    machine: Machine, tune: WriteTune, capfd: pytest.CaptureFixture[str]
) -> None:
    machine.has_idle(2)

    def lose_one(i: int, *_: Any) -> None:
        if i == 0:
            machine.adds(f"fail nvmlDeviceGetHandleByUUID {machine.uuid(1)} 15")

    runner = Cfg2TuneRunner(tune(GRID.format(5)), work_gpu_num=1, work_fn=lose_one, record=False)
    runner.tuning()
    assert not runner.failures
    said = f"GPU 1 ({machine.uuid(1)}) does not answer: GPU is lost; it is left out"
    assert capfd.readouterr().err.count(said) == 1
