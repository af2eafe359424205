"""Grids and the runner, through public names."""

from __future__ import annotations

import itertools
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from typedcat import DEP, P_DEP, Cfg2Tune, Cfg2TuneRunner, Config, Param2Tune, TypedcatError, load_config


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "configs" / "t"
    folder.mkdir(parents=True)
    (folder / "cfg.py").write_text(
        "from typedcat import Cfg2Tune, DEP, Param2Tune\n"
        "cfg = Cfg2Tune(lr=0.1)\n"
        "cfg.a = Param2Tune([1, 2, 3])\n"
        "cfg.sub.b = Param2Tune(['x', 'y'])\n"
        "cfg.c = DEP(lambda c: c.a * 10)\n"
    )
    return "configs/t/cfg.py"


def grid(**params: Any) -> Any:
    return Cfg2Tune(params, rslt_dir="r")


def test_the_last_parameter_varies_fastest() -> None:
    cfg = grid(a=Param2Tune([1, 2]), b=Param2Tune([None, "", [1] * 100]), c=Param2Tune([True, False]))
    points = [(c.a, c.b, c.c) for c in cfg.get_cfgs()]
    assert points == list(itertools.product([1, 2], [None, "", [1] * 100], [True, False]))
    assert len({c.rslt_dir for c in cfg.get_cfgs()}) == len(points)


def test_priority_names_and_constraints() -> None:
    cfg = grid(lr=1)
    cfg.bs = Param2Tune([128, 256, 512], optional_value_names=["1xbs", "2xbs", "4xbs"], priority=1)
    cfg.epochs = Param2Tune([5, 15], priority=0)
    names = [",".join(f"{key}={name}" for key, (_, name) in comb.items()) for comb in cfg.param_combs]
    assert names[:3] == ["epochs=5,bs=1xbs", "epochs=5,bs=2xbs", "epochs=5,bs=4xbs"]
    cfg = grid(bs=Param2Tune([128, 256, 512]))
    cfg.epochs = Param2Tune([5, 15], subject_to=lambda v, c: v * c.bs <= 15 * 128)
    assert [(c.bs, c.epochs) for c in cfg.get_cfgs()] == [(128, 5), (128, 15), (256, 5)]
    cfg.epochs = Param2Tune([5, 15], subject_to=lambda v: v * cfg.bs.cur_val <= 15 * 128)
    assert [(c.bs, c.epochs) for c in cfg.get_cfgs()] == [(128, 5), (128, 15), (256, 5)]


def test_a_constraint_on_a_later_parameter() -> None:
    cfg = grid()
    cfg.a = Param2Tune([1], subject_to=lambda v: cfg.b.cur_val > 0)
    cfg.b = Param2Tune([1])
    with pytest.raises(RuntimeError, match="Check if the former param call later param"):
        list(cfg.get_cfgs())


def test_no_parameter() -> None:
    with pytest.raises(RuntimeError, match="must have more than 1 Param2Tune"):
        list(grid(a=1).get_cfgs())


def test_param_dependencies_and_others() -> None:
    cfg = grid(a=Param2Tune([1, 2]))
    cfg.p = P_DEP(lambda c: c.a + 10)
    cfg.d = DEP(lambda c: c.p + 100)
    children = list(cfg.get_cfgs())
    assert [c.p for c in children] == [11, 12]
    assert [load_config(c, create_rslt_dir=False).d for c in children] == [111, 112]
    assert all(type(c) is Config for c in children)


@pytest.mark.slow
@pytest.mark.parametrize("pool_size", [0, 2])
def test_a_failing_run_is_a_row(config: str, pool_size: int) -> None:
    runner = Cfg2TuneRunner(config, experiment_root="experiment", pool_size=pool_size)
    signals = pool_size > 0

    @runner.register_work_fn
    def work(pkl_idx: int, cfg: Any, cfg_pkl: str, cfg_rslt_dir: str, cuda_env: dict[str, str]) -> int:
        assert cfg.is_frozen and os.path.isdir(cfg_rslt_dir) and "PATH" in cuda_env
        if pkl_idx == 1:
            raise ValueError("no luck")
        if pkl_idx == 2 and signals:
            os.kill(os.getpid(), signal.SIGSEGV)
        return int(cfg.c)

    @runner.register_gather_metric_fn
    def gather(cfg: Any, cfg_rslt_dir: str, run_rslt: int, param_comb: dict[str, Any]) -> dict[str, float]:
        return {"m": run_rslt}

    frame = runner.tuning()
    assert list(frame.index.names) == ["a", "b"]
    assert frame.loc[(1, "x"), "m"] == 10
    assert frame.loc[(3, "y"), "m"] == 30
    assert "no luck" in runner.failures[1]
    assert sorted(runner.failures) == ([1, 2] if signals else [1])
    if signals:
        assert "SIGSEGV" in runner.failures[2]
    assert Path("experiment/t/metric_frame.xlsx").is_file()
    child = load_config("configs/t/a=1,b=x/cfg.pkl", create_rslt_dir=False)
    assert child.rslt_dir == "experiment/t/a=1,b=x"


def test_nothing_starts_when_a_child_is_wrong(config: str) -> None:
    Path(config).write_text(Path(config).read_text() + "cfg.c = DEP(lambda c: 1 / (c.a - 2))\n")
    runner = Cfg2TuneRunner(config, experiment_root="experiment", work_fn=lambda *args: pytest.fail("it ran"))
    with pytest.raises(TypedcatError, match="2 of 6 children cannot be run"):
        runner.tuning()
    assert not Path("experiment").exists()
