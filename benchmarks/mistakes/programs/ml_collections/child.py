"""What a run does differently from the base."""

from typing import Any

import base


def get_config() -> Any:
    """Differs from the base in a few values."""
    config = base.get_config()
    config.seed = 1
    config.loader.batch_size = 256
    config.opt.ini.weight_decay = 0.1
    config.model.ini.width = 128
    config.sched.epochs = 54
    config.log.every = 10
    return config
