"""The training script: `python train.py [--KEY VALUE ...]`."""

import tyro
from configs import CHILD
from training import SAMPLES, Plan, begin, fit

from schema import Loader, Train


def steps_per_epoch(loader: Loader) -> int:
    """How many batches an epoch has."""
    return SAMPLES // loader.batch_size


def train(cfg: Train) -> None:
    """Trains as the config says."""
    begin()
    plan = Plan(steps_per_epoch(cfg.loader), cfg.sched.epochs, cfg.sched.warm_epochs)
    fit(
        cfg.model.build(),
        cfg.opt.build(),
        plan,
        seed=cfg.seed,
        num_workers=cfg.loader.num_workers,
        log_every=cfg.log["every"],
    )


if __name__ == "__main__":
    train(tyro.cli(Train, default=CHILD))
