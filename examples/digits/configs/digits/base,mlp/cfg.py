"""The base with a network in place of the linear classifier: several bases, the right one wins."""

from schema import Train
from typedcat import Config

cfg = Config(schema=Train, caps=("configs/digits/base/cfg.py", "configs/patches/mlp.py"))
