"""The training script: `python train.py CONFIG [KEY=VALUE ...]`."""

import sys

from training import SAMPLES, Plan, begin, fit

from schema import Loader, Train
from typedcat_catalog import load_config


def steps_per_epoch(loader: Loader) -> int:
    """How many batches an epoch has."""
    return SAMPLES // loader.batch_size


def train(cfg: Train) -> None:
    """Trains as the config says."""
    begin()
    model = cfg.model.cls(**cfg.model.ini)
    optimizer = cfg.opt.cls(**cfg.opt.ini)
    plan = Plan(steps_per_epoch(cfg.loader), cfg.sched.epochs, cfg.sched.warm_epochs)
    fit(model, optimizer, plan, seed=cfg.seed, num_workers=cfg.loader.num_workers, log_every=cfg.log["every"])


if __name__ == "__main__":
    train(load_config(sys.argv[1], schema=Train, create_rslt_dir=False, overrides=sys.argv[2:]))
