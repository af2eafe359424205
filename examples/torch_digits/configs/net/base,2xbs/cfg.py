"""Doubles the batch size; the learning rate follows by itself."""

from typedcat_catalog import Config

cfg = Config(caps="configs/net/base/cfg.py")

cfg.loader.ini.batch_size = 128 * 2
