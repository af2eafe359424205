"""A patch: another optimizer, with arguments of its own, in place of whatever was there."""

from torch import optim

from typedcat import Config

cfg = Config()

cfg.opt.override()
cfg.opt.cls = optim.SGD
cfg.opt.ini.lr = 0.1
cfg.opt.ini.momentum = 0.9
cfg.opt.ini.nesterov = True
