"""What a run does differently from the base."""

from typedcat_catalog import Config

cfg = Config(caps="configs/base.py")
cfg.seed = 1
cfg.loader.batch_size = 256
cfg.opt.ini.weight_decay = 0.1
cfg.model.ini.width = 128
cfg.sched.epochs = 54
cfg.log.every = 10
