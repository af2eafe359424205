"""The same training, its schedule composed: the addon is mounted as `sched`."""

from torch import optim

from network import SmallNet
from torch_dataset import Digits
from typedcat import DEP, Config

cfg = Config()

cfg.rand_seed = 0

# -* Set datasets.
cfg.dt.cls = Digits
cfg.dt.ini.test_fraction = 0.25

# -* Set data loader.
cfg.loader.ini.batch_size = 128
cfg.loader.ini.num_workers = 0

# -* Set model.
cfg.model.cls = SmallNet
cfg.model.ini.num_classes = DEP(lambda c: len(c.dt.cls.classes))

# -* Set optimizer.
cfg.opt.cls = optim.AdamW
cfg.opt.ini.lr = DEP(lambda c: c.loader.ini.batch_size / 128 * 0.01)  # Linear scaling rule.

# -* Set scheduler.
cfg.sched = Config("configs/addons/linear_warm_cos_sched.py")

# -* Set logger.
cfg.log.save_interval = DEP(lambda c: max(1, c.sched.epochs // 5), priority=1)  # Save at every 20% of total epochs.
