"""GPUs for a program that asks for some: which there are, and one call that gets them."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping

from ...console import status
from .demand import Busy
from .devices import Gpu, boards
from .leases import LENT, Lease, Leases
from .visible import chosen

_kept: list[Lease] = []  # what `allocate_cuda` has leased, until this process ends


def visible_gpus(environ: Mapping[str, str] = os.environ) -> list[Gpu]:
    """The GPUs that this process may use.

    Numbers in `CUDA_VISIBLE_DEVICES` count the GPUs as nvidia-smi does, in the order of the PCI bus. CUDA itself does
    so only with `CUDA_DEVICE_ORDER=PCI_BUS_ID`, else the fastest comes first, which on a machine with different models
    is another order. What typedcat hands out are UUIDs, which mean the same in any order.

    Args:
        environ: where `CUDA_VISIBLE_DEVICES` is looked up.

    Returns:
        The GPUs, in the order of `CUDA_VISIBLE_DEVICES`, without it in that of the PCI bus. A GPU in MIG mode is left
        out, and its instances stand in its place. Those that do not answer are left out.

    Raises:
        GpuError: no driver answers, or `CUDA_VISIBLE_DEVICES` names what is no GPU, or one twice.
    """
    return chosen(boards(), environ.get("CUDA_VISIBLE_DEVICES"))


def allocate_cuda(
    gpu_num: int, block: bool = True, memory_need: float = -1.0, max_process: int = -1, verbosity: bool = True
) -> tuple[list[int | str], dict[str, str]]:
    """Lease GPUs for the rest of this process, for scripts that run without the tuner.

    Neither the tuner nor another call of this function gets them meanwhile, whoever starts it. Programs that do not use
    typedcat may take them nevertheless. They are free when this process ends, whatever it has started; and when another
    program takes its place (`os.exec`).

    Args:
        gpu_num: how many GPUs, at least 1.
        block: whether to wait for idle GPUs; else to wait only for those that are leased, and take the first ones.
        memory_need: MiB that have to be free on an idle GPU; -1 for all of it.
        max_process: how many processes may be on an idle GPU; -1 for any number.
        verbosity: whether to tell, on standard error, what is waited for and which GPUs it got.

    Returns:
        The numbers of the GPUs as in nvidia-smi, of a MIG instance its UUID; and a complete environment for a program
        that is to use them. For this process itself, `os.environ.update` it before anything uses CUDA.

    Raises:
        GpuError: the machine can never give so many, or not to this process, which has them already; see `Leases`.
    """
    kept = [gpu.uuid for lease in _kept if lease.is_held for gpu in lease.gpus]
    environ = {**os.environ, LENT: ",".join([*kept, os.environ.get(LENT, "")])}
    leases = Leases(gpu_num, block=block, memory_need=memory_need, max_process=max_process, environ=environ)
    for line in leases.lost if verbosity else ():
        _tell(line)
    lease = leases.acquire(shlex.join(sys.argv), on_wait=_tell_waiting if verbosity else None)
    _kept.append(lease)
    if verbosity:
        _tell(f"Allocated {', '.join(map(str, lease.gpus))}")
    numbers = [gpu.uuid if gpu.index is None else gpu.index for gpu in lease.gpus]
    return numbers, {**os.environ, **lease.environment}


def _tell_waiting(busy: list[Busy]) -> None:
    _tell("\n".join(["Waiting for GPUs:", *(f"  {one}" for one in busy)]))


def _tell(text: str) -> None:
    status().print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)
