"""The training script: `python train.py --config=CONFIG [--config.KEY=VALUE ...]`."""

from collections.abc import Sequence
from typing import Any

from absl import app
from ml_collections import config_dict, config_flags  # type: ignore[import-untyped]  # it has no types
from training import SAMPLES, Plan, begin, fit

CONFIG = config_flags.DEFINE_config_file("config")


def steps_per_epoch(loader: Any) -> int:
    """How many batches an epoch has."""
    steps: int = SAMPLES // loader.batch_size
    return steps


def train(cfg: Any) -> None:
    """Trains as the config says."""
    begin()
    model = cfg.model.cls(**cfg.model.ini)
    optimizer = cfg.opt.cls(**cfg.opt.ini)
    plan = Plan(steps_per_epoch(cfg.loader), cfg.sched.epochs, cfg.sched.warm_epochs)
    fit(model, optimizer, plan, seed=cfg.seed, num_workers=cfg.loader.num_workers, log_every=cfg.log.every)


def main(argv: Sequence[str]) -> None:
    """Trains with the config of the command line, frozen."""
    del argv
    train(config_dict.FrozenConfigDict(CONFIG.value))


if __name__ == "__main__":
    app.run(main)
