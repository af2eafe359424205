"""The torch example: real torch classes in the configs, trained for an epoch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.examples.conftest import EXAMPLES, Example
from typedcat import load_config

pytest.importorskip("torch", reason="the torch example needs torch: pip install 'typedcat[torch]'")

CONFIGS = EXAMPLES / "torch_digits" / "configs"
LOADABLE = sorted(
    file.relative_to(CONFIGS.parent).as_posix()
    for file in CONFIGS.rglob("*.py")
    if CONFIGS / "tune" not in file.parents
)
BASE = "configs/net/base/cfg.py"
COMPOSED = "configs/net/base,sched_from_addon/cfg.py"
FASTER = "configs/net/base,sched_from_addon,2xbs,2÷epo/cfg.py"


@pytest.fixture
def torch_digits(open_example: Callable[[str], Example]) -> Example:
    return open_example("torch_digits")


@pytest.mark.parametrize("path", LOADABLE)
def test_every_config_loads(torch_digits: Example, path: str) -> None:
    cfg = load_config(path, create_rslt_dir=False)
    assert cfg.is_frozen
    assert list(cfg.ckl)
    assert not (torch_digits.root / "experiment").exists()


def test_the_classes_are_those_of_torch(torch_digits: Example) -> None:
    from torch import optim
    from torch.optim import lr_scheduler

    cfg = load_config(BASE, create_rslt_dir=False)
    assert cfg.opt.cls is optim.AdamW
    assert cfg.sched.warm.cls is lr_scheduler.LinearLR
    assert cfg.sched.main.cls is lr_scheduler.CosineAnnealingLR
    assert cfg.model.ini.num_classes == 10


def test_dependencies_follow(torch_digits: Example) -> None:
    base = load_config(COMPOSED, create_rslt_dir=False)
    child = load_config(FASTER, create_rslt_dir=False)
    assert (base.opt.ini.lr, child.opt.ini.lr) == (pytest.approx(0.01), pytest.approx(0.02))
    assert (base.sched.warm_epochs, child.sched.warm_epochs) == (3, 2)
    assert (base.sched.main.ini.T_max, child.sched.main.ini.T_max) == (27, 13)
    assert child.log.save_interval == 3


def test_a_patch_takes_the_place_of_the_optimizer(torch_digits: Example) -> None:
    cfg = load_config("configs/net/base,sgd/cfg.py", create_rslt_dir=False)
    assert cfg.opt.cls.__name__ == "SGD"
    assert dict(cfg.opt.ini) == {"lr": 0.1, "momentum": 0.9, "nesterov": True}


@pytest.mark.slow
def test_trains_for_an_epoch(torch_digits: Example) -> None:
    torch_digits.run("train.py", "-c", BASE, "-o", "sched.epochs=1")
    metrics = torch_digits.metrics()
    assert metrics.keys() == {"test_loss", "acc"}
    assert metrics["acc"] > 30
    assert list((torch_digits.root / "experiment").rglob("model_1.pth"))


@pytest.mark.slow
def test_the_default_config_learns(torch_digits: Example) -> None:
    torch_digits.run("train.py")
    assert torch_digits.metrics()["acc"] > 90


@pytest.mark.slow
@pytest.mark.timeout(300)  # torch starts again and again
def test_tunes(torch_digits: Example) -> None:
    import pandas as pd

    torch_digits.run("tune_train.py", "-c", "configs/tune/tune_bs_epoch/cfg.py", "--pool_size", "2")
    table = torch_digits.root / "experiment/tune/tune_bs_epoch/metric_frame.xlsx"
    frame = pd.read_excel(table, index_col=[0, 1])
    assert list(frame.index) == [(128, 2), (128, 5), (256, 2), (256, 5)]
    assert {"test_loss", "acc"} <= set(frame.columns)
    assert Path(table.parent, "batch_size=128,epochs=2", "eval.json").is_file()
