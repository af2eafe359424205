"""Doubles the batch size; the learning rate follows by itself."""

from typedcat import Config

cfg = Config(caps="configs/digits/base/cfg.py")

cfg.loader.ini.batch_size = 128 * 2
