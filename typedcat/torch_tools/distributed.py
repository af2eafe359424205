"""Training in several processes: which one this is, and the group that they make."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import EllipsisType

from ..errors import EnvError, short_repr

_TORCHRUN = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
_MEETING_PLACE = ("MASTER_ADDR", "MASTER_PORT")
_HINT = "start the script with torchrun, which sets it, or set it yourself"


@dataclass(frozen=True)
class Ranks:
    """The place of this process among those that train together.

    Attributes:
        rank: among all.
        world_size: how many there are.
        local_rank: among those on this machine; the index of its GPU. None if nothing says it.
        is_joined: whether the process group is there already.
    """

    rank: int
    world_size: int
    local_rank: int | None
    is_joined: bool = False


def find_ranks(local_rank: int | EllipsisType | None, variables: Mapping[str, str] | None = None) -> Ranks | None:
    """Which process this is; None if it trains alone.

    Args:
        local_rank: see `init_env`.
        variables: those of the environment.

    Raises:
        EnvError: `local_rank` is no rank, or contradicts the environment, or variables are missing or no numbers.
    """
    import torch.distributed as dist

    variables = os.environ if variables is None else variables
    given = _given(local_rank)
    if given is False:
        return None
    of_variables = _number(variables, "LOCAL_RANK") if variables.get("LOCAL_RANK") else None
    if given is not None and of_variables is not None and given != of_variables:
        raise EnvError("local_rank", f"{given} was passed, and the environment has LOCAL_RANK={of_variables}")
    local = of_variables if given is None else given
    if dist.is_available() and dist.is_initialized():
        return Ranks(dist.get_rank(), dist.get_world_size(), local, is_joined=True)
    if given is None and not all(variables.get(name) for name in _TORCHRUN):
        return None
    if not dist.is_available():
        raise EnvError("local_rank", "this build of torch has no torch.distributed")
    missing = [name for name in ("WORLD_SIZE", *_MEETING_PLACE) if not variables.get(name)]
    if missing:
        reason = f"several processes are to train together, but {', '.join(missing)} is not set in the environment"
        raise EnvError("local_rank", reason, f"{_HINT}; local_rank=False trains in this process alone")
    world_size = _number(variables, "WORLD_SIZE")
    _number(variables, "MASTER_PORT")  # torch does not say which number it is about
    rank = _number(variables, "RANK") if variables.get("RANK") else local
    if rank is None or not 0 <= rank < world_size:
        raise EnvError("local_rank", f"rank {rank} is not below WORLD_SIZE={world_size}")
    return Ranks(rank, world_size, local)


def _given(local_rank: object) -> int | bool | None:
    """The rank that was passed; None: the environment says it; False: there is none."""
    if local_rank is None or local_rank is ... or local_rank is False or local_rank == -1:
        return False if local_rank is False else None
    if isinstance(local_rank, int) and not isinstance(local_rank, bool) and local_rank >= 0:
        return local_rank
    hint = "None looks at the environment, where torchrun says it; False trains in this process alone"
    raise EnvError("local_rank", f"should be a number from 0 on, got {short_repr(local_rank)}", hint)


def _number(variables: Mapping[str, str], name: str) -> int:
    try:
        return int(variables[name])
    except ValueError:
        raise EnvError("local_rank", f"the environment has {name}={variables[name]!r}, which is no number") from None


def join(ranks: Ranks, backend: str) -> None:
    """Meet the other processes at MASTER_ADDR and MASTER_PORT; returns when all are there."""
    import torch.distributed as dist

    dist.init_process_group(backend, init_method="env://", rank=ranks.rank, world_size=ranks.world_size)


def leave_unless_failed(kind: type[BaseException] | None, error: object, trace: object) -> None:
    """For an `ExitStack`: `leave`, unless an exception is on its way out.

    The others may be waiting for this rank then, and leaving may wait for them (NCCL does): nobody would see the error.
    """
    if kind is None or issubclass(kind, SystemExit):
        leave()


def leave() -> None:
    """End the process group, if it is there."""
    import torch.distributed as dist

    if dist.is_initialized():
        dist.destroy_process_group()


__all__ = ["Ranks", "find_ranks", "join", "leave", "leave_unless_failed"]
