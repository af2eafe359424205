"""What a tune config says about its grid as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from ...errors import TuneError, short_repr

SEED_KEY = "rand_seed"


@dataclass(frozen=True)
class TuneSettings:
    """What `Cfg2Tune(...)` was told; it also marks the root of a tune config.

    Attributes:
        subject_to: keeps a combination of values when it returns something true; called with the config in which all
            of them stand.
        repeats: how often each combination is run, each time with another seed; None for once, as the config says.
        seed_key: the path of the seed: its value in the config is the first seed, the next is one more.
        volatile: keys without influence on results (last names or whole paths): a change makes no run stale.
        better: 'max' or 'min' by the name of a metric.
    """

    subject_to: Callable[[Any], object] | None = None
    repeats: int | None = None
    seed_key: str | None = None
    volatile: tuple[str, ...] | None = None
    better: Mapping[str, Literal["max", "min"]] | None = None

    def __post_init__(self) -> None:
        if self.subject_to is not None and not callable(self.subject_to):
            raise TuneError(f"subject_to must be a function of the config, got {short_repr(self.subject_to)}")
        if self.repeats is not None and (type(self.repeats) is not int or self.repeats < 1):
            raise TuneError(f"repeats must be a whole number from 1 on, got {short_repr(self.repeats)}")
        if not_keys := [one for one in self.volatile or () if not isinstance(one, str) or not one]:
            wanted = "must list keys by their last names or whole paths, as ['num_workers']"
            raise TuneError(f"volatile {wanted}, got {short_repr(not_keys[0])}")
        if self.better is not None and not isinstance(self.better, Mapping):
            raise TuneError(
                f"better must say what is better of each metric, as {{'acc': 'max'}}, got {short_repr(self.better)}"
            )
        for metric, which in (self.better or {}).items():
            if which not in ("max", "min"):
                raise TuneError(f"better[{metric!r}] is 'max' or 'min', got {short_repr(which)}")

    def over(self, older: TuneSettings) -> TuneSettings:
        """These settings, with those of an inherited tune config where they say nothing."""
        mine = {one.name: getattr(self, one.name) for one in fields(self)}
        return TuneSettings(**{name: getattr(older, name) if value is None else value for name, value in mine.items()})
