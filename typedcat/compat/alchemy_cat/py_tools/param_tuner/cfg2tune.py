"""Where AlchemyCat defines tune configs."""

from typedcat.compat.alchemy_cat.py_tools.param_tuner import P_DEP, PL, Cfg2Tune, Param2Tune, ParamLazy

__all__ = ["PL", "P_DEP", "Cfg2Tune", "Param2Tune", "ParamLazy"]
