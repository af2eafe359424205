"""Searches the batch size and the number of iterations; what has to follow them does."""

from typing import Any

from typedcat_catalog import Cfg2Tune, Param2Tune

# Inherit from a config of mmengine.
cfg = Cfg2Tune(caps="configs/moons/mlp_1xb8-40it.py")

# Inherit and override
cfg.model.loss.loss_weight = 0.8

# Tuning parameters: grid search batch_size and max_iters
cfg.train_dataloader.batch_size = Param2Tune([8, 32])
cfg.train_cfg.max_iters = Param2Tune([40, 80])
cfg.train_cfg.val_interval = cfg.P_DEP(lambda c: c.train_cfg.max_iters)

# Dependencies:
# 1) learning rate increases with batch_size
cfg.optim_wrapper.optimizer.lr = cfg.P_DEP(lambda c: c.train_dataloader.batch_size / 8 * 0.05)


# 2) end of param_scheduler increases with max_iters
@cfg.set_DEP()
def param_scheduler(c: Any) -> list[dict[str, Any]]:
    end: int = c.train_cfg.max_iters
    return [dict(type="PolyLR", eta_min=1e-4, power=0.9, begin=0, end=end, by_epoch=False)]
