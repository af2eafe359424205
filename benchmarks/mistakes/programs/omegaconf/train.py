"""The training script: `python train.py [KEY=VALUE ...]`."""

import sys
from typing import cast

from configs import child
from omegaconf import OmegaConf
from training import SAMPLES, Adam, Mlp, Model, Optimizer, Plan, Sgd, begin, fit

from schema import AdamConf, Loader, MlpConf, ModelConf, OptConf, SgdConf, Train


def load(cfg: Train, *others: object) -> Train:
    """Merges, resolves and checks everything; read-only."""
    merged = OmegaConf.merge(cfg, *others)
    OmegaConf.to_object(merged)
    OmegaConf.set_readonly(merged, True)
    return cast("Train", merged)


def build_optimizer(cfg: OptConf) -> Optimizer:
    """The optimizer that is configured."""
    args = OmegaConf.to_object(cfg)
    if isinstance(args, AdamConf):
        return Adam(lr=args.lr, weight_decay=args.weight_decay)
    assert isinstance(args, SgdConf)
    return Sgd(lr=args.lr, momentum=args.momentum)


def build_model(cfg: ModelConf) -> Model:
    """The model that is configured."""
    args = OmegaConf.to_object(cfg)
    assert isinstance(args, MlpConf)
    return Mlp(width=args.width)


def steps_per_epoch(loader: Loader) -> int:
    """How many batches an epoch has."""
    return SAMPLES // loader.batch_size


def train(cfg: Train) -> None:
    """Trains as the config says."""
    begin()
    plan = Plan(steps_per_epoch(cfg.loader), cfg.sched.epochs, cfg.sched.warm_epochs)
    fit(
        build_model(cfg.model),
        build_optimizer(cfg.opt),
        plan,
        seed=cfg.seed,
        num_workers=cfg.loader.num_workers,
        log_every=cfg.log["every"],
    )


if __name__ == "__main__":
    train(load(child(), OmegaConf.from_dotlist(sys.argv[1:])))
