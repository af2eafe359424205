"""A sweep over batch sizes and epochs, without the expensive corner."""

from typedcat_catalog import Cfg2Tune

cfg = Cfg2Tune(caps="configs/child.py")
cfg.loader.batch_size = cfg.Param2Tune([128, 256])
cfg.sched.epochs = cfg.Param2Tune([20, 50], subject_to=lambda epochs, c: epochs * c.loader.batch_size <= 6400)
