"""Twice the batch size for half the epochs; learning rate, warm-up and decay follow by themselves."""

from schema import Train
from typedcat import Config

cfg = Config(schema=Train, caps="configs/digits/base,sched_from_addon/cfg.py")

cfg.loader.ini.batch_size = 256
cfg.sched.epochs = 15
