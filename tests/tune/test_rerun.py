"""What is run again: a run's last attempt counts, folders are moved and never mixed, what is asked for goes on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.tune.conftest import WriteTune
from tests.tune.test_resume import column, gather, started, work
from typedcat import Cfg2TuneRunner, load_config, load_runs
from typedcat.errors import TuneError
from typedcat.tune.ledger.ledger import Ledger

TUNE = """
cfg = Cfg2Tune(rand_seed=7, lr=0.1)
cfg.a = Param2Tune([0, 1, 2])
"""
FOLDER = Path("experiment/tune/grid")


def tuned(path: str, rerun: str = "", work: Any = work, gather: Any = gather, **options: Any) -> Cfg2TuneRunner:
    """Runs in this process: quick, and what is tested here is the same."""
    runner = Cfg2TuneRunner(
        path, work_fn=work, gather_metric_fn=gather, in_process=True, verbosity=False, plots=False, **options
    )
    runner.tuning(rerun=rerun)
    return runner


def stopping(at: int) -> Any:
    """A work function that somebody interrupts at a run."""

    def interrupted(i: int, cfg: Any, pkl: str, folder: str, env: Any) -> Any:
        if i == at:
            raise KeyboardInterrupt
        return work(i, cfg, pkl, folder, env)

    return interrupted


@pytest.mark.slow
def test_an_interrupted_rerun_goes_on(tune: WriteTune, capsys: pytest.CaptureFixture[str]) -> None:
    path = tune(TUNE)
    tuned(path)
    started()
    with pytest.raises(KeyboardInterrupt):
        tuned(path, "all", stopping(1))
    assert started() == ["a=0"]
    assert "2 of 3 runs have not ended: the same command again goes on with them" in capsys.readouterr().out
    with pytest.raises(KeyboardInterrupt):
        tuned(path, "all", stopping(2))
    assert started() == ["a=1"]
    assert column(tuned(path, "all")) == [0.1, 1.1, 2.1]
    assert started() == ["a=2"]
    tuned(path, "all")  # it was done; so this is a new wish
    assert started() == ["a=0", "a=1", "a=2"]


def test_an_interrupted_rerun_starts_anew_with_other_code(tune: WriteTune) -> None:
    path = tune(TUNE)
    with pytest.raises(KeyboardInterrupt):
        tuned(path, "all", stopping(1))
    Path("model.py").write_text("depth = 2", encoding="utf-8")
    started()
    tuned(path, "all")
    assert started() == ["a=0", "a=1", "a=2"]


@pytest.mark.slow
def test_what_a_plain_call_does_after_an_interrupted_rerun(tune: WriteTune) -> None:
    """The run whose folder was touched is in doubt; the others keep their results."""
    path = tune(TUNE)
    tuned(path)
    with pytest.raises(KeyboardInterrupt):
        tuned(path, "all", stopping(1))
    started()
    assert column(tuned(path)) == [0.1, 1.1, 2.1]
    assert started() == ["a=1"]


@pytest.mark.slow
def test_a_rerun_that_fails_is_no_old_success(tune: WriteTune) -> None:
    path = tune(TUNE)
    tuned(path)
    Path("fail-1").touch()
    tuned(path, "all")
    started()
    assert list(tuned(path).failures) == [1]
    assert started() == ["a=1"]


@pytest.mark.slow
def test_rerun_failed_goes_on_after_an_interrupt(tune: WriteTune, capsys: pytest.CaptureFixture[str]) -> None:
    path = tune(TUNE)
    Path("fail-1").touch()
    Path("fail-2").touch()
    tuned(path)
    for file in ("fail-1", "fail-2"):
        Path(file).unlink()
    with pytest.raises(KeyboardInterrupt):
        tuned(path, "failed", stopping(1))
    started()
    tuned(tune(TUNE.replace("[0, 1, 2]", "[0, 1, 2, 3]")), "failed")
    assert started() == ["a=1", "a=2"]
    assert "1 of 4 runs are missing, which rerun='failed' leaves out" in capsys.readouterr().out


@pytest.mark.slow
def test_rerun_of_a_combination_is_of_all_its_seeds(tune: WriteTune) -> None:
    path = tune(TUNE.replace("Cfg2Tune(", "Cfg2Tune(repeats=2, "))
    tuned(path)
    started()
    tuned(path, "a=1")
    assert started() == ["a=1/seed=7", "a=1/seed=8"]
    tuned(path, "a=?/seed=8")
    assert started() == ["a=0/seed=8", "a=1/seed=8", "a=2/seed=8"]


@pytest.mark.slow
def test_a_config_that_comes_back_finds_its_own_folder(tune: WriteTune) -> None:
    tuned(tune(TUNE))
    tuned(tune(TUNE.replace("lr=0.1", "lr=0.2")))
    started()
    back = tuned(tune(TUNE))
    assert started() == []
    assert column(back) == [0.1, 1.1, 2.1]
    folders = [one.rslt_dir for one in back.results()]
    assert folders == [f"{FOLDER}/a={a}.old1" for a in range(3)]
    assert [load_config(folder, create_rslt_dir=False).lr for folder in folders] == [0.1] * 3
    assert load_runs(FOLDER)["x"].tolist() == [0.1, 1.1, 2.1]
    tuned(tune(TUNE.replace("lr=0.1", "lr=0.3")))
    assert json.loads((FOLDER / "a=1.old1/eval.json").read_text(encoding="utf-8"))["x"] == 1.1
    assert json.loads((FOLDER / "a=1.old2/eval.json").read_text(encoding="utf-8"))["x"] == 1.2


@pytest.mark.slow
def test_a_run_under_another_name_is_run_again_under_its_own(tune: WriteTune) -> None:
    tuned(tune(TUNE))
    more = tune(TUNE + "cfg.lr = Param2Tune([0.1, 0.3])\n")
    assert tuned(more).results()[0].rslt_dir == f"{FOLDER}/a=0"
    again = tuned(more, "a=0,lr=0.1")
    assert again.results()[0].rslt_dir == f"{FOLDER}/a=0,lr=0.1"
    assert (FOLDER / "a=0,lr=0.1/eval.json").exists()
    started()
    assert column(tuned(tune(TUNE))) == [0.1, 1.1, 2.1]  # and back
    assert started() == []


def test_configs_without_a_digest_are_run_again(tune: WriteTune, capsys: pytest.CaptureFixture[str]) -> None:
    """And those of one point are not taken for another's."""
    path = tune("cfg = Cfg2Tune(lr=0.1, rand_seed=0)\ncfg.odd = repr(object())\ncfg.a = Param2Tune([0, 1])\n")
    tuned(path)
    assert capsys.readouterr().out.count("runs will not be found done by the next call: ") == 1
    assert started() == ["a=0", "a=1"]
    tuned(path)
    assert started() == ["a=0", "a=1"]
    assert column(tuned(tune(Path(path).read_text(encoding="utf-8").replace("[0, 1]", "[1, 2]")))) == [1.1, 2.1]
    assert started() == ["a=1", "a=2"]


def test_results_that_were_removed_stay_done(tune: WriteTune, capsys: pytest.CaptureFixture[str]) -> None:
    path = tune(TUNE)
    tuned(path)
    started()
    shutil.rmtree(FOLDER / "a=1")
    runner = Cfg2TuneRunner(path, work_fn=work, gather_metric_fn=gather, in_process=True)
    assert runner.tuning()["x"].tolist() == [0.1, 1.1, 2.1]
    assert started() == []
    assert f"result folders of 1 of them are gone, {FOLDER}/a=1 first" in capsys.readouterr().err


def test_a_sweep_that_was_moved_goes_on(tune: WriteTune, project: Path) -> None:
    path = tune(TUNE)
    Path("fail-1").touch()
    tuned(path)
    Path("fail-1").unlink()
    started()
    os.rename("experiment", "elsewhere")
    moved = tuned(path, experiment_root=os.fspath(project / "elsewhere"))
    assert started() == [os.path.relpath(project / "elsewhere/tune/grid/a=1", FOLDER)]
    assert [one.rslt_dir for one in moved.results()] == [f"{project}/elsewhere/tune/grid/a={a}" for a in range(3)]


def test_the_output_of_an_older_attempt_is_kept_apart(tune: WriteTune) -> None:
    def speaking(i: int, cfg: Any, pkl: str, folder: str, env: Any) -> None:
        os.write(1, b"acc=0.5\n")
        raise ValueError("no")

    path = tune(TUNE.replace("[0, 1, 2]", "[0]"))
    runner = Cfg2TuneRunner(path, work_fn=speaking, pool_size=1, verbosity=False)
    runner.tuning()
    runner.register_work_fn(lambda *_: None)
    runner.register_gather_metric_fn(
        lambda cfg, folder, result, comb: {"x": Path(folder, "output.txt").read_text(encoding="utf-8")}
    )
    assert runner.tuning()["x"].tolist() == [""]
    assert (FOLDER / "a=0/output.txt.old1").read_text(encoding="utf-8").startswith("acc=0.5\n")


def test_old_metrics_read_in_a_thread(tune: WriteTune) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def threaded(cfg: Any, folder: str, result: Any, comb: Any) -> Any:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(gather, cfg, folder, result, comb).result()

    path = tune(TUNE)
    tuned(path)
    assert len(tuned(path, "all", lambda *_: None, threaded).failures) == 3


def test_a_summary_that_cannot_be_made_ends_nothing(
    tune: WriteTune, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from typedcat.tune import ending, session

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("strange metrics")

    monkeypatch.setattr(ending, "write_summary", broken)
    monkeypatch.setattr(session, "_SUMMARY_S", 0.0)
    runner = Cfg2TuneRunner(tune(TUNE), work_fn=work, gather_metric_fn=gather, in_process=True)
    assert runner.tuning()["x"].tolist() == [0.1, 1.1, 2.1]
    out, err = capsys.readouterr()
    assert "cannot make a summary of these metrics: RuntimeError: strange metrics" in out
    assert "the tables cannot be written now: RuntimeError: strange metrics" in err


def test_tables_are_there_while_the_sweep_goes_on(tune: WriteTune, monkeypatch: pytest.MonkeyPatch) -> None:
    from typedcat.tune import session

    monkeypatch.setattr(session, "_SUMMARY_S", 0.0)

    def watching(i: int, cfg: Any, pkl: str, folder: str, env: Any) -> Any:
        assert i == 0 or (FOLDER / "metric_frame.csv").exists()
        return work(i, cfg, pkl, folder, env)

    assert tuned(tune(TUNE), work=watching).failures == {}


def test_clocks_that_jump(tune: WriteTune, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    times = iter([1e9, -5.0, 2e9, 0.0] * 1000)
    monkeypatch.setattr(time, "time", lambda: next(times))
    path = tune(TUNE)
    tuned(path)
    started()
    assert column(tuned(path)) == [0.1, 1.1, 2.1]
    assert started() == []
    assert load_runs(FOLDER)["state"].tolist() == ["done"] * 3


def test_handlers_of_signals_are_put_back(tune: WriteTune) -> None:
    def mine(*_: Any) -> None: ...

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    signal.signal(signal.SIGTERM, mine)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    seen = []

    def gathering(*_: Any) -> dict[str, int]:
        seen.append(signal.getsignal(signal.SIGHUP))
        return {}

    try:
        Cfg2TuneRunner(tune(TUNE), work_fn=lambda *_: 1, gather_metric_fn=gathering, verbosity=False).tuning()
        assert signal.getsignal(signal.SIGTERM) is mine
        assert set(seen) == {signal.SIG_IGN}
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.slow
def test_nothing_is_left_of_a_call(tune: WriteTune) -> None:
    """Descriptors and threads."""
    import threading

    path = tune(TUNE)
    tuned(path)
    before = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(3):
        Cfg2TuneRunner(path, work_fn=lambda *_: 1, pool_size=1, verbosity=False, plots=False).tuning(rerun="all")
    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == before
    with Ledger(FOLDER) as ledger:
        assert len(ledger.attempts()) == 12


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"timeout_s": 0.0}, "more than 0"),
        ({"grace_s": -1.0}, "0 or more"),
        ({"timeout_s": "2h"}, "number of seconds"),
        ({"pool_size": "2"}, "0 or more"),
        ({"max_retries": -1}, "0 or more"),
    ],
)
def test_numbers_that_make_no_sense(tune: WriteTune, options: dict[str, Any], said: str) -> None:
    with pytest.raises(TuneError, match=said):
        Cfg2TuneRunner(tune(TUNE), **options)


def test_a_tune_config_without_a_file(project: Path) -> None:
    from typedcat import Cfg2Tune, Param2Tune

    cfg = Cfg2Tune(lr=0.1, rand_seed=0, rslt_dir="results")
    cfg.a = Param2Tune([0, 1])
    runner = Cfg2TuneRunner(cfg, work_fn=work, gather_metric_fn=gather, in_process=True, verbosity=False)
    assert runner.tuning()["x"].tolist() == [0.1, 1.1]
    assert Path("results/a=0/cfg.pkl").exists()


def test_a_tune_config_outside_of_the_config_root(tune: WriteTune, project: Path) -> None:
    tune(TUNE)
    shutil.move(project / "configs/tune/grid", project / "other")
    with pytest.raises(TuneError, match=r"other/cfg.py lies outside of the config root.*\n  pass config_root="):
        Cfg2TuneRunner("other/cfg.py")
    assert len(Cfg2TuneRunner("other/cfg.py", config_root=".").points) == 3


# -- metrics that are gathered once more


def more(cfg: Any, folder: str, result: Any, comb: Any) -> dict[str, Any]:
    return {"x": json.loads((Path(folder) / "eval.json").read_text())["x"], "more": {"a": cfg.a, "folder": folder}}


def test_metrics_are_gathered_again_without_a_run(tune: WriteTune, capsys: pytest.CaptureFixture[str]) -> None:
    path = tune(TUNE)
    tuned(path)
    started()
    runner = tuned(path, "gather", gather=more)
    assert runner.metric_frame is not None
    assert runner.metric_frame["more.a"].tolist() == [0, 1, 2]
    assert started() == []
    assert load_runs(FOLDER)["more.a"].tolist() == [0, 1, 2]
    shutil.rmtree(FOLDER / "a=1")
    (FOLDER / "a=2/eval.json").unlink()
    again = Cfg2TuneRunner(path, work_fn=work, gather_metric_fn=more, in_process=True, plots=False)
    assert again.tuning(rerun="gather")["more.a"].tolist() == [0, 1, 2]
    err = capsys.readouterr().err
    assert "a=1: its result folder is gone, its metrics stay as they are" in err
    assert "a=2: its metrics stay as they are: FileNotFoundError" in err


def test_runs_that_failed_for_their_metrics_only(tune: WriteTune) -> None:
    def broken(cfg: Any, folder: str, result: Any, comb: Any) -> dict[str, Any]:
        raise KeyError("accuracy")

    path = tune(TUNE)
    assert len(tuned(path, gather=broken).failures) == 3
    started()
    assert tuned(path, "gather", gather=more).failures == {}
    assert started() == []
    assert tuned(path, gather=more).failures == {}
    assert started() == []


def test_the_cheap_way_to_missing_metrics_is_named(tune: WriteTune, capsys: pytest.CaptureFixture[str]) -> None:
    """A researcher who has forgotten a `return` must not train everything again."""
    way = "rerun='gather' (--rerun gather) reads them from the result folders, and runs nothing"
    path = tune(TUNE)
    tuned(path, gather=lambda *_: None)
    said = f"3 of them failed when their metrics were gathered: if only that was wrong, {way}\n"
    assert said in capsys.readouterr().out
    tuned(path, "all", work=lambda *_: 1 / 0)
    assert "rerun='gather'" not in capsys.readouterr().out


@pytest.mark.slow
def test_a_command_that_fails_unseen(tune: WriteTune) -> None:
    """As in AlchemyCat's examples, which do not look at what a command has returned."""

    def command(*_: Any) -> None:
        subprocess.run([sys.executable, "-c", "raise RuntimeError('CUDA out of memory')"], check=False)

    runner = Cfg2TuneRunner(
        tune(TUNE), work_fn=command, gather_metric_fn=gather, pool_size=1, verbosity=False, plots=False
    )
    runner.tuning()
    first, hint, *output = runner.failures[0].splitlines()
    assert first.startswith("its metrics cannot be gathered: FileNotFoundError: ")
    assert hint == "  a command in the work function fails the run if it is returned, or run with check=True"
    assert output[-1] == "RuntimeError: CUDA out of memory"


def test_runs_that_are_done_without_metrics(tune: WriteTune, capsys: pytest.CaptureFixture[str]) -> None:
    path = tune(TUNE)
    tuned(path, gather=None)
    for rerun, count in (("", 1), ("gather", 1), ("", 0)):
        capsys.readouterr()
        Cfg2TuneRunner(path, work_fn=work, gather_metric_fn=gather, in_process=True, plots=False).tuning(rerun=rerun)
        assert capsys.readouterr().err.count("3 of them have no metrics: rerun='gather' (--rerun gather)") == count


def test_code_is_judged_by_the_project_of_the_config(
    tune: WriteTune, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "pyproject.toml").write_text("[tool.typedcat]\nexperiments_root = 'out'\n", encoding="utf-8")
    path = project / tune(TUNE)
    (project / "train.py").write_text("lr = 0.1\n", encoding="utf-8")
    tuned(str(path))
    (project / "elsewhere").mkdir()
    monkeypatch.chdir(project.parent)
    runner = Cfg2TuneRunner(str(path), work_fn=work, gather_metric_fn=gather, in_process=True)
    assert [(run.state, run.other_code) for run in runner.preview()] == [("done", False)] * 3
    (project / "train.py").write_text("lr = 0.2\n", encoding="utf-8")
    assert [(run.state, run.other_code) for run in runner.preview()] == [("done", True)] * 3
    runner.tuning()
    assert "3 of 3 results are of other code: rerun='stale' (--rerun stale) runs them again" in capsys.readouterr().out


def test_the_result_of_another_config_is_not_gathered(tune: WriteTune) -> None:
    def broken(cfg: Any, folder: str, result: Any, comb: Any) -> dict[str, Any]:
        raise KeyError("accuracy")

    tuned(tune(TUNE), gather=broken)
    runner = tuned(tune(TUNE.replace("lr=0.1", "lr=0.2")), "gather", gather=more)
    assert [run.state for run in runner.runs] == ["left"] * 3


def test_gathering_again_makes_no_old_file_new(tune: WriteTune) -> None:
    """A run that has written no metrics has failed, whatever an attempt before it has left."""
    path = tune(TUNE)
    tuned(path)
    assert len(tuned(path, "all", work=lambda *_: None).failures) == 3
    assert len(tuned(path, "gather").failures) == 3


# -- what is said


def test_what_has_changed_and_what_is_there_twice(tune: WriteTune, capsys: pytest.CaptureFixture[str]) -> None:
    tuned(tune(TUNE))
    path = tune(TUNE.replace("lr=0.1", "lr=0.2").replace("[0, 1, 2]", "[0, 1, 1]"))
    Cfg2TuneRunner(path, work_fn=work, gather_metric_fn=gather, in_process=True, plots=False).tuning()
    err = capsys.readouterr().err
    assert "1 of 3 runs have the config of another one: is a value there twice?" in err
    assert "2 runs have changed since they were run, a=0 first; old folders are kept" in err


def test_another_system_than_linux(tune: WriteTune, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create")
    runner = Cfg2TuneRunner(tune(TUNE), work_fn=work, gather_metric_fn=gather, pool_size=1, verbosity=False)
    with pytest.raises(TuneError, match=r"need Linux\n  in_process=True runs them in this one"):
        runner.tuning()


def test_the_line_that_misuses_a_config_is_named(tune: WriteTune) -> None:
    def misuse(i: int, cfg: Any, pkl: str, folder: str, env: Any) -> Any:
        cfg.lr = 0.2

    line = misuse.__code__.co_firstlineno + 1
    failures = tuned(tune(TUNE), work=misuse).failures
    assert failures[0].startswith(f"lr: cannot set it to 0.2, the config is frozen (test_rerun.py:{line})")


def test_a_metric_in_a_mapping_is_wanted_by_its_path(tune: WriteTune) -> None:
    def nested(cfg: Any, cfg_rslt_dir: str, run_rslt: Any, param_comb: Any) -> Any:
        return {"val": {"acc": cfg.a, "loss": 0.5}}

    frame = tuned(tune(TUNE), gather=nested, metric_names=["val.acc"]).metric_frame
    assert frame is not None and list(frame.columns) == ["val.acc"]
    assert list(frame["val.acc"]) == [0, 1, 2]
    failures = tuned(tune(TUNE), "all", gather=nested, metric_names=["val"]).failures
    assert "the gather function gave no 'val', but val.acc, val.loss" in str(failures)
