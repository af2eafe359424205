"""The runner: what runs get, what happens when they fail, and the table at the end."""

from __future__ import annotations

import ctypes
import json
import math
import os
import pickle
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.tune.conftest import WriteTune
from tests.tune.waiting import ended, wait_for
from typedcat import Cfg2TuneRunner, Config, load_config
from typedcat.errors import TuneError

GRID = """
cfg = Cfg2Tune(caps='configs/base/cfg.py')
cfg.loader.ini.batch_size = Param2Tune([128, 256, 512])
cfg.sched.epochs = Param2Tune([5, 15])
"""
POINTS = [(128, 5), (128, 15), (256, 5), (256, 15), (512, 5), (512, 15)]
SMALL = """
cfg = Cfg2Tune()
cfg.a = Param2Tune([0, 1, 2])
"""
TABLE = Path("experiment/tune/grid/metric_frame.xlsx")

both_engines = pytest.mark.parametrize("pool_size", [0, 2])


def work_on(cfg: Config, run_rslt: Any) -> dict[str, Any]:
    return {"acc": cfg.sched.epochs / 10, "samples": cfg.loader.ini.batch_size}


def tuned(
    path: str, work: Any, gather: Any = lambda cfg, folder, result, comb: result, rerun: str = "", **options: Any
) -> Cfg2TuneRunner:
    """A runner after `tuning()`."""
    runner = Cfg2TuneRunner(path, work_fn=work, gather_metric_fn=gather, **options)
    runner.tuning(rerun=rerun)
    return runner


def frame_of(runner: Cfg2TuneRunner) -> pd.DataFrame:
    assert runner.metric_frame is not None
    return runner.metric_frame


def spans_of(runner: Cfg2TuneRunner) -> list[tuple[float, float]]:
    frame = frame_of(runner)
    return list(zip(frame["start"], frame["end"], strict=True))


# -- the main job


@pytest.mark.slow
@both_engines
def test_what_runs_get_and_what_comes_out(
    tune: WriteTune, pool_size: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_USER", "1")
    runner = Cfg2TuneRunner(tune(GRID), config_root="configs", experiment_root="results", pool_size=pool_size)
    parent = os.getpid()

    @runner.register_work_fn
    def work(pkl_idx: int, cfg: Config, cfg_pkl: str, cfg_rslt_dir: str, cuda_env: dict[str, str]) -> dict[str, Any]:
        assert cfg.is_frozen
        assert cfg.opt.ini.lr == cfg.loader.ini.batch_size / 128 * 0.01
        assert cfg.rslt_dir == cfg_rslt_dir
        assert os.path.isdir(cfg_rslt_dir)
        assert load_config(cfg_pkl) == cfg
        assert cuda_env == dict(os.environ)
        with open(f"{cfg_rslt_dir}/eval.json", "w", encoding="utf-8") as file:
            json.dump({"acc": pkl_idx / 10}, file)
        return {"pid": os.getpid(), "of_the_user": cuda_env["OF_THE_USER"], "argv": sys.argv}

    results = []

    @runner.register_gather_metric_fn
    def gather(
        cfg: Config, cfg_rslt_dir: str, run_rslt: Any, param_comb: dict[str, tuple[Any, Any]]
    ) -> dict[str, float]:
        results.append(run_rslt)
        assert param_comb["epochs"] == (cfg.sched.epochs, str(cfg.sched.epochs))
        assert cfg.opt.ini.lr > 0
        metrics: dict[str, float] = json.loads(Path(cfg_rslt_dir, "eval.json").read_text(encoding="utf-8"))
        return metrics

    frame = runner.tuning()
    assert runner.failures == {}
    assert list(frame.index) == POINTS
    assert list(frame.index.names) == ["batch_size", "epochs"]
    assert frame["acc"].tolist() == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert {result["of_the_user"] for result in results} == {"1"}
    assert all(result["argv"] == sys.argv for result in results)
    assert all(result["pid"] != parent for result in results)
    assert Path("configs/tune/grid/batch_size=512,epochs=15/cfg.pkl").is_file()
    assert [len(runner.cfg_pkls), len(runner.param_combs), len(runner.cfgs)] == [6, 6, 6]
    out = capsys.readouterr().out
    assert out.splitlines()[:4] == [
        "Metric Frame:",
        "                   acc",
        "batch_size epochs     ",
        "128        5       0.0",
    ]
    assert out.endswith("Saving Metric Frame at results/tune/grid/metric_frame.xlsx\n")
    pd.testing.assert_frame_equal(pd.read_excel("results/tune/grid/metric_frame.xlsx", index_col=[0, 1]), frame)


@pytest.mark.slow
def test_the_script_of_the_reference(tune: WriteTune, project: Path) -> None:
    tune(GRID)
    (project / "train.py").write_text(
        textwrap.dedent("""
        import argparse, json
        from typedcat import load_config
        parser = argparse.ArgumentParser()
        parser.add_argument('-c', '--config')
        args = parser.parse_args()
        cfg = load_config(args.config, experiments_root='/nowhere', config_root='configs')
        with open(f"{cfg.rslt_dir}/eval.json", 'w') as json_f:
            json.dump({'test_loss': 1 / cfg.sched.epochs, 'acc': cfg.loader.ini.batch_size}, json_f)
        """),
        encoding="utf-8",
    )
    script = """
    import argparse, json, os, subprocess, sys
    from typedcat import Config, Cfg2TuneRunner

    parser = argparse.ArgumentParser(description='Tuning AlchemyCat MNIST Example')
    parser.add_argument('-c', '--cfg2tune', type=str)
    args = parser.parse_args()

    runner = Cfg2TuneRunner(args.cfg2tune, experiment_root='experiment', pool_size=2)

    @runner.register_work_fn  # How to run config
    def work(pkl_idx: int, cfg: Config, cfg_pkl: str, cfg_rslt_dir: str, cuda_env: dict[str, str]) -> ...:
        subprocess.run([sys.executable, 'train.py', '-c', cfg_pkl], env=cuda_env)

    @runner.register_gather_metric_fn  # How to gather metric for summary
    def gather_metric(cfg: Config, cfg_rslt_dir: str, run_rslt: ..., param_comb: dict[str, tuple[..., str]]):
        return json.load(open(os.path.join(cfg_rslt_dir, 'eval.json')))

    runner.tuning()
    """
    (project / "tune_train.py").write_text(textwrap.dedent(script), encoding="utf-8")
    command = [sys.executable, "tune_train.py", "-c", "configs/tune/grid/cfg.py"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "Metric Frame:"
    assert lines[1].split() == ["test_loss", "acc"]
    assert lines[-2].split() == ["15", "0.066667", "512"]
    assert lines[-1] == f"Saving Metric Frame at {TABLE}"
    assert (
        done.stderr.count("done (") == 6
    )  # one line per run, and a work function without a guard ran in the script once
    assert list(pd.read_excel(TABLE, index_col=[0, 1]).index) == POINTS


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_any_start_method(tune: WriteTune, project: Path, method: str) -> None:
    tune(SMALL)
    script = f"""
    import multiprocessing
    multiprocessing.set_start_method({method!r})
    from typedcat import Cfg2TuneRunner
    factor = 10

    class Result:
        def __init__(self, x): self.x = x

    def helper(x): return Result(x * factor)

    runner = Cfg2TuneRunner('configs/tune/grid/cfg.py', pool_size=2)
    runner.register_work_fn(lambda i, cfg, *rest: helper(cfg.a))
    runner.register_gather_metric_fn(lambda cfg, folder, r, comb: {{'x': r.x, 'same': type(r) is Result}})
    print(runner.tuning().to_dict('list'))
    """
    (project / "script.py").write_text(textwrap.dedent(script), encoding="utf-8")
    done = subprocess.run([sys.executable, "script.py"], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines()[-1] == "{'x': [0, 10, 20], 'same': [True, True, True]}", done.stderr


@pytest.mark.slow
def test_runs_go_on_at_the_same_time(tune: WriteTune) -> None:
    def work(i: int, cfg: Any, pkl: str, folder: str, env: Any) -> dict[str, float]:
        start = time.time()
        time.sleep(1)
        return {"start": start, "end": time.time()}

    spans = spans_of(tuned(tune(SMALL), work, pool_size=3))
    assert max(start for start, _ in spans) < min(end for _, end in spans)


@pytest.mark.slow
def test_no_more_than_asked_for_at_a_time(tune: WriteTune) -> None:
    def work(i: int, cfg: Any, pkl: str, folder: str, env: Any) -> dict[str, float]:
        start = time.time()
        time.sleep(0.2)
        return {"start": start, "end": time.time()}

    spans = spans_of(tuned(tune(GRID), work, pool_size=2))
    assert all(sum(start < at < end for start, end in spans) <= 2 for at, _ in spans)


def test_the_environment_of_programs_that_a_run_starts_is_the_users(
    tune: WriteTune, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "of/the/user")

    def work(i: int, cfg: Any, pkl: str, folder: str, env: dict[str, str]) -> dict[str, str]:
        return {"path": env["PYTHONPATH"]}

    assert set(frame_of(tuned(tune(SMALL), work, pool_size=2))["path"]) == {"of/the/user"}


def test_folders(tune: WriteTune, project: Path) -> None:
    path = tune(SMALL)
    done = tuned(path, lambda *_: {"x": 1}, children="result")
    assert done.rslt_dir == "experiment/tune/grid"
    assert Path("experiment/tune/grid/a=0/cfg.pkl").is_file()
    assert os.listdir("configs/tune/grid") == ["cfg.py"]
    tuned(path, lambda *_: {"x": 1}, experiments_root="other")
    assert Path("other/tune/grid/metric_frame.xlsx").is_file()
    assert Path("configs/tune/grid/a=0/cfg.pkl").is_file()
    (project / "pyproject.toml").write_text("[tool.typedcat]\nexperiments_root = 'of_project'\n", encoding="utf-8")
    assert Cfg2TuneRunner(path).rslt_dir == "of_project/tune/grid"
    assert Cfg2TuneRunner(path, experiment_root="given").rslt_dir == "given/tune/grid"
    assert Cfg2TuneRunner(path, experiment_root="").rslt_dir == "tune/grid"


# -- runs that fail


def failing(kind: str) -> Any:
    """A work function whose run number 1 fails."""

    def work(i: int, cfg: Any, pkl: str, folder: str, env: Any) -> Any:
        if i == 1:
            if kind == "raise":
                raise ValueError("bad luck")
            if kind == "exit":
                sys.exit(3)
            if kind == "code":
                return subprocess.run([sys.executable, "-c", "import sys; sys.exit('oh no')"], capture_output=True)  # noqa: PLW1510 - as users write it
            if kind == "check":
                subprocess.run([sys.executable, "-c", "import sys; sys.exit('oh no')"], capture_output=True, check=True)
            if kind == "_exit":
                os._exit(7)
            if kind == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if kind == "segfault":
                ctypes.string_at(0)
            if kind == "unpicklable":
                return threading.Lock()
            if kind == "interrupt":
                raise KeyboardInterrupt
        return {"x": i}

    return work


@pytest.mark.parametrize(
    ("kind", "pool_size", "said"),
    [
        ("raise", 0, "ValueError: bad luck (test_runner.py:"),
        ("raise", 2, "ValueError: bad luck (test_runner.py:"),
        ("exit", 0, "SystemExit: 3"),
        ("exit", 2, "SystemExit: 3"),
        ("code", 0, "ended with exit code 1\noh no"),
        ("code", 2, "ended with exit code 1\noh no"),
        ("check", 2, "returned non-zero exit status 1"),
        ("_exit", 2, "its process ended with exit code 7"),
        ("kill", 2, "its process ended with signal SIGKILL (out of memory?)"),
        ("segfault", 2, "its process ended with signal SIGSEGV"),
        ("unpicklable", 2, "what it returned cannot be sent back: TypeError"),
        ("interrupt", 2, "KeyboardInterrupt (test_runner.py:"),
    ],
)
def test_a_run_that_fails_is_a_row(
    tune: WriteTune, capfd: pytest.CaptureFixture[str], kind: str, pool_size: int, said: str
) -> None:
    runner = tuned(tune(SMALL), failing(kind), pool_size=pool_size)
    assert runner.failures.keys() == {1}
    assert said in runner.failures[1]
    column = frame_of(runner)["x"].tolist()
    assert column[0::2] == [0, 2]
    assert math.isnan(column[1])
    out, err = capfd.readouterr()
    assert "1 of 3 runs failed:\n  a=1: " in out
    assert "a=1: failed: " in err
    assert f"Saving Metric Frame at {TABLE}" in out
    assert TABLE.is_file()


def test_what_a_dead_run_has_started_ends_with_it(tune: WriteTune, project: Path) -> None:
    def work(i: int, cfg: Any, pkl: str, folder: str, env: Any) -> dict[str, int]:
        if i == 1:
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            Path("pid").write_text(str(child.pid), encoding="utf-8")
            os._exit(1)
        return {"x": i}

    tuned(tune(SMALL), work, pool_size=1)
    assert ended(int(Path("pid").read_text(encoding="utf-8")))


@both_engines
def test_all_runs_fail(tune: WriteTune, capsys: pytest.CaptureFixture[str], pool_size: int) -> None:
    def work(*_: Any) -> None:
        raise ValueError("bad luck")

    runner = tuned(tune(SMALL), work, pool_size=pool_size)
    assert len(runner.failures) == len(frame_of(runner)) == 3
    out = capsys.readouterr().out
    assert "3 of 3 runs failed:" in out
    assert out.partition("runs failed:")[2].count("Traceback") == 1  # one mistake in all runs is told once
    assert "  a=2: ValueError: bad luck" in out
    assert "Empty DataFrame" not in out
    assert TABLE.is_file()


def test_metrics_that_cannot_be_gathered_are_a_failed_row(tune: WriteTune) -> None:
    def gather(cfg: Config, folder: str, result: Any, comb: Any) -> Any:
        return [{"x": 1.0}, None, {"x": 1 / (2 - cfg.a) if cfg.a == 2 else 0}][cfg.a]

    runner = tuned(tune(SMALL), lambda *_: None, gather)
    assert runner.failures.keys() == {1, 2}
    assert "its metrics cannot be gathered: ZeroDivisionError" in runner.failures[2]
    assert frame_of(runner)["x"].isna().tolist() == [False, True, True]


def test_gathering_that_may_not_fail_raises_when_all_is_done(
    tune: WriteTune, capsys: pytest.CaptureFixture[str]
) -> None:
    def gather(cfg: Config, folder: str, result: Any, comb: Any) -> dict[str, int]:
        return {"x": 1 // cfg.a}

    with pytest.raises(TuneError, match="not all metrics could be gathered") as caught:
        tuned(tune(SMALL), lambda *_: None, gather, allow_fail_gather=False)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert "a=0: its metrics cannot be gathered" in str(caught.value)
    assert pd.read_excel(TABLE, index_col=0)["x"].tolist()[1:] == [1, 0]
    assert "Metric Frame:" in capsys.readouterr().out


def test_metric_names_choose_and_order_the_columns(tune: WriteTune) -> None:
    def gather(cfg: Config, folder: str, result: Any, comb: Any) -> dict[str, int]:
        return {"loss": 1, "acc": 2, "other": 3} if cfg.a else {"loss": 1}

    runner = tuned(tune(SMALL), lambda *_: None, gather, metric_names=["acc", "loss"])
    assert list(frame_of(runner).columns) == ["acc", "loss"]
    assert "no 'acc'" in runner.failures[0]
    assert frame_of(runner)["loss"].isna().tolist() == [True, False, False]


def test_without_a_gather_function_there_is_no_table(tune: WriteTune, capsys: pytest.CaptureFixture[str]) -> None:
    runner = Cfg2TuneRunner(tune(SMALL))
    runner.register_work_fn(lambda *_: None)
    assert runner.tuning().shape == (3, 0)
    assert capsys.readouterr().out == ""
    assert not TABLE.exists()


@both_engines
def test_a_run_that_changes_the_working_directory_moves_nobody_else(tune: WriteTune, pool_size: int) -> None:
    def work(i: int, cfg: Any, pkl: str, folder: str, env: Any) -> dict[str, str]:
        here = os.getcwd()
        os.chdir("/")
        return {"here": here}

    assert set(frame_of(tuned(tune(SMALL), work, pool_size=pool_size))["here"]) == {os.getcwd()}


@both_engines
def test_standard_output_is_left_alone(tune: WriteTune, pool_size: int) -> None:
    before = sys.stdout, sys.stderr

    def gather(*_: Any) -> dict[str, bool]:
        return {"same": (sys.stdout, sys.stderr) == before}

    assert frame_of(tuned(tune(SMALL), lambda *_: None, gather, pool_size=pool_size))["same"].all()
    assert (sys.stdout, sys.stderr) == before


# -- before anything runs


def test_nothing_starts_when_a_child_is_wrong(tune: WriteTune) -> None:
    path = tune("""
        cfg = Cfg2Tune()
        cfg.a = Param2Tune([1, 0])
        cfg.b = DEP(lambda c: 1 // c.a)
    """)
    started = []
    with pytest.raises(TuneError) as caught:
        tuned(path, lambda *_: started.append(1))
    assert "1 of 2 children cannot be run, so nothing was started\n  a=0:" in str(caught.value)
    assert not started
    assert not Path("experiment").exists()
    assert os.listdir("configs/tune/grid") == ["cfg.py"]


def test_a_child_that_cannot_be_pickled_is_named(tune: WriteTune) -> None:
    path = tune("""
        import threading
        cfg = Cfg2Tune()
        cfg.a = Param2Tune([1, threading.Lock()])
    """)
    with pytest.raises(TuneError, match="cannot pickle the child config a=lock-"):
        tuned(path, lambda *_: None)


def test_a_work_function_that_cannot_be_sent(tune: WriteTune) -> None:
    lock = threading.Lock()
    with pytest.raises(TuneError, match="the work function cannot be sent to another process"):
        tuned(tune(SMALL), lambda *_: lock, pool_size=2)


def test_a_folder_that_cannot_be_written(tune: WriteTune, project: Path) -> None:
    path = tune(SMALL)
    (project / "configs/tune/grid/a=0").write_text("in the way", encoding="utf-8")
    with pytest.raises(TuneError, match="children='result'"):
        tuned(path, lambda *_: None)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"experiment_root": "a", "experiments_root": "b"}, "two names of one thing"),
        ({"pool_size": -1}, "pool_size must be a number, 0 or more"),
        ({"children": "there"}, "'config' or 'result'"),
        ({"work_gpu_num": 1, "pool_size": 2}, "leave pool_size out"),
        ({"work_gpu_num": 0}, "at least 1"),
    ],
)
def test_arguments_that_contradict(tune: WriteTune, options: dict[str, Any], said: str) -> None:
    with pytest.raises(TuneError, match=said):
        Cfg2TuneRunner(tune(SMALL), **options)


def test_a_runner_without_a_work_function(tune: WriteTune) -> None:
    with pytest.raises(TuneError, match=r"@runner\.register_work_fn"):
        Cfg2TuneRunner(tune(SMALL)).tuning()


# -- the end, early


INTERRUPTED = """
import os, signal, subprocess, sys, threading, time
from typedcat import Cfg2TuneRunner

runner = Cfg2TuneRunner('configs/tune/grid/cfg.py', pool_size={pool_size})

@runner.register_work_fn
def work(i, cfg, pkl, folder, env):
    if i == 1:
        child = subprocess.Popen([sys.executable, '-c', {child!r}])
        open('pid.part', 'w').write(str(child.pid))
        os.replace('pid.part', 'pid')
        child.wait()
    return {{'x': i}}

runner.register_gather_metric_fn(lambda cfg, folder, result, comb: result)
runner.tuning()
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


@pytest.mark.slow
@pytest.mark.parametrize("child", ["import time; time.sleep(600)", STUBBORN])
def test_ctrl_c_ends_what_runs_and_keeps_what_is_done(tune: WriteTune, project: Path, child: str) -> None:
    tune(SMALL)
    (project / "script.py").write_text(INTERRUPTED.format(pool_size=1, child=child), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "script.py"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_for(project / "pid")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in err
    assert "2 of 3 runs have not ended" in out
    assert pd.read_excel(TABLE, index_col=0)["x"].isna().tolist() == [False, True, True]
    assert ended(int((project / "pid").read_text(encoding="utf-8")))


def test_a_table_is_not_overwritten_by_an_empty_one(tune: WriteTune) -> None:
    path = tune(SMALL)
    tuned(path, lambda *_: {"x": 1})

    def work(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tuned(path, work, in_process=True, rerun="all")
    assert pd.read_excel(TABLE, index_col=0)["x"].tolist() == [1, 1, 1]


# -- the table


def test_cells_can_be_anything(tune: WriteTune) -> None:
    values: list[Any] = [[1, 2], "=1+1\0", float("inf")]
    runner = tuned(tune(SMALL), lambda i, *_: {"x": values[i], "n": i})
    assert frame_of(runner)["x"].tolist() == values
    assert frame_of(runner)["n"].tolist() == [0, 1, 2]
    assert pd.read_excel(TABLE, index_col=0)["x"].astype(str).tolist() == ["[1, 2]", "=1+1\ufffd", "inf"]


def test_the_table_is_readable_by_others_and_its_index_merged(tune: WriteTune) -> None:
    import openpyxl

    before = os.umask(0o022)
    try:
        tuned(tune(GRID), lambda *_: {"x": 1})
    finally:
        os.umask(before)
    assert stat.S_IMODE(TABLE.stat().st_mode) == 0o644
    assert os.listdir(TABLE.parent).count("metric_frame.xlsx") == 1
    assert not [name for name in os.listdir(TABLE.parent) if name.startswith(".")]
    sheet: Any = openpyxl.load_workbook(TABLE).active
    assert sorted(map(str, sheet.merged_cells.ranges)) == ["A2:A3", "A4:A5", "A6:A7"]


def test_labels_are_numbers_or_names(tune: WriteTune) -> None:
    path = tune("""
        cfg = Cfg2Tune()
        cfg.lr = Param2Tune([0.1, 0.01])
        cfg.opt = Param2Tune([None, 'adam'], optional_value_names=['none', 'Adam'])
    """)
    frame = frame_of(tuned(path, lambda i, *_: {"x": i}))
    assert frame.loc[(0.01, "Adam"), "x"] == 3
    assert frame.index.tolist() == [(0.1, "none"), (0.1, "Adam"), (0.01, "none"), (0.01, "Adam")]


def test_a_runner_can_tune_again(tune: WriteTune) -> None:
    runner = Cfg2TuneRunner(tune(SMALL), gather_metric_fn=lambda cfg, folder, result, comb: result)
    runner.register_work_fn(failing("raise"))
    runner.tuning()
    runner.register_work_fn(lambda i, *_: {"x": i})
    assert runner.tuning()["x"].tolist() == [0, 1, 2]
    assert runner.failures == {}


def test_silence(tune: WriteTune, capsys: pytest.CaptureFixture[str]) -> None:
    tuned(tune(SMALL), lambda *_: {"x": 1}, verbosity=False)
    assert capsys.readouterr().err == ""


def test_a_bar_on_a_terminal(tune: WriteTune, project: Path) -> None:
    import pty

    tune(SMALL)
    script = INTERRUPTED.format(pool_size=0, child="")
    (project / "script.py").write_text(script, encoding="utf-8")
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color"}
    process = subprocess.Popen(
        [sys.executable, "script.py"], stdout=subprocess.PIPE, stderr=theirs, env=environment, text=True
    )
    os.close(theirs)
    screen = bytearray()
    try:
        while data := os.read(ours, 65_536):
            screen += data
    except OSError:  # what Linux gives at the end of a terminal
        pass
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert b"3/3" in screen
    assert b"a=2: done" in screen
    assert "\x1b" not in out


def test_runner_pickles(tune: WriteTune) -> None:
    """A work function may mention its runner."""
    runner = Cfg2TuneRunner(tune(SMALL), pool_size=2, gather_metric_fn=lambda cfg, folder, result, comb: result)
    runner.register_work_fn(lambda i, *_: {"size": runner.pool_size, "points": len(runner.param_combs)})
    assert runner.tuning()["points"].tolist() == [3, 3, 3]
    assert pickle.loads(pickle.dumps(runner.cfg2tune)).rslt_dir == runner.rslt_dir


def test_a_gather_function_that_returns_no_dict(tune: WriteTune) -> None:
    runner = Cfg2TuneRunner(tune(SMALL), config_root="configs", experiment_root="experiment", verbosity=False)
    runner.register_work_fn(lambda *_: None)
    runner.register_gather_metric_fn(lambda *_: 0.5)
    runner.tuning()
    assert "returned 0.5; return a dict" in runner.failures[0]


@pytest.mark.parametrize(("work", "gather"), [(lambda cfg: None, lambda *_: {}), (lambda *_: None, lambda cfg: {})])
def test_functions_that_cannot_be_called(tune: WriteTune, work: Any, gather: Any) -> None:
    runner = Cfg2TuneRunner(tune(SMALL), config_root="configs", experiment_root="experiment", verbosity=False)
    runner.register_work_fn(work)
    runner.register_gather_metric_fn(gather)
    with pytest.raises(TuneError, match=r"function at .*test_runner.py:\d+ is called with"):
        runner.tuning()
    assert not any(map(os.path.exists, runner.cfg_pkls))
