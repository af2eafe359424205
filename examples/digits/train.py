"""Trains a classifier on the handwritten digits as its config says; everything it writes goes into `cfg.rslt_dir`."""

import argparse
import json
from pathlib import Path

import numpy as np

from dataset import Digits, Loader
from models import Classifier, cross_entropy
from schema import Train
from typedcat import load_config


def eval_model(model: Classifier, dataset: Digits) -> dict[str, float]:
    """Loss and accuracy, in percent, of the model on the dataset."""
    logits = model.logits(dataset.images)
    loss, _ = cross_entropy(logits, dataset.labels)
    return {"test_loss": loss, "acc": 100 * float((logits.argmax(axis=1) == dataset.labels).mean())}


def train(cfg: Train) -> dict[str, float]:
    """Runs `cfg.sched.epochs` epochs; returns the metrics of the trained model on the test part."""
    rng = np.random.default_rng(cfg.rand_seed)  # Use `cfg` to set random seed
    test_set = cfg.dt.cls(train=False, **cfg.dt.ini)
    # Use `cfg` to set the dataset and its parameters, the loader, the model and the optimizer
    loader = Loader(cfg.dt.cls(train=True, **cfg.dt.ini), rng, **cfg.loader.ini)
    model = cfg.model.cls(rng, **cfg.model.ini)
    opt = cfg.opt.cls(model.params, **cfg.opt.ini)
    # Use `cfg` to set warm and main schedule
    warm_sched = cfg.sched.warm.cls(**cfg.sched.warm.ini)
    main_sched = cfg.sched.main.cls(**cfg.sched.main.ini)

    for epoch in range(cfg.sched.epochs):  # train `cfg.sched.epochs` epochs
        if epoch < cfg.sched.warm_epochs:
            lr_factor = warm_sched.factor(epoch)
        else:
            lr_factor = main_sched.factor(epoch - cfg.sched.warm_epochs)
        losses = []
        for images, labels in loader:
            loss, grads = model.loss_and_grads(images, labels)
            opt.step(grads, lr_factor)
            losses.append(loss)
        print(f"Epoch {epoch + 1}/{cfg.sched.epochs}: loss {np.mean(losses):.4f}")

        # Save model to `cfg.rslt_dir` at every `cfg.log.save_interval`
        if (epoch + 1) % cfg.log.save_interval == 0:
            np.savez(Path(cfg.rslt_dir, f"model_{epoch + 1}.npz"), *model.params)

    return eval_model(model, test_set)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-c", "--config", default="configs/digits/base,sched_from_addon,2xbs,2÷epo/cfg.py")
    parser.add_argument("-o", "--overrides", nargs="*", default=[], metavar="KEY=VALUE")
    parser.add_argument("--experiments_root", default="experiment")
    args = parser.parse_args()

    # The folder that mirrors the config's path will be made below `experiments_root` and assigned to `cfg.rslt_dir`
    cfg = load_config(
        args.config,
        schema=Train,
        config_root="configs",
        experiments_root=args.experiments_root,
        overrides=args.overrides,
    )
    print(cfg)
    metrics = train(cfg)
    print(metrics)
    Path(cfg.rslt_dir, "eval.json").write_text(json.dumps(metrics), encoding="utf-8")


if __name__ == "__main__":
    main()
