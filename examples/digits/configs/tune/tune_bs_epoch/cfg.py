"""A grid of 3 x 2 over batch size and epochs."""

from schema import Train
from typedcat import Cfg2Tune, Param2Tune

cfg = Cfg2Tune(schema=Train, caps="configs/digits/base,sched_from_addon/cfg.py")

cfg.loader.ini.batch_size = Param2Tune([64, 128, 256])
cfg.sched.epochs = Param2Tune([5, 15])
