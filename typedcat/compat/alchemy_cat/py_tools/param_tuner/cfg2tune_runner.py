"""Where AlchemyCat runs them."""

from typedcat.compat.alchemy_cat.py_tools.param_tuner import Cfg2TuneRunner

__all__ = ["Cfg2TuneRunner"]
