"""The base of every config here: a small network, AdamW, linear warm-up and cosine decay."""

from torch import optim
from torch.optim import lr_scheduler as sched

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
cfg.loader.ini.num_workers = 0  # The whole dataset is in memory: a worker would only cost its start.

# -* Set model.
cfg.model.cls = SmallNet
cfg.model.ini.num_classes = DEP(lambda c: len(c.dt.cls.classes))

# -* Set optimizer.
cfg.opt.cls = optim.AdamW
cfg.opt.ini.lr = DEP(lambda c: c.loader.ini.batch_size / 128 * 0.01)  # Linear scaling rule.

# -* Set scheduler.
cfg.sched.epochs = 30
cfg.sched.warm_epochs = DEP(lambda c: round(0.1 * c.sched.epochs), priority=0)  # 10% of total epochs

cfg.sched.warm.cls = sched.LinearLR
cfg.sched.warm.ini.total_iters = DEP(lambda c: c.sched.warm_epochs, priority=1)
cfg.sched.warm.ini.start_factor = 1e-2
cfg.sched.warm.ini.end_factor = 1.0

cfg.sched.main.cls = sched.CosineAnnealingLR
cfg.sched.main.ini.T_max = DEP(lambda c: c.sched.epochs - c.sched.warm_epochs, priority=2)

# -* Set logger.
cfg.log.save_interval = DEP(lambda c: max(1, c.sched.epochs // 5), priority=1)  # Save at every 20% of total epochs.
