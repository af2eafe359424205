"""Where AlchemyCat loads configs."""

from typedcat.compat.alchemy_cat.py_tools.config import auto_rslt_dir, load_config, parse_config

__all__ = ["auto_rslt_dir", "load_config", "parse_config"]
