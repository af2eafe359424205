"""A sweep over batch sizes and epochs, without the expensive corner: every config is made before the first runs."""

from configs import CHILD
from train import train

if __name__ == "__main__":
    points = [
        CHILD.clone().apply({"loader.batch_size": batch_size, "sched.epochs": epochs}).make()
        for batch_size in [128, 256]
        for epochs in [20, 50]
    ]
    for cfg in [cfg for cfg in points if cfg.sched.epochs * cfg.loader.batch_size <= 6400]:
        train(cfg)
