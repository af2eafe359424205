"""What is known of the runs of a sweep, one after the other: what tables, pictures and displays are made from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

State: TypeAlias = Literal["left", "running", "done", "failed"]
"""Of a run: not started (or asked to end before it was done), going on, ended with its metrics, or without."""


def number_of(value: Any) -> float | None:
    """A metric as a number; None if it is none. Text is none, whatever it says: tables do not compare it either."""
    if isinstance(value, (str, bytes)):
        return None
    try:
        number = float(value)
    except Exception:  # noqa: BLE001 - a tensor, or any other object of the user's, may refuse in its own way
        return None
    return None if math.isnan(number) else number


@dataclass(frozen=True)
class Result:
    """One run: a point of the grid and, where runs are repeated, a seed.

    Attributes:
        labels: what the chosen values are called in tables, in the order of the parameters.
        folder: the name of the point's folder, with that of the seed where runs are repeated.
        seed: the seed of a repeated run.
        state: what has become of it.
        metrics: by name; empty unless it is done.
        error: why it failed, on one line or several.
        attempts: how often it was started.
        started: when the last attempt was, in seconds since 1970; None if there is none.
        seconds: how long the last attempt took, or takes so far.
        host: the machine of the last attempt.
        gpus: the names of the GPUs that were lent to it.
        git_commit: of the code that it ran with; '' outside of a repository.
        git_dirty: whether there were changes that were not committed.
        other_code: whether the code has changed since.
        rslt_dir: its result folder.
    """

    labels: tuple[Any, ...]
    folder: str
    seed: int | None = None
    state: State = "left"
    metrics: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    attempts: int = 0
    started: float | None = None
    seconds: float | None = None
    host: str = ""
    gpus: tuple[str, ...] = ()
    git_commit: str = ""
    git_dirty: bool = False
    other_code: bool = False
    rslt_dir: str = ""
