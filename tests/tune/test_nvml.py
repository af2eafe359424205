"""Which GPUs there are and what goes on on them, through the real pynvml and a stand-in for the driver's library."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tune.conftest import Machine, compiled
from typedcat.errors import GpuError, TuneError
from typedcat.tune.gpus.allocate import visible_gpus
from typedcat.tune.gpus.devices import Gpu, Load, boards, loads

MIG = [
    "gpu {0} 81920 500 4 -",
    "gpu {1} 81920 500 4 -",
    "mig MIG-aaaa1111-0000-0000-0000-000000000000 10000 100 0 -",
    "mig MIG-aaaa2222-0000-0000-0000-000000000000 20000 100 0 -",
    "gpu {2} 81920 500 4 -",
]


def shown(given: str | None) -> list[int | str]:
    """The index of each visible GPU, of an instance the first part of its UUID."""
    gpus = visible_gpus({} if given is None else {"CUDA_VISIBLE_DEVICES": given})
    return [gpu.uuid[:12] if gpu.index is None else gpu.index for gpu in gpus]


def test_all_gpus(machine: Machine) -> None:
    gpus = visible_gpus({})
    assert gpus == [Gpu(machine.uuid(i), i, "NVIDIA H100", 81420) for i in range(8)]
    assert str(gpus[3]) == f"GPU 3 ({machine.uuid(3)})"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, [0, 1, 2, 3, 4, 5, 6, 7]),
        ("0", [0]),
        ("3,1", [3, 1]),
        (" 3 , 1 ", [3, 1]),
        ("GPU-00000002-1111-2222-3333-444444444444", [2]),
        ("GPU-00000005,GPU-00000004", [5, 4]),
        ("gpu-00000005", [5]),
        ("1,GPU-00000004,0", [1, 4, 0]),
        ("", []),
        ("-1", []),
        ("-2", []),
        ("2,-1,0", [2]),
        ("2,,0", [2]),
        ("  ", []),
        ("07", [7]),
        ("NoDevFiles", []),
    ],
)
def test_visible_devices(machine: Machine, given: str | None, expected: list[int | str]) -> None:
    assert shown(given) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("8", "there is no GPU '8', and CUDA would read no further; there are: GPU 0 (GPU-00000000-"),
        ("0,99999999999999999999", "there is no GPU '99999999999999999999'"),
        ("GPU-ffff", "there is no GPU 'GPU-ffff'"),
        ("GPU-", "there is no GPU 'GPU-'"),
        ("GPU-0000000", "'GPU-0000000' is the beginning of 8 UUIDs; write more of it"),
        ("cuda:0", "there is no GPU 'cuda:0'"),
        ("0.5", "there is no GPU '0.5'"),
        ("1" * 5000, "there is no GPU '111"),
        ("+1", "there is no GPU '+1'"),
        ("²", "there is no GPU '²'"),
        ("MIG-aaaa", "there is no GPU 'MIG-aaaa'"),
        ("1,0,1", "names GPU 1 (GPU-00000001-1111-2222-3333-444444444444) twice; CUDA would see no GPU at all"),
        ("1,GPU-00000001", "twice"),
    ],
)
def test_visible_devices_that_mean_nothing(machine: Machine, given: str, message: str) -> None:
    with pytest.raises(GpuError) as caught:
        shown(given)
    assert str(caught.value).startswith(f"CUDA_VISIBLE_DEVICES={given!r}")
    assert message in str(caught.value)


# -- MIG


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, [0, "MIG-aaaa1111", "MIG-aaaa2222", 2]),
        ("2,1", [2, "MIG-aaaa1111", "MIG-aaaa2222"]),
        ("GPU-00000001", ["MIG-aaaa1111", "MIG-aaaa2222"]),
        ("MIG-aaaa2222-0000-0000-0000-000000000000", ["MIG-aaaa2222"]),
        ("MIG-aaaa2", ["MIG-aaaa2222"]),
        ("MIG-GPU-00000001-1111-2222-3333-444444444444/2/0,0", ["MIG-aaaa2222", 0]),
        ("MIG-GPU-00000001-1111-2222-3333-444444444444/1/0", ["MIG-aaaa1111"]),
        ("mig-gpu-00000001/2/0, -1, 2", ["MIG-aaaa2222"]),
    ],
)
def test_instances_stand_for_their_gpu(machine: Machine, given: str | None, expected: list[int | str]) -> None:
    machine.has(*MIG)
    assert shown(given) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("MIG-aaaa", "is the beginning of 2 UUIDs"),
        ("MIG-GPU-00000001-1111-2222-3333-444444444444/3/0", "there is no GPU 'MIG-GPU-"),
        ("MIG-GPU-00000002/1/0", "there is no GPU 'MIG-GPU-"),
        ("MIG-GPU-/1/0", "there is no GPU 'MIG-GPU-/1/0'"),
        ("MIG-GPU-00000000-1111-2222-3333-444444444444", "there is no GPU 'MIG-GPU-"),
        ("1,MIG-aaaa1", "names MIG-aaaa1111-0000-0000-0000-000000000000 on GPU-00000001-1111"),
    ],
)
def test_instances_that_mean_nothing(machine: Machine, given: str, message: str) -> None:
    machine.has(*MIG)
    with pytest.raises(GpuError) as caught:
        shown(given)
    assert message in str(caught.value)


def test_an_instance_has_memory_and_processes_of_its_own(machine: Machine) -> None:
    machine.has(*MIG[:2], "mig MIG-aaaa 10000 100 2000 7,8", "mig MIG-bbbb 10000 100 0 -")
    machine.adds("fail nvmlDeviceGetGraphicsRunningProcesses_v3 MIG-aaaa 3")
    _whole, first, second = visible_gpus({})
    assert (first.memory_total, first.parent, first.index) == (9900, machine.uuid(1), None)
    assert loads([first, second]) == {"MIG-aaaa": Load(7900, 2000, (7, 8)), "MIG-bbbb": Load(9900, 0, ())}


def test_mig_mode_without_instances(machine: Machine) -> None:
    machine.has("gpu {0} 81920 500 4 -", "gpu {1} 81920 500 4 -", "migmode {0}")
    assert shown(None) == [1]
    assert shown("0,1") == [1]


# -- what goes on


def test_load(machine: Machine) -> None:
    machine.has("gpu {0} 81920 500 2000 30,20", "graphics {0} 20,5", "mps {0} 40,30", "gpu {1} 1000 0 0 -")
    assert loads(visible_gpus({})) == {
        machine.uuid(0): Load(79420, 2000, (5, 20, 30, 40)),
        machine.uuid(1): Load(1000, 0, ()),
    }


@pytest.mark.parametrize("code", [3, 13, 25])
def test_a_driver_that_does_not_tell_reserved_memory(machine: Machine, code: int) -> None:
    machine.has("gpu {0} 81920 500 2000 1", f"fail nvmlDeviceGetMemoryInfo_v2 * {code}")
    (gpu,) = visible_gpus({})
    assert gpu.memory_total == 81920
    assert loads([gpu]) == {gpu.uuid: Load(79920, 2000, (1,))}


def test_a_gpu_without_memory_of_its_own(machine: Machine) -> None:
    machine.has("gpu {0} 81920 500 2000 1", "fail nvmlDeviceGetMemoryInfo_v2 * 3", "fail nvmlDeviceGetMemoryInfo * 3")
    (gpu,) = visible_gpus({})
    assert gpu.memory_total == 0
    assert loads([gpu]) == {gpu.uuid: Load(0, 0, (1,))}


def test_a_driver_with_older_lists_of_processes(machine: Machine) -> None:
    machine.has("gpu {0} 81920 500 2000 1,2", "graphics {0} 3")
    machine.adds(
        "fail nvmlDeviceGetComputeRunningProcesses_v3 * 13",
        "fail nvmlDeviceGetGraphicsRunningProcesses_v3 * 13",
        "fail nvmlDeviceGetMPSComputeRunningProcesses_v3 * 13",
    )
    gpus = visible_gpus({})
    assert loads(gpus)[machine.uuid(0)] == Load(79420, 2000, (1, 2, 3))
    machine.adds("fail nvmlDeviceGetGraphicsRunningProcesses_v2 * 13")
    assert loads(gpus)[machine.uuid(0)] == Load(79420, 2000, (1, 2))
    machine.adds("fail nvmlDeviceGetComputeRunningProcesses_v2 * 13")
    assert loads(gpus)[machine.uuid(0)] == Load(79420, 2000, (), "Function Not Found")


def test_a_driver_that_lists_no_programs(machine: Machine) -> None:
    """As on Windows' Linux: that there are none cannot be told from not knowing."""
    machine.has("gpu {0} 81920 500 2000 1,2", "graphics {0} 3", "fail nvmlDeviceGetComputeRunningProcesses_v3 * 3")
    assert loads(visible_gpus({})) == {machine.uuid(0): Load(79420, 2000, (3,), "Not Supported")}


@pytest.mark.parametrize(
    ("function", "code", "why"),
    [
        ("nvmlDeviceGetHandleByUUID", 15, "GPU is lost"),
        ("nvmlDeviceGetMemoryInfo_v2", 999, "Unknown Error"),
        ("nvmlDeviceGetComputeRunningProcesses_v3", 15, "GPU is lost"),
        ("nvmlDeviceGetMemoryInfo_v2", 16, "GPU requires restart"),
    ],
)
def test_a_gpu_that_is_lost_midway(machine: Machine, function: str, code: int, why: str) -> None:
    gpus = visible_gpus({})
    machine.adds(f"fail {function} {machine.uuid(1)} {code}")
    state = loads(gpus)
    assert state.pop(machine.uuid(1)) == why
    assert state == {gpu.uuid: Load(81416, 4, ()) for gpu in gpus if gpu.index != 1}


@pytest.mark.parametrize(
    ("code", "why"), [(4, "Insufficient Permissions"), (7, "Insufficient Size"), (999, "Unknown Error")]
)
@pytest.mark.parametrize("kind", ["Compute", "Graphics", "MPSCompute"])
def test_a_list_of_processes_that_cannot_be_had(machine: Machine, kind: str, code: int, why: str) -> None:
    """The GPU is there all the same, and so are the other lists."""
    machine.has("gpu {0} 81920 500 2000 1", "graphics {0} 2", "mps {0} 3")
    machine.adds(f"fail nvmlDeviceGet{kind}RunningProcesses_v3 * {code}")
    seen = {"Compute": (2, 3), "Graphics": (1, 3), "MPSCompute": (1, 2)}[kind]
    assert loads(visible_gpus({})) == {machine.uuid(0): Load(79420, 2000, seen, why)}


def test_a_gpu_that_is_there_no_more(machine: Machine) -> None:
    gpus = visible_gpus({})
    machine.has_idle(7)
    state = loads(gpus)
    assert state[machine.uuid(7)] == "Not Found"
    assert isinstance(state[machine.uuid(6)], Load)


@pytest.mark.parametrize(
    "function",
    ["nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetUUID", "nvmlDeviceGetMemoryInfo_v2", "nvmlDeviceGetMigMode"],
)
def test_a_gpu_that_is_lost_from_the_start(machine: Machine, function: str) -> None:
    machine.adds(f"fail {function} {machine.uuid(1)} 15")
    assert shown(None) == [0, 2, 3, 4, 5, 6, 7]
    assert [board.error for board in boards()] == ["", "GPU is lost", *[""] * 6]
    assert shown("2") == [2]
    with pytest.raises(GpuError, match="CUDA_VISIBLE_DEVICES='1': GPU 1 does not answer: GPU is lost; leave it out"):
        shown("1")
    with pytest.raises(GpuError, match=r"(?s)CUDA_VISIBLE_DEVICES='GPU-00000001'.* GPU 1 does not answer: GPU is lost"):
        shown("GPU-00000001")


def test_gpus_of_other_jobs_are_not_counted(machine: Machine) -> None:
    """A scheduler lets a job see only its own, which CUDA and nvidia-smi number from 0; NVML counts all."""
    machine.adds(*(f"fail nvmlDeviceGetHandleByIndex_v2 {machine.uuid(i)} 4" for i in (0, 1, 3)))
    gpus = visible_gpus({"CUDA_VISIBLE_DEVICES": "1,0"})
    assert [(gpu.index, gpu.uuid) for gpu in gpus] == [(1, machine.uuid(4)), (0, machine.uuid(2))]
    assert [board.index for board in boards()] == [None, None, 0, None, 1, 2, 3, 4]
    with pytest.raises(GpuError, match=r"there is no GPU '5'.*\n  a GPU does not answer: Insufficient Permissions"):
        shown("5")


def test_a_place_that_is_no_instance(machine: Machine) -> None:
    machine.has(*MIG)
    machine.adds("fail nvmlDeviceGetMigDeviceHandleByIndex * 2")
    assert shown(None) == [0, 2]
    assert [board.error for board in boards()] == ["", "", ""]


@pytest.mark.parametrize(
    "function", ["nvmlDeviceGetGpuInstanceId", "nvmlDeviceGetMemoryInfo_v2", "nvmlDeviceGetUUID", "nvmlDeviceGetName"]
)
def test_instances_of_other_jobs(machine: Machine, function: str) -> None:
    machine.has(*MIG)
    machine.adds(f"fail {function} MIG-aaaa1111-0000-0000-0000-000000000000 4")
    assert shown(None) == [0, "MIG-aaaa2222", 2]
    assert shown("MIG-aaaa2") == ["MIG-aaaa2222"]


def test_instances_of_a_lost_gpu(machine: Machine) -> None:
    machine.has(*MIG)
    machine.adds(f"fail nvmlDeviceGetMaxMigDeviceCount {machine.uuid(1)} 15")
    assert shown(None) == [0, 2]
    with pytest.raises(GpuError, match=r"no GPU 'MIG-aaaa1'.*\n  GPU 1 does not answer: GPU is lost"):
        shown("MIG-aaaa1")


# -- no driver


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (9, "does not answer: Driver Not Loaded\n  look at what `nvidia-smi` says"),
        (18, "does not answer: RM has detected an NVML/RM version mismatch.\n  the driver was updated"),
        (999, "does not answer: Unknown Error\n  look at"),
    ],
)
def test_a_driver_that_does_not_start(machine: Machine, code: int, message: str) -> None:
    gpus = visible_gpus({})
    machine.adds(f"fail nvmlInitWithFlags * {code}")
    with pytest.raises(TuneError) as caught:
        visible_gpus({})
    assert message in str(caught.value)
    first = message.partition("\n")[0]
    assert loads(gpus) == {gpu.uuid: f"the NVIDIA driver {first}" for gpu in gpus}


def test_a_driver_that_does_not_count(machine: Machine) -> None:
    machine.adds("fail nvmlDeviceGetCount_v2 * 999")
    with pytest.raises(GpuError, match="does not say how many GPUs there are: Unknown Error\n  look at what"):
        visible_gpus({})


def test_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    import pynvml

    monkeypatch.setattr(pynvml, "nvmlLib", None)
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        with pytest.raises(GpuError, match=r"NVML Shared Library Not Found\n  libnvidia-ml.so.1, a part of the driver"):
            visible_gpus({})
    else:
        pytest.skip("there is an NVIDIA driver here")


def test_nvml_is_ended_after_each_question(machine: Machine) -> None:
    import pynvml

    loads(visible_gpus({}))
    with pytest.raises(pynvml.NVMLError):
        pynvml.nvmlDeviceGetCount()


# -- in a process of its own, which finds the library as it would find a real one


def run(machine: Machine, code: str, **environ: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **machine.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_library_is_found(machine: Machine) -> None:
    code = "from typedcat.tune.gpus.allocate import visible_gpus; print(*(gpu.index for gpu in visible_gpus()))"
    assert run(machine, code, CUDA_VISIBLE_DEVICES="6,GPU-00000001") == "6 1"


def test_a_driver_that_lacks_the_newest_functions(machine: Machine, tmp_path: Path) -> None:
    machine.has("gpu {0} 81920 500 2000 1,2", "graphics {0} 3", "mps {0} 4")
    library = compiled(tmp_path, "-DOLD_DRIVER")
    code = "from typedcat.tune.gpus.allocate import *; from typedcat.tune.gpus.devices import loads; "
    said = run(machine, code + "print(*loads(visible_gpus()).values())", LD_LIBRARY_PATH=str(library.parent))
    assert said == str(Load(79920, 2000, (1, 2, 3, 4)))


def test_nvml_is_not_touched_without_being_asked(machine: Machine) -> None:
    code = "import sys, typedcat.tune.gpus.allocate, typedcat.tune.gpus.leases; print('pynvml' in sys.modules)"
    assert run(machine, code) == "False"
