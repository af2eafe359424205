"""The base on noisy images, by a patch written in YAML."""

from schema import Train
from typedcat import Config

cfg = Config(schema=Train, caps=("configs/digits/base/cfg.py", "configs/patches/noisy.yaml"))
