"""Where AlchemyCat opens files."""

from typedcat.compat.alchemy_cat.py_tools.config import open_config

__all__ = ["open_config"]
