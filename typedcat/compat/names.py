"""The names that AlchemyCat has in three of its packages."""

from __future__ import annotations

from typedcat.load.open import open_config
from typedcat.load.pipeline import load_config, parse_config
from typedcat.load.project import auto_rslt_dir
from typedcat.tree.adict import ADict
from typedcat.tree.config import Config
from typedcat.tree.values import DEP, IL, P_DEP, PL, ItemLazy, Param2Tune, ParamLazy
from typedcat.tune.grid.cfg2tune import Cfg2Tune
from typedcat.tune.runner import Cfg2TuneRunner

__all__ = [
    "DEP",
    "IL",
    "PL",
    "P_DEP",
    "ADict",
    "Cfg2Tune",
    "Cfg2TuneRunner",
    "Config",
    "ItemLazy",
    "Param2Tune",
    "ParamLazy",
    "auto_rslt_dir",
    "load_config",
    "open_config",
    "parse_config",
]
