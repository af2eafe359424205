"""The GPUs of this machine as NVML tells of them: which there are, and what goes on on each one right now.

pynvml is imported when a GPU is asked for. NVML is started for each question and ended again: what a driver that was
updated or a GPU that fell off the bus answers is then never an old answer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import GpuError

_MIB = 1 << 20


@dataclass(frozen=True)
class Gpu:
    """What a run can have: a GPU, or a MIG instance of one.

    Attributes:
        uuid: `GPU-...` or `MIG-...`; the same at any time, in any program and in any order of GPUs.
        index: its number on the PCI bus, as in nvidia-smi; None of a MIG instance.
        name: of the model.
        memory_total: MiB that programs can have, without what the driver keeps for itself; 0 if it does not say, as
            where the GPU has no memory of its own.
        parent: the UUID of the GPU that a MIG instance is a part of; '' of a whole GPU.
    """

    uuid: str
    index: int | None
    name: str
    memory_total: int
    parent: str = ""

    def __str__(self) -> str:
        return f"{self.uuid} on {self.parent}" if self.index is None else f"GPU {self.index} ({self.uuid})"


@dataclass(frozen=True)
class Load:
    """What goes on on a GPU at one moment.

    Attributes:
        memory_free: MiB that a program could have now.
        memory_used: MiB that programs have.
        processes: the numbers (PIDs) of the programs that use it, sorted. In a container those outside may be missing.
        unlisted: why there may be more of them, in the words of NVML; '' if it has told of all.
    """

    memory_free: int
    memory_used: int
    processes: tuple[int, ...] = ()
    unlisted: str = ""


@dataclass(frozen=True)
class Board:
    """A whole GPU, and what it offers.

    Attributes:
        index: its number on the PCI bus, among those that this process may use; None if it may not use this one.
        uuid: `GPU-...`; '' if it does not even tell that.
        units: what a run can have of it, by name: itself by its UUID; or in MIG mode its instances, by the name that
            old drivers gave them, `MIG-<uuid of the GPU>/<GPU instance>/<compute instance>`.
        error: why it does not answer, in the words of NVML; '' if it does.
    """

    index: int | None
    uuid: str
    units: dict[str, Gpu] = field(default_factory=dict)
    error: str = ""

    def __str__(self) -> str:
        return "a GPU" if self.index is None else f"GPU {self.index}"

    @property
    def silence(self) -> str:
        """That it does not answer, and why."""
        return f"{self} does not answer: {self.error}"


def boards() -> list[Board]:
    """All GPUs, in the order of the PCI bus; one that does not answer has an `error` and no `units`.

    Raises:
        GpuError: there is no driver that answers.
    """
    with _session() as nvml:
        try:
            count: int = nvml.nvmlDeviceGetCount()
        except nvml.NVMLError as error:
            why = f"the NVIDIA driver does not say how many GPUs there are: {error}\n  {_way_out(nvml, error)}"
            raise GpuError(why) from error
        found: list[Board] = []
        for place in range(count):
            found.append(_board(nvml, place, sum(board.index is not None for board in found)))
        return found


def loads(gpus: Sequence[Gpu]) -> dict[str, Load | str]:
    """What goes on on each of the GPUs now.

    Args:
        gpus: which ones.

    Returns:
        By UUID: the load, or why the GPU does not answer, in the words of NVML. It raises nothing for a driver that is
        gone: then none of them answers.
    """
    try:
        with _session() as nvml:
            return {gpu.uuid: _load(nvml, gpu) for gpu in gpus}
    except GpuError as error:
        why = error.message.partition("\n")[0]
        return {gpu.uuid: why for gpu in gpus}


# -- one question each


@contextlib.contextmanager
def _session() -> Iterator[Any]:
    """NVML, started."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise GpuError(f"the NVIDIA driver does not answer: {error}\n  {_way_out(pynvml, error)}") from error
    try:
        yield pynvml
    finally:
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


def _way_out(nvml: Any, error: Any) -> str:
    if error.value == nvml.NVML_ERROR_LIBRARY_NOT_FOUND:
        return "libnvidia-ml.so.1, a part of the driver, is not here: install the driver, or run without GPUs"
    if error.value == nvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH:
        return "the driver was updated and the old one still runs: restart the machine, or reload the kernel module"
    return "look at what `nvidia-smi` says, or run without GPUs"


def _board(nvml: Any, place: int, index: int) -> Board:
    uuid = ""
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(place)
        uuid = nvml.nvmlDeviceGetUUID(handle)
        if _in_mig_mode(nvml, handle):
            return Board(index, uuid, dict(_instances(nvml, handle, uuid)))
        total = _memory(nvml, handle)[0]
        return Board(index, uuid, {uuid: Gpu(uuid, index, nvml.nvmlDeviceGetName(handle), total)})
    except nvml.NVMLError as error:
        # another job's, as a scheduler has it: neither CUDA nor nvidia-smi counts it
        is_hidden = not uuid and isinstance(error, nvml.NVMLError_NoPermission)
        return Board(None if is_hidden else index, uuid, error=str(error))


def _in_mig_mode(nvml: Any, handle: Any) -> bool:
    try:
        current, _pending = nvml.nvmlDeviceGetMigMode(handle)
    except (nvml.NVMLError_NotSupported, nvml.NVMLError_FunctionNotFound):
        return False
    return bool(current)


def _instances(nvml: Any, handle: Any, parent: str) -> Iterator[tuple[str, Gpu]]:
    for index in range(nvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
        try:
            found = _instance(nvml, nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, index), parent)
        except (nvml.NVMLError_NotFound, nvml.NVMLError_InvalidArgument):  # places without one lie between others
            continue
        except nvml.NVMLError_NoPermission:  # another job's
            continue
        yield found


def _instance(nvml: Any, mig: Any, parent: str) -> tuple[str, Gpu]:
    place = f"{nvml.nvmlDeviceGetGpuInstanceId(mig)}/{nvml.nvmlDeviceGetComputeInstanceId(mig)}"
    total = _memory(nvml, mig)[0]
    gpu = Gpu(nvml.nvmlDeviceGetUUID(mig), None, nvml.nvmlDeviceGetName(mig), total, parent)
    return f"MIG-{parent}/{place}", gpu


def _load(nvml: Any, gpu: Gpu) -> Load | str:
    try:
        handle = nvml.nvmlDeviceGetHandleByUUID(gpu.uuid)
        _total, free, used = _memory(nvml, handle)
        processes, unlisted = _processes(nvml, handle)
        return Load(free, used, tuple(sorted(processes)), unlisted)
    except nvml.NVMLError as error:
        return str(error)


def _memory(nvml: Any, handle: Any) -> tuple[int, int, int]:
    """MiB that programs can have, that are free, and that programs have; zeros where NVML does not say."""
    unknown = (nvml.NVMLError_NotSupported, nvml.NVMLError_FunctionNotFound, nvml.NVMLError_ArgumentVersionMismatch)
    with contextlib.suppress(*unknown):
        memory = nvml.nvmlDeviceGetMemoryInfo(handle, nvml.nvmlMemory_v2)
        return (memory.total - memory.reserved) // _MIB, memory.free // _MIB, memory.used // _MIB
    with contextlib.suppress(*unknown):
        # a driver older than 510, which counts what it keeps for itself in neither number
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        return memory.total // _MIB, memory.free // _MIB, memory.used // _MIB
    return 0, 0, 0


def _processes(nvml: Any, handle: Any) -> tuple[set[int], str]:
    """The processes on a GPU, and why some may be missing."""
    found: set[int] = set()
    unlisted = ""
    for kind in ("Compute", "Graphics", "MPSCompute"):
        try:
            found |= _listed(nvml, handle, kind)
        except (nvml.NVMLError_GpuIsLost, nvml.NVMLError_ResetRequired):
            raise
        except (nvml.NVMLError_NotSupported, nvml.NVMLError_FunctionNotFound) as error:
            if kind == "Compute":  # a MIG instance has no graphics, and an old driver knows nothing of MPS
                unlisted = str(error)
        except nvml.NVMLError as error:  # it may not be asked, as in some containers; the GPU is there all the same
            unlisted = str(error)
    return found, unlisted


def _listed(nvml: Any, handle: Any, kind: str) -> set[int]:
    try:
        processes = getattr(nvml, f"nvmlDeviceGet{kind}RunningProcesses_v3")(handle)
    except nvml.NVMLError_FunctionNotFound:  # a driver older than 510
        processes = getattr(nvml, f"nvmlDeviceGet{kind}RunningProcesses_v2")(handle)
    return {process.pid for process in processes}
