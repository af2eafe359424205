"""A grid of 2 x 2 over batch size and epochs."""

from typedcat_catalog import Cfg2Tune, Param2Tune

cfg = Cfg2Tune(caps="configs/net/base,sched_from_addon/cfg.py")

cfg.loader.ini.batch_size = Param2Tune([128, 256])
cfg.sched.epochs = Param2Tune([2, 5])
