"""An addon: a complete `sched` subtree, which a config mounts. Its dependencies see the subtree, wherever it hangs."""

from optim import CosineDecay, LinearWarmup
from schema import Sched
from typedcat import Config

cfg = Config(schema=Sched)

cfg.epochs = 30
cfg.warm_epochs = cfg.DEP(lambda c: round(0.1 * c.epochs))  # 10% of total epochs

cfg.warm.cls = LinearWarmup
cfg.warm.ini.total_iters = cfg.DEP(lambda c: c.warm_epochs)
cfg.warm.ini.start_factor = 0.1

cfg.main.cls = CosineDecay
cfg.main.ini.total_iters = cfg.DEP(lambda c: c.main_epochs)
