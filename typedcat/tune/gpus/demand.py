"""When a GPU is idle enough for a run: what is asked of its memory and of the processes on it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real

from ...errors import GpuError
from .devices import Gpu, Load
from .locks import Holder

_UNUSED_MIB = 64  # of a GPU that has nothing to do; even the smallest CUDA program takes more


@dataclass(frozen=True)
class Busy:
    """A GPU that is not to be had now.

    Attributes:
        gpu: which one.
        why: 'leased', 'memory' (too little is free), 'processes' (too many use it, or nobody knows how many), or 'gone'
            (it does not answer).
        detail: the same in words.
        holders: who has leased it.
        load: what goes on on it; None if it does not answer.
    """

    gpu: Gpu
    why: str
    detail: str
    holders: tuple[Holder, ...] = ()
    load: Load | None = None

    def __str__(self) -> str:
        return f"{self.gpu}: {self.detail}"


@dataclass(frozen=True)
class Demand:
    """What a run asks of its GPUs; see `Leases` for the attributes.

    Raises:
        GpuError: they make no sense.
    """

    per_run: int
    block: bool
    memory_need: float
    max_process: int
    runs_per_gpu: int

    def __post_init__(self) -> None:
        numbers = {"work_gpu_num": self.per_run, "max_process": self.max_process, "runs_per_gpu": self.runs_per_gpu}
        for name, value in numbers.items():
            if not _is(value, Integral):
                raise GpuError(f"{name} must be a whole number, got {value!r}")
        if self.per_run < 1:
            raise GpuError(f"a run needs at least 1 GPU (work_gpu_num), got {self.per_run}; leave it out for none")
        if not _is(self.memory_need, Real) or (self.memory_need != -1 and not self.memory_need >= 0):
            raise GpuError(f"memory_need is in MiB, or -1 for all memory of a GPU, got {self.memory_need!r}")
        if self.max_process < -1:
            raise GpuError(f"max_process is a number of processes, or -1 for any number, got {self.max_process}")
        if self.runs_per_gpu < 1:
            raise GpuError(f"runs_per_gpu must be at least 1, got {self.runs_per_gpu}")

    @property
    def count(self) -> str:
        """`2 GPUs`."""
        return "1 GPU" if self.per_run == 1 else f"{self.per_run} GPUs"

    def large_enough(self, gpus: Sequence[Gpu]) -> list[Gpu]:
        """The GPUs that could have enough memory.

        Raises:
            GpuError: they are fewer than a run needs.
        """
        if not self.block or self.memory_need <= 0:
            return list(gpus)
        fit = [gpu for gpu in gpus if gpu.memory_total >= self.memory_need]
        if len(fit) < self.per_run:
            sizes = ", ".join(f"{gpu} has {gpu.memory_total}" for gpu in gpus)
            raise GpuError(
                f"memory_need={self.memory_need:g} MiB on {self.count} per run, but {len(fit)} of those that are "
                f"visible are that large: {sizes} (0 where the driver does not say)\n"
                "  lower memory_need; with block=False memory is not looked at"
            )
        return fit

    def room(self, memory: int) -> int:
        """How many runs may be on a GPU that has so many MiB for them."""
        if not self.block or self.memory_need <= 0:
            return self.runs_per_gpu
        return min(self.runs_per_gpu, int(memory // self.memory_need))

    def unknown(self, gpu: Gpu, load: Load | str, *, own: int) -> str:
        """Why it cannot be said whether a GPU is idle; '' if it can be; arguments as of `refusal`."""
        if isinstance(load, str):
            return load
        if own or not self.block or not load.unlisted:
            return ""
        is_asked = self.max_process >= 0 or (self.memory_need < 0 and not gpu.memory_total)
        return f"the processes on it cannot be listed: {load.unlisted}" if is_asked else ""

    def refusal(self, gpu: Gpu, load: Load | str, *, own: int = 0, room: int = 0) -> Busy | None:
        """Why a GPU is not idle; None if it is, as far as that matters.

        Args:
            gpu: which one.
            load: what goes on on it, or why it does not answer.
            own: how many runs the runner has on it already.
            room: for how many there was memory before the first of these.
        """
        if isinstance(load, str):
            return Busy(gpu, "gone", f"it does not answer: {load}")
        if not self.block:
            return None
        if why := self.unknown(gpu, load, own=own):
            return Busy(gpu, "processes", why, load=load)
        if own and own >= room:
            detail = f"with {own} runs of this runner on it there is no room for another one; {_used_by(load)}"
            return Busy(gpu, "memory", detail, load=load)
        if not self._enough_memory(gpu, load, own):
            need = "all of it" if self.memory_need < 0 else f"{self.memory_need:g} MiB"
            detail = f"{load.memory_free} MiB are free and {need} is needed; {_used_by(load)}"
            return Busy(gpu, "memory", detail, load=load)
        if not own and 0 <= self.max_process < len(load.processes):
            return Busy(gpu, "processes", f"max_process={self.max_process}; {_used_by(load)}", load=load)
        return None

    def _enough_memory(self, gpu: Gpu, load: Load, own: int) -> bool:
        if self.memory_need >= 0:
            return load.memory_free >= self.memory_need
        if own:
            return True
        # memory that the GPU shares with the CPU says nothing
        return load.memory_used <= _UNUSED_MIB if gpu.memory_total else not load.processes


def _is(value: object, kind: type) -> bool:
    """Whether the user has given what the hints ask for."""
    return isinstance(value, kind)


def _used_by(load: Load) -> str:
    if not load.processes:
        return f"{load.memory_used} MiB are used by processes that cannot be seen from here"
    pids = ", ".join(f"{pid} (this process)" if pid == os.getpid() else str(pid) for pid in load.processes)
    return f"processes on it: {pids}"
