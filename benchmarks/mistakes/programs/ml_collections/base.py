"""The base config."""

from typing import Any

from ml_collections import config_dict  # type: ignore[import-untyped]  # it has no types
from training import Adam, Mlp


def get_config() -> Any:
    """Every key with the value of the base; locked, so that no other key can be added by accident."""
    config: Any = config_dict.ConfigDict()
    config.seed = config_dict.placeholder(int)
    config.loader = config_dict.ConfigDict()
    config.loader.batch_size = 128
    config.loader.num_workers = 2
    config.opt = config_dict.ConfigDict()
    config.opt.cls = Adam
    config.opt.ini = config_dict.ConfigDict()
    config.opt.ini.lr = 0.01
    config.opt.ini.weight_decay = 0.0
    config.model = config_dict.ConfigDict()
    config.model.cls = Mlp
    config.model.ini = config_dict.ConfigDict()
    config.model.ini.width = 64
    config.sched = config_dict.ConfigDict()
    config.sched.epochs = 30
    config.sched.warm_epochs = (0.1 * config.sched.get_ref("epochs")).to_int()
    config.log = config_dict.ConfigDict()
    config.log.every = 1
    config.lock()
    return config
