"""Twice the batch size for half the epochs; learning rate, warm-up and decay follow by themselves."""

from typedcat_catalog import Config

cfg = Config(caps="configs/net/base,sched_from_addon/cfg.py")

cfg.loader.ini.batch_size = 256

cfg.sched.epochs = 15
