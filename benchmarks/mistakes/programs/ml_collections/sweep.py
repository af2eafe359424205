"""A sweep over batch sizes and epochs, without the expensive corner: every config is made before the first runs."""

from typing import Any

import child
from ml_collections import config_dict  # type: ignore[import-untyped]  # it has no types
from train import train


def point(batch_size: int, epochs: int) -> Any:
    """One config of the sweep."""
    config = child.get_config()
    config.loader.batch_size = batch_size
    config.sched.epochs = epochs
    return config_dict.FrozenConfigDict(config)


if __name__ == "__main__":
    points = [point(batch_size, epochs) for batch_size in [128, 256] for epochs in [20, 50]]
    for cfg in [cfg for cfg in points if cfg.sched.epochs * cfg.loader.batch_size <= 6400]:
        train(cfg)
