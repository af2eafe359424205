"""The base with another optimizer: several bases, the right one wins."""

from typedcat import Config

cfg = Config(caps=("configs/digits/base/cfg.py", "configs/patches/sgd.py"))
