"""The same grid without its expensive corner; the weight decay follows the batch size of each point."""

from schema import Train
from typedcat import P_DEP, Cfg2Tune, Param2Tune

cfg = Cfg2Tune(schema=Train, caps="configs/digits/base,sched_from_addon/cfg.py")

cfg.loader.ini.batch_size = Param2Tune([64, 128, 256])
cfg.sched.epochs = cfg.Param2Tune([5, 15], subject_to=lambda epochs, c: epochs * c.loader.ini.batch_size <= 15 * 64)
cfg.opt.ini.weight_decay = P_DEP(lambda c: 1e-3 * c.loader.ini.batch_size / 128)
