"""The base config."""

from training import Adam

from schema import Train
from typedcat_catalog import Config

cfg = Config(schema=Train)
cfg.loader.batch_size = 128
cfg.opt.cls = Adam
cfg.opt.ini.lr = 0.01
cfg.sched.epochs = 30
cfg.sched.warm_epochs = cfg.DEP(lambda c: round(0.1 * c.sched.epochs))
