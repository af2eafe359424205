"""Where AlchemyCat defines `init_env`."""

from typedcat.compat.alchemy_cat.torch_tools import init_env

__all__ = ["init_env"]
