"""A sweep over batch sizes and epochs, without the expensive corner: every config is made before the first runs."""

from configs import child
from train import load, train

from schema import Train


def point(batch_size: int, epochs: int) -> Train:
    """One config of the sweep."""
    cfg = child()
    cfg.loader.batch_size = batch_size
    cfg.sched.epochs = epochs
    return load(cfg)


if __name__ == "__main__":
    points = [point(batch_size, epochs) for batch_size in [128, 256] for epochs in [20, 50]]
    for cfg in [cfg for cfg in points if cfg.sched.epochs * cfg.loader.batch_size <= 6400]:
        train(cfg)
