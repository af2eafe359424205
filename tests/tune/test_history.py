"""Sweeps read afterwards: how they can be named, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tune.conftest import WriteTune
from typedcat import Cfg2TuneRunner, load_runs
from typedcat.errors import ProjectError, TuneError
from typedcat.tune.ledger.history import read_sweep


@pytest.fixture
def sweeps(tune: WriteTune) -> list[str]:
    """The result folders of two sweeps of two runs."""
    for name in ("first", "second"):
        runner = Cfg2TuneRunner(
            tune(f"cfg = Cfg2Tune()\ncfg.{name} = Param2Tune([1, 2])\n", name), config_root="configs",
            experiment_root="experiment", work_fn=lambda *_: None, gather_metric_fn=lambda *_: {"acc": 0.5},
            in_process=True, verbosity=False, plots=False,
        )  # fmt: skip
        runner.tuning()
    return ["experiment/tune/first", "experiment/tune/second"]


def test_several_sweeps(sweeps: list[str]) -> None:
    frame = load_runs(*sweeps)
    assert frame["sweep"].tolist() == [sweeps[0]] * 2 + [sweeps[1]] * 2
    for given in (sweeps, tuple(sweeps), iter(sweeps), [Path(one) for one in sweeps]):
        assert load_runs(given).equals(frame)
    assert load_runs(sweeps[:1], sweeps[1]).equals(frame)
    assert "sweep" not in load_runs(sweeps[:1])


@pytest.mark.parametrize(("given", "said"), [(3, "got 3"), ([3], "got 3"), ([["a"]], r"got \['a'\]")])
def test_what_is_no_path(given: Any, said: str) -> None:
    with pytest.raises(TuneError, match=rf"load_runs takes result folders of sweeps, or tune configs, {said}"):
        load_runs(given)


def test_no_path() -> None:
    given: tuple[list[str], ...]
    for given in ((), ([],)):
        with pytest.raises(TuneError, match="load_runs takes the result folder of a sweep, or several"):
            load_runs(*given)


def test_the_folder_above_sweeps(sweeps: list[str]) -> None:
    for folder in ("experiment", "experiment/tune"):
        with pytest.raises(ProjectError) as caught:
            read_sweep(folder)
        assert str(caught.value) == (
            f"{folder} is no result folder of a sweep: it has no ledger.sqlite\n  sweeps below it: {', '.join(sweeps)}"
        )
    with pytest.raises(ProjectError, match="name the tune config, or the folder that its runner has named"):
        read_sweep("configs")


def test_what_is_not_there(sweeps: list[str]) -> None:
    with pytest.raises(ProjectError) as caught:
        load_runs("experiment/tune/frist")
    assert str(caught.value) == (
        "experiment/tune/frist does not exist\n  name the tune config, or the folder that its runner has named"
    )


def test_a_folder_is_named_once(tune: WriteTune, project: Path) -> None:
    path = tune("cfg = Cfg2Tune()\ncfg.a = Param2Tune([1, 2])\n")
    (project / "pyproject.toml").write_text("[tool.typedcat]\nexperiments_root = './experiment'\n", encoding="utf-8")
    with pytest.raises(ProjectError) as caught:
        read_sweep(path)
    assert str(caught.value) == (
        f"{path} has not been run: there is no ledger.sqlite in experiment/tune/grid\n  name its result folder"
    )
