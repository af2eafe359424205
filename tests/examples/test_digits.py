"""The digits example: its configs load, dependencies follow, it trains, and its grid is tuned."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.examples.conftest import EXAMPLES, Example
from typedcat import load_config
from typedcat.errors import TypedcatError, ValidationError

CONFIGS = EXAMPLES / "digits" / "configs"
LOADABLE = sorted(
    file.relative_to(CONFIGS.parent).as_posix()
    for ending in ("*.py", "*.yaml")
    for file in CONFIGS.rglob(ending)
    if CONFIGS / "tune" not in file.parents
)
BASE = "configs/digits/base/cfg.py"
COMPOSED = "configs/digits/base,sched_from_addon/cfg.py"
FASTER = "configs/digits/base,sched_from_addon,2xbs,2÷epo/cfg.py"


@pytest.fixture
def digits(open_example: Callable[[str], Example]) -> Example:
    return open_example("digits")


def test_there_are_configs_of_every_kind() -> None:
    assert {Path(path).parts[1] for path in LOADABLE} == {"digits", "patches", "addons"}
    assert any(path.endswith(".yaml") for path in LOADABLE)


@pytest.mark.parametrize("path", LOADABLE)
def test_every_config_loads(digits: Example, path: str) -> None:
    cfg = load_config(path, create_rslt_dir=False)
    assert cfg.is_frozen
    assert list(cfg.ckl)
    assert not (digits.root / "experiment").exists()


def test_base(digits: Example) -> None:
    cfg = load_config(BASE, create_rslt_dir=False)
    assert cfg.opt.ini.lr == pytest.approx(0.01)
    assert (cfg.sched.epochs, cfg.sched.warm_epochs, cfg.sched.main_epochs) == (30, 3, 27)
    assert (cfg.sched.warm.ini.total_iters, cfg.sched.main.ini.total_iters) == (3, 27)
    assert dict(cfg.model.ini) == {"num_features": 64, "num_classes": 10}
    assert cfg.log.save_interval == 6
    assert Path(cfg.rslt_dir) == Path("experiment/digits/base")


def test_twice_the_batch_size_doubles_the_learning_rate(digits: Example) -> None:
    cfg = load_config("configs/digits/base,2xbs/cfg.py", create_rslt_dir=False)
    assert cfg.loader.ini.batch_size == 256
    assert cfg.opt.ini.lr == pytest.approx(0.02)
    assert cfg.sched.epochs == 30


def test_half_the_epochs_halve_the_schedule(digits: Example) -> None:
    whole = load_config(COMPOSED, create_rslt_dir=False)
    half = load_config(FASTER, create_rslt_dir=False)
    assert (whole.sched.epochs, half.sched.epochs) == (30, 15)
    assert (whole.sched.warm_epochs, half.sched.warm_epochs) == (3, 2)  # round(1.5)
    assert (half.sched.warm.ini.total_iters, half.sched.main.ini.total_iters) == (2, 13)
    assert half.opt.ini.lr == pytest.approx(2 * whole.opt.ini.lr)
    assert half.log.save_interval == 3


def test_the_addon_gives_what_the_base_has_inline(digits: Example) -> None:
    inline = load_config(BASE, create_rslt_dir=False)
    composed = load_config(COMPOSED, create_rslt_dir=False)
    assert composed.sched.to_dict() == inline.sched.to_dict()


def test_patches(digits: Example) -> None:
    base = load_config(BASE, create_rslt_dir=False)
    network = load_config("configs/digits/base,mlp/cfg.py", create_rslt_dir=False)
    noisy = load_config("configs/digits/base,noisy/cfg.py", create_rslt_dir=False)
    assert (base.model.cls.__name__, network.model.cls.__name__) == ("SoftmaxRegression", "Mlp")
    assert dict(network.model.ini) == {"num_features": 64, "num_classes": 10, "num_hidden": 64}
    assert network.opt.to_dict() == base.opt.to_dict()
    assert noisy.dt.ini.noise == 0.1  # `1e-1`, a string to YAML 1.1


def test_overrides_come_before_dependencies(digits: Example) -> None:
    cfg = load_config(
        BASE, create_rslt_dir=False, overrides=["loader.ini.batch_size=64", "sched.epochs=10", "opt.ini.weight_decay=0"]
    )
    assert cfg.opt.ini.lr == pytest.approx(0.005)
    assert cfg.sched.main.ini.total_iters == 9
    assert cfg.opt.ini.weight_decay == 0
    assert Path(cfg.rslt_dir) != Path("experiment/digits/base")


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("loader.ini.batch_size=0", "loader.ini.batch_size"),
        ("loader.ini.batch_size=many", "loader.ini.batch_size"),
        ("opt.ini.learning_rate=0.1", "opt.ini.learning_rate"),
        ("dt.ini.test_fraction=1", "dt.ini.test_fraction"),
        ("sched.epoch=3", "did you mean"),
    ],
)
def test_what_the_schema_refuses(digits: Example, override: str, said: str) -> None:
    with pytest.raises(TypedcatError) as caught:
        load_config(BASE, create_rslt_dir=False, overrides=[override])
    assert said in str(caught.value)


def test_a_child_that_does_not_fit_names_its_line(digits: Example) -> None:
    child = digits.root / "configs/digits/base,wrong/cfg.py"
    child.parent.mkdir()
    child.write_text(
        "from typedcat import Config\n\n"
        f"cfg = Config(caps={BASE!r})\n"
        "cfg.loader.ini.batch_size = -1\n"
        "cfg.sched.epochs = 'ten'\n",
        encoding="utf-8",
    )
    with pytest.raises(ValidationError) as caught:
        load_config(str(child), create_rslt_dir=False)
    text = str(caught.value)
    assert "base,wrong/cfg.py:4" in text
    assert "base,wrong/cfg.py:5" in text


def test_the_data(digits: Example) -> None:
    cfg = load_config("configs/digits/base,noisy/cfg.py", create_rslt_dir=False)
    train_set = cfg.dt.cls(train=True, **cfg.dt.ini)
    test_set = cfg.dt.cls(train=False, **cfg.dt.ini)
    assert (len(train_set), len(test_set)) == (1348, 449)
    assert 0 <= test_set.images.min() <= test_set.images.max() <= 1
    assert train_set.images.max() > 1  # noise belongs to the training part only


@pytest.mark.parametrize("path", [BASE, "configs/digits/base,mlp/cfg.py"])
def test_gradients_are_those_of_the_loss(digits: Example, path: str) -> None:
    import numpy as np

    cfg = load_config(path, create_rslt_dir=False)
    part = cfg.dt.cls(train=False, **cfg.dt.ini)
    model = cfg.model.cls(np.random.default_rng(0), **cfg.model.ini)
    images, labels = part.images[:32], part.labels[:32]
    _, grads = model.loss_and_grads(images, labels)
    for param, grad in zip(model.params, grads, strict=True):
        place = np.unravel_index(np.abs(grad).argmax(), grad.shape)
        start, step = param[place], 1e-6
        param[place] = start + step
        above, _ = model.loss_and_grads(images, labels)
        param[place] = start - step
        below, _ = model.loss_and_grads(images, labels)
        param[place] = start
        assert (above - below) / (2 * step) == pytest.approx(grad[place], rel=1e-3)


def test_trains_for_an_epoch(digits: Example) -> None:
    done = digits.run("train.py", "-c", BASE, "-o", "sched.epochs=1")
    assert "Epoch 1/1" in done.stdout
    metrics = digits.metrics()
    assert metrics.keys() == {"test_loss", "acc"}
    assert metrics["acc"] > 50


@pytest.mark.slow
def test_the_default_config_learns_and_repeats_itself(digits: Example) -> None:
    digits.run("train.py")
    assert (digits.root / "experiment/digits/base,sched_from_addon,2xbs,2÷epo/eval.json").is_file()
    first = digits.metrics()
    digits.run("train.py")
    assert first["acc"] > 90
    assert digits.metrics() == first


@pytest.mark.slow
def test_a_misspelt_override_ends_training_before_it_starts(digits: Example) -> None:
    done = subprocess.run(
        [sys.executable, "train.py", "-o", "sched.epoch=1"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "sched.epochs" in done.stderr
    assert not (digits.root / "experiment").exists()


@pytest.mark.slow
def test_tunes_a_grid_of_six_with_two_workers(digits: Example) -> None:
    import pandas as pd

    done = digits.run("tune_train.py", "-c", "configs/tune/tune_bs_epoch/cfg.py", "--pool_size", "2")
    table = digits.root / "experiment/tune/tune_bs_epoch/metric_frame.xlsx"
    assert "metric_frame.xlsx" in done.stdout
    frame = pd.read_excel(table, index_col=[0, 1])
    assert list(frame.index.names) == ["batch_size", "epochs"]
    assert list(frame.index) == [(size, epochs) for size in (64, 128, 256) for epochs in (5, 15)]
    assert {"test_loss", "acc"} <= set(frame.columns)
    assert frame["acc"].min() > 80
    for size, epochs in frame.index:
        run = table.parent / f"batch_size={size},epochs={epochs}"
        assert (run / "eval.json").is_file()
        child = load_config(str(digits.root / f"configs/tune/tune_bs_epoch/{run.name}/cfg.pkl"))
        assert (child.loader.ini.batch_size, child.sched.epochs) == (size, epochs)
        assert child.opt.ini.lr == pytest.approx(0.01 * size / 128)
        assert Path(child.rslt_dir).resolve() == run.resolve()


@pytest.mark.slow
def test_tunes_in_another_order_under_other_names(digits: Example) -> None:
    import pandas as pd

    digits.run("tune_train.py", "-c", "configs/tune/tune_bs_epoch,pri,name/cfg.py", "--experiments_root", "other")
    frame = pd.read_excel(digits.root / "other/tune/tune_bs_epoch,pri,name/metric_frame.xlsx", index_col=[0, 1])
    assert list(frame.index) == [(epochs, size) for epochs in (5, 15) for size in ("½xbs", "1xbs", "2xbs")]


@pytest.mark.slow
def test_tunes_under_a_constraint(digits: Example) -> None:
    import pandas as pd

    digits.run("tune_train.py", "-c", "configs/tune/tune_bs_epoch,subject_to/cfg.py", "--pool_size", "1")
    folder = digits.root / "experiment/tune/tune_bs_epoch,subject_to"
    frame = pd.read_excel(folder / "metric_frame.xlsx", index_col=[0, 1])
    assert list(frame.index) == [(64, 5), (64, 15), (128, 5)]
    child = load_config(str(digits.root / "configs/tune/tune_bs_epoch,subject_to/batch_size=64,epochs=5/cfg.pkl"))
    assert child.opt.ini.weight_decay == pytest.approx(5e-4)


@pytest.mark.slow
@pytest.mark.timeout(300)  # it makes everything that a newcomer sees
def test_the_demo(tmp_path: Path) -> None:
    root = tmp_path / "examples"
    shutil.copytree(EXAMPLES, root, ignore=shutil.ignore_patterns("experiment", "cfg.pkl", "__pycache__", ".*_cache"))
    done = subprocess.run(
        [sys.executable, "examples/demo.py"], cwd=tmp_path, capture_output=True, text=True, timeout=250, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    table = "examples/digits/experiment/tune/tune_bs_epoch/metric_frame.xlsx"
    assert done.stdout.splitlines()[-1] == f"The table as an Excel file: {table}"
    assert (tmp_path / table).is_file()
    assert "configs/digits/base,noisy/cfg.py" in done.stdout
