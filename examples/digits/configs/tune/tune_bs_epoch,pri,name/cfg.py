"""The same grid, epochs first and with names for the batch sizes."""

from schema import Train
from typedcat import Cfg2Tune, Param2Tune

cfg = Cfg2Tune(schema=Train, caps="configs/digits/base,sched_from_addon/cfg.py")

cfg.loader.ini.batch_size = Param2Tune([64, 128, 256], optional_value_names=["½xbs", "1xbs", "2xbs"], priority=1)
cfg.sched.epochs = Param2Tune([5, 15], priority=0)
