"""Groups of GPUs to lend to runs: disjoint within one runner."""

from __future__ import annotations

import itertools
import os

from ..errors import TuneError


def gpu_groups(per_run: int) -> list[dict[str, str]]:
    """Environments with `per_run` GPUs each.

    Args:
        per_run: how many GPUs a run needs, at least 1.

    Raises:
        TuneError: there is no driver, or there are fewer GPUs.
    """
    if per_run < 1:
        raise TuneError(f"work_gpu_num must be at least 1, got {per_run}")
    visible = _visible()
    if len(visible) < per_run:
        raise TuneError(f"work_gpu_num={per_run}, but only {len(visible)} GPUs are visible")
    starts = range(0, len(visible) - per_run + 1, per_run)
    # NVML counts GPUs by their slots; CUDA does so only when told
    order = {} if "CUDA_VISIBLE_DEVICES" in os.environ else {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    return [{**order, "CUDA_VISIBLE_DEVICES": ",".join(visible[i : i + per_run])} for i in starts]


def _visible() -> list[str]:
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        names = [name.strip() for name in given.split(",")]
        return list(itertools.takewhile(lambda name: name not in ("", "-1"), names))  # where CUDA stops reading, too
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise TuneError(f"work_gpu_num is set, but the NVIDIA driver does not answer: {error}") from error
    try:
        return [str(i) for i in range(pynvml.nvmlDeviceGetCount())]
    finally:
        pynvml.nvmlShutdown()
