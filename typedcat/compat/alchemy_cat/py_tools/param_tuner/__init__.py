"""The names of AlchemyCat's tuner."""

from __future__ import annotations

from typing import Any

from typedcat.compat.absent import absent
from typedcat.tree.values import P_DEP, PL, Param2Tune, ParamLazy
from typedcat.tune.grid.cfg2tune import Cfg2Tune
from typedcat.tune.runner import Cfg2TuneRunner

__all__ = ["PL", "P_DEP", "Cfg2Tune", "Cfg2TuneRunner", "Param2Tune", "ParamLazy"]


def __getattr__(name: str) -> Any:
    return absent(__name__, name)
