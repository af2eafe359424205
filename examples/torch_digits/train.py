"""Trains a small network on the handwritten digits as its config says; what it writes goes into `cfg.rslt_dir`."""

import argparse
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from rich.progress import track
from torch import nn
from torch.optim.lr_scheduler import LRScheduler, SequentialLR
from torch.utils.data import DataLoader

from torch_dataset import Digits
from typedcat import Config, load_config


def eval_model(model: nn.Module, dataset: Digits, device: torch.device) -> dict[str, float]:
    """Loss and accuracy, in percent, of the model on the dataset."""
    labels = dataset.labels.to(device)
    model.eval()
    with torch.no_grad():
        logits = model(dataset.images.to(device))
    model.train()
    acc = (logits.argmax(dim=1) == labels).float().mean()
    return {"test_loss": F.cross_entropy(logits, labels).item(), "acc": 100 * acc.item()}


def make_sched(cfg: Config, opt: torch.optim.Optimizer) -> LRScheduler:
    """The main schedule, after the warm-up where there is one."""
    if not cfg.sched.warm_epochs:  # too few epochs for one; SequentialLR would stay at the start of an empty warm-up
        main_only: LRScheduler = cfg.sched.main.cls(opt, **cfg.sched.main.ini)
        return main_only
    warm_sched = cfg.sched.warm.cls(opt, **cfg.sched.warm.ini)
    main_sched = cfg.sched.main.cls(opt, **cfg.sched.main.ini)
    return SequentialLR(opt, [warm_sched, main_sched], [cfg.sched.warm_epochs])


def train(cfg: Config, device: torch.device) -> dict[str, float]:
    """Runs `cfg.sched.epochs` epochs; returns the metrics of the trained model on the test part."""
    torch.manual_seed(cfg.rand_seed)  # Use `cfg` to set random seed

    test_set = cfg.dt.cls(train=False, **cfg.dt.ini)
    dataset = cfg.dt.cls(train=True, **cfg.dt.ini)  # Use `cfg` to set dataset type and its initial parameters

    # Use `cfg` to set changeable parameters of loader,
    # other fixed parameter like `shuffle` is set in main code
    loader = DataLoader(dataset, shuffle=True, **cfg.loader.ini)

    model = cfg.model.cls(**cfg.model.ini).train().to(device)  # Use `cfg` to set model

    # Use `cfg` to set optimizer, and get `model.parameters()` in run time
    opt = cfg.opt.cls(model.parameters(), **cfg.opt.ini, weight_decay=0.0)

    # Use `cfg` to set warm and main scheduler
    sched = make_sched(cfg, opt)

    for epoch in range(1, cfg.sched.epochs + 1):  # train `cfg.sched.epochs` epochs
        for data, target in track(loader, description=f"Epoch {epoch}/{cfg.sched.epochs}"):
            loss = F.cross_entropy(model(data.to(device)), target.to(device))
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            opt.step()
            opt.zero_grad()

        sched.step()

        # If cfg.log is defined, save model to `cfg.rslt_dir` at every `cfg.log.save_interval`
        if cfg.log and epoch % cfg.log.save_interval == 0:
            torch.save(model.state_dict(), f"{cfg.rslt_dir}/model_{epoch}.pth")

    return eval_model(model, test_set, device)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-c", "--config", default="configs/net/base,sched_from_addon,2xbs,2÷epo/cfg.py")
    parser.add_argument("-o", "--overrides", nargs="*", default=[], metavar="KEY=VALUE")
    parser.add_argument("--experiments_root", default="experiment")
    args = parser.parse_args()

    # The folder that mirrors the config's path will be made below `experiments_root` and assigned to `cfg.rslt_dir`
    cfg = load_config(
        args.config, config_root="configs", experiments_root=args.experiments_root, overrides=args.overrides
    )
    print(cfg)

    metrics = train(cfg, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    print(metrics)
    Path(cfg.rslt_dir, "eval.json").write_text(json.dumps(metrics), encoding="utf-8")


if __name__ == "__main__":
    main()
