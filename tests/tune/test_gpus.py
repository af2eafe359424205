"""GPUs lent to runs, on a machine that a stand-in for NVML describes."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.tune.conftest import WriteTune
from typedcat import Cfg2TuneRunner
from typedcat.errors import TuneError
from typedcat.tune.gpus import gpu_groups

ORDER = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets how many GPUs there are; None for no driver."""

    def set_count(count: int | None) -> None:
        class NVMLError(Exception):
            pass

        def init() -> None:
            if count is None:
                raise NVMLError("NVML Shared Library Not Found")

        fake: Any = ModuleType("pynvml")
        fake.NVMLError, fake.nvmlInit, fake.nvmlShutdown = NVMLError, init, lambda: None
        fake.nvmlDeviceGetCount = lambda: count
        monkeypatch.setitem(sys.modules, "pynvml", fake)

    return set_count


def test_every_gpu_is_in_one_group(machine: Any) -> None:
    machine(4)
    assert gpu_groups(2) == [{**ORDER, "CUDA_VISIBLE_DEVICES": "0,1"}, {**ORDER, "CUDA_VISIBLE_DEVICES": "2,3"}]
    machine(3)
    assert gpu_groups(2) == [{**ORDER, "CUDA_VISIBLE_DEVICES": "0,1"}]


@pytest.mark.parametrize(
    ("given", "groups"),
    [
        ("3,1", ["3", "1"]),
        ("GPU-8932f937, MIG-5c89852c", ["GPU-8932f937", "MIG-5c89852c"]),
        ("2,-1,0", ["2"]),  # CUDA reads no further
    ],
)
def test_what_the_user_made_visible(monkeypatch: pytest.MonkeyPatch, given: str, groups: list[str]) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    assert gpu_groups(1) == [{"CUDA_VISIBLE_DEVICES": group} for group in groups]


@pytest.mark.parametrize("given", ["", "-1", "0"])
def test_fewer_gpus_than_a_run_needs(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    with pytest.raises(TuneError, match="work_gpu_num=2, but only"):
        gpu_groups(2)


def test_no_driver(machine: Any, tune: WriteTune) -> None:
    machine(None)
    path = tune("cfg = Cfg2Tune()\ncfg.a = Param2Tune([1, 2])")
    with pytest.raises(TuneError, match=r"driver does not answer: NVML Shared Library Not Found"):
        Cfg2TuneRunner(path, work_gpu_num=1)
    assert Cfg2TuneRunner(path).pool_size == 0


@pytest.mark.slow
def test_runs_at_the_same_time_have_different_gpus(machine: Any, tune: WriteTune, project: Path) -> None:
    machine(5)
    path = tune("cfg = Cfg2Tune()\ncfg.a = Param2Tune(range(6))")

    def work(i: int, cfg: Any, pkl: str, folder: str, env: dict[str, str]) -> dict[str, Any]:
        start = time.time()
        time.sleep(0.1 * (i % 3))
        return {"gpus": env["CUDA_VISIBLE_DEVICES"], "start": start, "end": time.time()}

    runner = Cfg2TuneRunner(
        path, work_gpu_num=2, work_fn=work, gather_metric_fn=lambda cfg, folder, result, comb: result
    )
    assert runner.pool_size == 2
    runs = runner.tuning().to_dict("records")
    assert {run["gpus"] for run in runs} == {"0,1", "2,3"}
    for one in runs:
        for other in runs:
            if one is not other and one["gpus"] == other["gpus"]:
                assert one["end"] <= other["start"] or other["end"] <= one["start"]
