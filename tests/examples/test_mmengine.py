"""The mmengine example: its configs load as mmengine reads them, and its grid is tuned by mmengine's own Runner."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.examples.conftest import Example
from typedcat import load_config

pytest.importorskip("torch")
pytest.importorskip("mmengine")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what mmengine uses of torch
BASE = "configs/moons/mlp_1xb8-40it.py"
TUNE = "configs/moons/tune_bs,iter/cfg.py"


@pytest.fixture
def moons(open_example: Callable[[str], Example]) -> Example:
    return open_example("mmengine")


def test_the_config_of_mmengine_loads(moons: Example) -> None:
    from mmengine.config import Config as TheirConfig

    cfg = load_config(BASE, create_rslt_dir=False)
    read = TheirConfig.fromfile(BASE).to_dict()
    assert {key: value for key, value in cfg.to_dict().items() if key != "rslt_dir"} == read
    assert str(cfg.origin("model.hidden")[0]) == f"{BASE}:4"


def test_the_tune_config_loads(moons: Example) -> None:
    cfg = load_config(TUNE, create_rslt_dir=False)
    assert cfg.model.loss.loss_weight == 0.8
    assert cfg.model.hidden == 32


@pytest.mark.slow
@pytest.mark.timeout(300)  # torch starts again and again
def test_the_grid_is_tuned(moons: Example) -> None:
    from mmengine.config import Config as TheirConfig

    done = moons.run("tune_train.py")
    assert "Metric Frame:" in done.stdout
    folder = Path("work_dirs/moons/tune_bs,iter")
    saved = TheirConfig.fromfile(str(folder / "batch_size=32,max_iters=80/mmcv_config.py"))
    assert saved.work_dir == str(folder / "batch_size=32,max_iters=80")
    assert saved.optim_wrapper.optimizer.lr == pytest.approx(0.2)
    assert saved.param_scheduler[0].end == saved.train_cfg.val_interval == 80
    with (folder / "runs.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    assert all(float(row["aAcc"]) > 75 and float(row["mAcc"]) > 75 for row in rows)
