"""The base of every digits config: a linear classifier, AdamW, linear warm-up and cosine decay."""

from dataset import Digits
from models import SoftmaxRegression
from optim import AdamW, CosineDecay, LinearWarmup
from schema import Train
from typedcat import Config

cfg = Config(schema=Train)

cfg.rand_seed = 0

# -* Set dataset.
cfg.dt.cls = Digits
cfg.dt.ini.test_fraction = 0.25

# -* Set data loader.
cfg.loader.ini.batch_size = 128

# -* Set model.
cfg.model.cls = SoftmaxRegression
cfg.model.ini.num_features = cfg.DEP(lambda c: c.dt.cls.num_features)
cfg.model.ini.num_classes = cfg.DEP(lambda c: len(c.dt.cls.classes))

# -* Set optimizer.
cfg.opt.cls = AdamW
cfg.opt.ini.lr = cfg.DEP(lambda c: c.loader.ini.batch_size / 128 * 0.01)  # Linear scaling rule.
cfg.opt.ini.weight_decay = 1e-3

# -* Set scheduler.
cfg.sched.epochs = 30


@cfg.sched.set_DEP()
def warm_epochs(c: Train) -> int:  # 10% of total epochs
    return round(0.1 * c.sched.epochs)


cfg.sched.warm.cls = LinearWarmup
cfg.sched.warm.ini.total_iters = cfg.DEP(lambda c: c.sched.warm_epochs)
cfg.sched.warm.ini.start_factor = 0.1

cfg.sched.main.cls = CosineDecay
cfg.sched.main.ini.total_iters = cfg.DEP(lambda c: c.sched.main_epochs)

# -* Set logger.
cfg.log.save_interval = cfg.DEP(lambda c: max(1, c.sched.epochs // 5))  # Save model at every 20% of total epochs.
