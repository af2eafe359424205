"""typedcat: configs for machine-learning research as attribute trees that are statically typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import load as _load
from .errors import TypedcatError
from .load.open import open_config
from .load.pipeline import load_config, parse_config
from .load.project import auto_rslt_dir
from .tree.adict import ADict
from .tree.config import BaseConfig, Config, inherit
from .tree.typed import TypedConfig
from .tree.values import DEP, IL, P_DEP, PL, Drop, Extend, ItemLazy, Param2Tune, ParamLazy

__version__ = "0.1.0"
__all__ = [
    "DEP",
    "IL",
    "PL",
    "P_DEP",
    "ADict",
    "BaseConfig",
    "Cfg2Tune",
    "Cfg2TuneRunner",
    "Config",
    "Drop",
    "Extend",
    "ItemLazy",
    "Param2Tune",
    "ParamLazy",
    "TypedConfig",
    "TypedcatError",
    "auto_rslt_dir",
    "inherit",
    "load_config",
    "load_runs",
    "open_config",
    "parse_config",
    "record_run",
]
del _load

if TYPE_CHECKING:
    from .load.record import record_run
    from .tune.grid.cfg2tune import Cfg2Tune
    from .tune.ledger.history import load_runs
    from .tune.runner import Cfg2TuneRunner
else:

    def __getattr__(name: str) -> Any:
        """The tuner, and what records runs, are imported when they are asked for."""
        if name == "record_run":
            from .load.record import record_run as found
        elif name == "Cfg2Tune":
            from .tune.grid.cfg2tune import Cfg2Tune as found
        elif name == "load_runs":
            from .tune.ledger.history import load_runs as found
        elif name == "Cfg2TuneRunner":
            from .tune.runner import Cfg2TuneRunner as found
        else:
            raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
        globals()[name] = found
        return found
