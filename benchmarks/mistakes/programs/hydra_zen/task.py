"""The task function. hydra-zen makes its arguments from the config before it is called."""

from parts import Loader, Sched
from training import SAMPLES, Model, Optimizer, Plan, begin, fit


def steps_per_epoch(loader: Loader) -> int:
    """How many batches an epoch has."""
    return SAMPLES // loader.batch_size


def train(seed: int, loader: Loader, opt: Optimizer, model: Model, sched: Sched, log: dict[str, int]) -> None:
    """Trains as the config says."""
    begin()
    plan = Plan(steps_per_epoch(loader), sched.epochs, sched.warm_epochs)
    fit(model, opt, plan, seed=seed, num_workers=loader.num_workers, log_every=log["every"])
