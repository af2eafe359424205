"""Where AlchemyCat defines its trees."""

from typedcat.compat.alchemy_cat.py_tools.config import DEP, IL, ADict, Config, ItemLazy

__all__ = ["DEP", "IL", "ADict", "Config", "ItemLazy"]
