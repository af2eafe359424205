"""`CUDA_VISIBLE_DEVICES`: which GPUs of the machine it names, and in which order."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import GpuError
from .devices import Board, Gpu

_NOBODY = ("", "nodevfiles")  # Slurm writes NoDevFiles into a job without GPUs


def chosen(boards: Sequence[Board], given: str | None) -> list[Gpu]:
    """The GPUs that `CUDA_VISIBLE_DEVICES` names.

    A name is the number of a GPU on the PCI bus, a UUID or an unambiguous beginning of one, or a MIG instance
    (`MIG-<uuid>`, or `MIG-GPU-<uuid>/<gi>/<ci>` of old drivers). A GPU in MIG mode stands for its instances. An empty
    name, -1, or Slurm's NoDevFiles ends the list, as it does in CUDA. Of a name that means nothing CUDA says nothing
    and reads no further; here it is an error, and so is a GPU that is named twice, for which CUDA sees none at all.

    Args:
        boards: all GPUs.
        given: the value of the variable; None if it is not set, which leaves all GPUs that answer.

    Returns:
        The GPUs, in the order of the names.

    Raises:
        GpuError: a name that is no GPU, or could be several, or one that does not answer, or one twice.
    """
    if given is None:
        return [gpu for board in boards for gpu in board.units.values()]
    found: dict[str, Gpu] = {}
    for name in (part.strip() for part in given.split(",")):
        if name.lower() in _NOBODY or _number(name) < 0:
            break
        for gpu in _named(boards, name, given):
            if gpu.uuid in found:
                raise GpuError(
                    f"CUDA_VISIBLE_DEVICES={given!r} names {gpu} twice; CUDA would see no GPU at all: leave one out"
                )
            found[gpu.uuid] = gpu
    return list(found.values())


def _number(name: str) -> int:
    """The number that a name is; 0 if it is none."""
    try:
        return int(name)
    except ValueError:
        return 0


def _named(boards: Sequence[Board], name: str, given: str) -> list[Gpu]:
    there = [board for board in boards if not board.error]
    if name.isascii() and name.isdigit():
        matches = [list(board.units.values()) for board in there if _is_number_of(board, name)]
    elif name.upper().startswith("MIG-"):
        units = [(old, gpu) for board in there for old, gpu in board.units.items() if gpu.parent]
        matches = [[gpu] for old, gpu in units if _begins(gpu.uuid, name) or _is_place(old, name)]
    else:
        matches = [list(board.units.values()) for board in there if _begins(board.uuid, name)]
    if len(matches) == 1:
        return matches[0]
    raise GpuError(f"CUDA_VISIBLE_DEVICES={given!r}: {_trouble(boards, name, len(matches))}")


def _is_number_of(board: Board, name: str) -> bool:
    return str(board.index) == (name.lstrip("0") or "0")  # Python refuses to read thousands of digits


def _begins(uuid: str, name: str) -> bool:
    # 'GPU-' alone is the beginning of every one and names none
    return len(name) > len("GPU-") and uuid.lower().startswith(name.lower())


def _is_place(old: str, name: str) -> bool:
    """Whether the name is the old one of a MIG instance; the UUID in it may be cut."""
    (uuid, *place), (beginning, *numbers) = old.split("/"), name.split("/")
    return place == numbers and len(beginning) > len("MIG-GPU-") and uuid.lower().startswith(beginning.lower())


def _trouble(boards: Sequence[Board], name: str, matches: int) -> str:
    if matches:
        return f"{name!r} is the beginning of {matches} UUIDs; write more of it"
    silent = [board for board in boards if board.error]
    for board in silent:
        if _is_number_of(board, name) or _begins(board.uuid, name):
            return f"{board.silence}; leave it out, or look at what `nvidia-smi` says"
    units = [gpu for board in boards for gpu in board.units.values()]
    there = ", ".join(str(gpu) for gpu in units) or "none"
    notes = dict.fromkeys(board.silence for board in silent)
    return "\n  ".join([f"there is no GPU {name!r}, and CUDA would read no further; there are: {there}", *notes])
