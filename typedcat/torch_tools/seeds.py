"""Random numbers: one seed for Python, numpy, torch and all GPUs."""

from __future__ import annotations

import hashlib
import operator
import random
from collections.abc import Callable
from typing import Any

from ..errors import EnvError, MissingKeyError, short_repr
from ..tree.config import BaseConfig
from ..tree.keys import suggest

_RANKS_APART = 1_000
"""Between the seeds of two ranks: a sweep over the seeds 0, 1, 2 must not give two ranks the same one."""


def seed_of(rand_seed: bool | int | str, cfg: BaseConfig | None, rank: int) -> int | None:
    """The seed of this process.

    Args:
        rand_seed: see `init_env`.
        cfg: the config, which has the key `rand_seed` if `rand_seed` is True.
        rank: of this process among all.

    Returns:
        The seed; None to leave random numbers alone.

    Raises:
        EnvError: it is neither a number nor a text, or there is no config to take it from.
        MissingKeyError: the config has no key `rand_seed`.
    """
    if rand_seed is False:
        return None
    where, set_at = "", ""
    value: Any = rand_seed
    if rand_seed is True:
        if cfg is None:
            raise EnvError("rand_seed", "True takes the seed from the config, and there is no config", "pass a number")
        if "rand_seed" not in cfg:
            reason = "init_env(rand_seed=True) reads it, and the config does not have it: set it, or pass a number"
            raise MissingKeyError("cfg.rand_seed", reason, suggest("rand_seed", dict.keys(cfg)))
        where, value = "cfg.rand_seed ", dict.__getitem__(cfg, "rand_seed")
        set_at = "".join(f", set at {place}" for place in cfg.origin("rand_seed")[:1])
    return _number(value, where, set_at) + rank * _RANKS_APART


def _number(value: Any, where: str, set_at: str) -> int:
    if isinstance(value, str):  # not hash(), which differs from process to process
        return int.from_bytes(hashlib.sha1(value.encode("utf-8", "surrogatepass")).digest()) % 2**32
    if not isinstance(value, bool):
        try:
            return operator.index(value)
        except TypeError:
            pass
    raise EnvError("rand_seed", f"{where}should be a number or a text, got {short_repr(value)}{set_at}")


def seed_everything(seed: int) -> Callable[[], None]:
    """Seed Python's `random`, numpy (if it is installed), and torch with all GPUs.

    Args:
        seed: any integer; numpy, whose seeds have 32 bits, gets it modulo 2**32.

    Returns:
        What puts the generators back to where they were.
    """
    import torch

    undo: list[Callable[[], Any]] = []
    state = random.getstate()
    undo.append(lambda: random.setstate(state))
    random.seed(seed)
    try:
        import numpy as np
    except ImportError:
        pass
    else:
        numbers = np.random.get_state()
        undo.append(lambda: np.random.set_state(numbers))
        np.random.seed(seed % 2**32)
    tensor = torch.get_rng_state()
    undo.append(lambda: torch.set_rng_state(tensor))
    cuda: Any = torch.cuda
    if cuda.is_initialized():  # else there is nothing to put back
        tensors = cuda.get_rng_state_all()
        undo.append(lambda: cuda.set_rng_state_all(tensors))
    torch.manual_seed(seed if -(2**63) <= seed < 2**64 else seed % 2**64)

    def restore() -> None:
        for step in undo:
            step()

    return restore


__all__ = ["seed_everything", "seed_of"]
