"""typedcat: configs for machine-learning research as attribute trees that are statically typed."""
from __future__ import annotations

from . import load as _load
from .errors import TypedcatError
from .load.open import open_config
from .load.pipeline import load_config, parse_config
from .load.project import auto_rslt_dir
from .tree.adict import ADict
from .tree.config import BaseConfig, Config
from .tree.typed import TypedConfig
from .tree.values import DEP, IL, P_DEP, PL, Drop, Extend, ItemLazy, Param2Tune, ParamLazy

__version__ = "0.1.0"
__all__ = [
    "ADict", "BaseConfig", "Config", "DEP", "Drop", "Extend", "IL", "ItemLazy", "PL", "P_DEP", "Param2Tune",
    "ParamLazy", "TypedConfig", "TypedcatError", "auto_rslt_dir", "load_config", "open_config", "parse_config",
]  # fmt: skip
del _load
