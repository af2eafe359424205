"""The base with its schedule composed: the addon is mounted as `sched`."""

from schema import Sched, Train
from typedcat import Config

cfg = Config(schema=Train, caps="configs/digits/base/cfg.py")

cfg.sched = Config("configs/addons/linear_warm_cos_sched.py", schema=Sched)
