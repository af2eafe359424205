"""The base with another optimizer: several bases, the right one wins."""

from typedcat_catalog import Config

cfg = Config(caps=("configs/net/base/cfg.py", "configs/patches/sgd.py"))
