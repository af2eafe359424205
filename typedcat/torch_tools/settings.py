"""The switches of torch and of OpenCV. Each function sets some and gives back what undoes it."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import EnvError, short_repr
from .distributed import Ranks

if TYPE_CHECKING:
    import torch

Undo = Callable[[], Any]

_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"


def check_switches(**values: object) -> None:
    """What is to be true or false is that, or a 1 or 0 of the command line; the text 'False' is neither.

    Raises:
        EnvError: it is something else.
    """
    for name, value in values.items():
        if value is None or (value and value != 1):
            raise EnvError(name, f"should be True or False, got {short_repr(value)}")


def check_number(name: str, value: object) -> None:
    """An integer.

    Raises:
        EnvError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise EnvError(name, f"should be a number, got {short_repr(value)}")


def choose_device(is_cuda: object, ranks: Ranks | None) -> torch.device:
    """The device of this process.

    Args:
        is_cuda: see `init_env`.
        ranks: its place among those that train together.

    Raises:
        EnvError: there is no such GPU, or it is not the one of this rank.
    """
    import torch

    if not isinstance(is_cuda, int):
        raise EnvError("is_cuda", f"should be True, False or the index of a GPU, got {short_repr(is_cuda)}")
    if is_cuda is False:
        return torch.device("cpu")
    if not torch.cuda.is_available():
        why = "this build of torch has no CUDA" if torch.version.cuda is None else "torch finds no GPU that it can use"
        hint = "pass is_cuda=False, or is_cuda=torch.cuda.is_available() to take a GPU where there is one"
        raise EnvError("is_cuda", f"{is_cuda!r} asks for a GPU, and {why}", hint)
    index = _gpu_of(is_cuda, ranks)
    count = torch.cuda.device_count()
    if not 0 <= index < count:
        hint = "torchrun has started more processes than there are GPUs" if ranks is not None else ""
        if ranks is not None and count == 1:
            hint = "if each process sees a GPU of its own only, pass is_cuda=0"
        raise EnvError("is_cuda", f"GPU {index} does not exist, there are {count} (counted from 0)", hint)
    return torch.device("cuda", index)


def _gpu_of(is_cuda: int, ranks: Ranks | None) -> int:
    import torch

    if ranks is None:
        return int(is_cuda)
    local = ranks.local_rank
    if is_cuda is True:
        return torch.cuda.current_device() if local is None else local
    if local is not None and local != is_cuda and torch.cuda.device_count() > 1:
        hint = "leave is_cuda at True: each process takes the GPU of its local rank"
        raise EnvError("is_cuda", f"{is_cuda} is not the local rank of this process, which is {local}", hint)
    return is_cuda


def use_device(device: torch.device) -> Undo:
    """Make a GPU the one that 'cuda' means."""
    import torch

    if device.type != "cuda":
        return lambda: None
    before = torch.cuda.current_device()
    torch.cuda.set_device(device)
    return lambda: torch.cuda.set_device(before)


def set_switches(is_benchmark: bool, is_train: bool) -> Undo:
    """Whether cudnn looks for the fastest algorithms, and whether gradients are computed."""
    import torch

    cudnn: Any = torch.backends.cudnn
    before = cudnn.benchmark, torch.is_grad_enabled()
    cudnn.benchmark = bool(is_benchmark)  # a 1 counts, and torch does not take it
    torch.set_grad_enabled(bool(is_train))

    def restore() -> None:
        cudnn.benchmark = before[0]
        torch.set_grad_enabled(before[1])

    return restore


def set_reproducible() -> Undo:
    """Have torch use deterministic algorithms, and raise where there is none."""
    import torch

    cudnn: Any = torch.backends.cudnn
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        cudnn.deterministic,
    )
    is_ours = not os.environ.get(_CUBLAS)
    if is_ours:
        os.environ[_CUBLAS] = ":4096:8"  # without it cuBLAS sums in another order each time, and torch refuses it
    torch.use_deterministic_algorithms(True)
    cudnn.deterministic = True

    def restore() -> None:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        cudnn.deterministic = before[2]
        if is_ours:
            os.environ.pop(_CUBLAS, None)

    return restore


def set_cv2_threads(number: int) -> Undo:
    """How many threads OpenCV uses; a negative number leaves it alone.

    Raises:
        EnvError: it is not installed.
    """
    if number < 0:
        return lambda: None
    try:
        library: Any = importlib.import_module("cv2")  # no extra of ours: OpenCV comes in four packages
    except ModuleNotFoundError as error:
        hint = "pip install opencv-python, or leave cv2_num_threads out"
        raise EnvError("cv2_num_threads", f"{number} is for OpenCV, which is not installed", hint) from error
    before = library.getNumThreads()
    library.setNumThreads(number)
    return lambda: library.setNumThreads(before)


__all__ = [
    "check_number",
    "check_switches",
    "choose_device",
    "set_cv2_threads",
    "set_reproducible",
    "set_switches",
    "use_device",
]
