"""`typedcat tune`, `runs` and `best`: a sweep without code of one's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.cli.conftest import Run, write
from typedcat import load_runs
from typedcat.cli.runs import sweep_page
from typedcat.tune.ledger.history import Sweep
from typedcat.tune.ledger.results import Result

TRAIN = """\
import argparse, json, sys
from typedcat import load_config

parser = argparse.ArgumentParser()
parser.add_argument("-c", "--config")
parser.add_argument("--amp", action="store_true")
args = parser.parse_args()
cfg = load_config(args.config)
print("training with", cfg.lr)
if cfg.lr > 1:
    sys.exit("lr is too large")
with open(f"{cfg.rslt_dir}/eval.json", "w") as file:
    json.dump({"acc": 1 - cfg.lr, "amp": args.amp}, file)
"""
FILES: dict[str, str | bytes] = {
    "train.py": TRAIN,
    "configs/base/cfg.py": "from typedcat import Config\ncfg = Config(lr=0.5, opt=Config(name='sgd'))\n",
    "configs/tune/lr/cfg.py": (
        "from typedcat import Cfg2Tune, Param2Tune\ncfg = Cfg2Tune(caps='configs/base/cfg.py')\n"
        "cfg.lr = Param2Tune([0.5, 0.25, 2])\n"
    ),
}
TUNE = ("tune", "configs/tune/lr/cfg.py", "--script", "train.py", "--metrics", "eval.json")


@pytest.fixture(autouse=True)
def files(project: Path) -> None:
    write(project, FILES)


@pytest.mark.slow
def test_a_sweep(run: Run) -> None:
    dry = run(*TUNE, "--dry-run")
    assert dry.out == "lr=0.5  to be run\nlr=0.25  to be run\nlr=2  to be run\n3 runs, 3 to be run\n"
    assert not Path("experiment").exists()
    done = run(*TUNE, "--workers", "2", "--better", "acc:max", "--", "--amp")
    assert done.code == 1  # one has failed
    assert "0.25  0.75*  True\n" in done.out
    assert "lr=2: 'train.py -c CHILD --amp' ended with exit code 1\n" in done.out
    assert "    training with 2\n    lr is too large\n" in done.out
    assert "training with 2" in Path("experiment/tune/lr/lr=2/output.txt").read_text(encoding="utf-8")
    assert (Path("experiment/tune/lr/report.html")).exists()
    dry = run(*TUNE, "--dry-run")
    assert dry.out == "lr=0.5  done\nlr=0.25  done\nlr=2  failed before\n3 runs, 1 to be run\n"
    runs = run("runs", "configs/tune/lr/cfg.py")
    assert "3 runs: 2 done, 1 failed\n" in runs.out
    assert runs.out.splitlines()[0].split() == ["run", "state", "time", "where", "acc", "amp"]
    assert "lr is too large" in runs.out
    assert run("runs", "experiment/tune/lr").out == runs.out
    best = run("best", "experiment/tune/lr", "acc")
    assert best.out.startswith("# lr=0.25: acc = 0.75, the maximum of experiment/tune/lr\ncfg = Config()\n")
    assert "cfg.lr = 0.25" in best.out
    assert run("best", "experiment/tune/lr", "acc:min", "--folder").out == "experiment/tune/lr/lr=0.5\n"
    assert run("best", "experiment/tune/lr").out == best.out  # acc is what the sweep says is better
    missing = run("best", "experiment/tune/lr", "loss")
    assert missing.code == 2
    assert "no run in experiment/tune/lr has a number for the metric 'loss'\n  it has acc, amp\n" in missing.err
    Path("pyproject.toml").write_text("[tool.typedcat]\nexperiments_root = 'experiment'\n", encoding="utf-8")
    os.chdir("configs")  # paths count from the root of the project too, as everywhere
    for tune in ("configs/tune/lr/cfg.py", "tune/lr/cfg.py", "experiment/tune/lr", "../experiment/tune/lr"):
        assert "3 runs: 2 done, 1 failed\n" in run("runs", tune).out
    os.chdir("..")
    frame = load_runs("experiment/tune/lr")
    assert frame["state"].tolist() == ["done", "done", "failed"]
    assert frame["lr"].tolist() == [0.5, 0.25, 2]
    assert pd.isna(frame["acc"].tolist()[2])


@pytest.mark.slow
def test_any_config_can_be_tuned(run: Run) -> None:
    answer = run(
        "tune", "configs/base/cfg.py", "-p", "lr=0.5,0.125", "-o", "opt.name=adam", "--script", "train.py",
        "--metrics", "eval.json", "--repeats", "1",
    )  # fmt: skip
    assert answer.code == 2
    assert "needs a first seed, but rand_seed is not in the config" in answer.err
    for tune in (("configs/base/cfg.py", "-p", "lr=0.5"), ("configs/tune/lr/cfg.py",)):
        seeded = run("tune", *tune, "--repeats", "2", "--seed-key", "opt.seed", "-o", "+opt.seed=3", "--dry-run")
        assert seeded.out.startswith("lr=0.5/seed=3  to be run\nlr=0.5/seed=4  to be run\n")
    assert (
        run("tune", "configs/base/cfg.py", "-p", "lr=0.5", "--dry-run").out == "lr=0.5  to be run\n1 run, 1 to be run\n"
    )
    answer = run(
        "tune", "configs/base/cfg.py", "-p", "lr=0.5,0.125", "-o", "opt.name=adam", "--script", "train.py",
        "--metrics", "eval.json",
    )  # fmt: skip
    assert answer.code == 0, answer.err
    assert "training with 0.125\n" in answer.out  # one after the other, so the output is shown
    folder = "experiment/base,tune=lr,opt.name=adam"
    assert f"Saving Metric Frame at {folder}/metric_frame.xlsx\n" in answer.out
    assert "cfg.opt.name = 'adam'" in run("best", folder, "acc").out
    nameless = run("best", folder)
    assert nameless.code == 2
    assert nameless.err == (
        f"error: which metric? {folder} does not say what is better\n  name one: typedcat best {folder} acc, or amp\n"
    )
    assert sorted(path.name for path in Path("configs/base").iterdir()) in (["cfg.py"], ["__pycache__", "cfg.py"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (TUNE[:2], "no script to run: --script train.py"),
        ((*TUNE, "--timeout", "soon"), "'soon' is no time: write 90s, 30m, 2h or 1d"),
        ((*TUNE, "--better", "acc"), "--better acc: write METRIC:max or METRIC:min"),
        ((*TUNE, "--better", "acc:high"), "better['acc'] is 'max' or 'min', got 'high'"),
        (("tune", "configs/base/cfg.py", "--script", "train.py"), "configs/base/cfg.py is no tune config"),
        ((*TUNE, "-p", "lrr=1,2"), "error: -p 'lrr=1,2': there is no key 'lrr'\n  did you mean 'lr'?"),
        (("tune", "configs/base/cfg.py", "-p", "opt=1,2"), "-p 'opt=1,2': 1 would replace 'opt' and all"),
        (("tune", "configs/base/cfg.py", "-p", "lr=0.01;0.02"), "'0.01;0.02' would be text, where 0.5 stands"),
        ((*TUNE, "-p", "lr=1,2", "-o", "lr=3"), "override 'lr=3': replaces lr, which -p lr=1,2 tunes"),
        ((*TUNE, "-p", "opt.name=a,b", "-o", "opt={name: c}"), "replaces opt.name, which -p opt.name=a,b tunes"),
        ((*TUNE[:2], "--script", "trai.py"), "there is no script trai.py in "),
        ((*TUNE, "--timeout", "2", "h"), "unrecognized arguments: h; what the script is to get stands after --"),
        ((*TUNE, "-p", "lr=1,", "2", "--", "--amp"), "unrecognized arguments: 2; what the script is to get stands"),
        (("runs", "configs"), "configs is no result folder of a sweep: it has no ledger.sqlite"),
        (
            ("runs", "configs/tune/lrr/cfg.py"),
            "no such config file\n  looked for configs/tune/lrr/cfg.py in <project>\n  did you mean",
        ),
        (("best", "configs/tun/lr/cfg.py", "acc"), "did you mean 'configs/tune/lr/cfg.py'?"),
        (("runs", "configs/tune/lr/cfg.py"), "configs/tune/lr/cfg.py has not been run: there is no ledger.sqlite in"),
    ],
)
def test_mistakes(run: Run, arguments: tuple[str, ...], said: str) -> None:
    answer = run(*arguments)
    assert answer.code == 2
    assert said in answer.err.replace(os.getcwd(), "<project>")
    assert not Path("experiment").exists()


def test_warnings_before_the_start(run: Run, project: Path) -> None:
    write(project, {
        "configs/base/cfg.py": "from typedcat import Config\ncfg = Config(epochs=1)\n",
        "configs/tune/lr/cfg.py": (
            "from typedcat import Cfg2Tune, Param2Tune\ncfg = Cfg2Tune(caps='configs/base/cfg.py')\n"
            "cfg.epoch = Param2Tune([1, 2])\n"
        ),
    })  # fmt: skip
    answer = run(*TUNE, "--dry-run")
    assert answer.code == 0
    assert answer.err == (
        "configs/tune/lr/cfg.py:3: warning: epoch: no base has this key; did you mean 'epochs' "
        "(set at configs/base/cfg.py:2)? [near-miss]\n"
    )
    file = project / "configs/tune/lr/cfg.py"
    file.write_text(file.read_text(encoding="utf-8").strip() + "  # typedcat: ignore[near-miss]\n", encoding="utf-8")
    assert run(*TUNE, "--dry-run").err == ""
    write(project, {"train.py": ""})
    answer = run(*TUNE[:4])
    assert "without --metrics FILE no metrics are read" in answer.err
    assert run("best", TUNE[1]).err == "error: which run is the best? experiment/tune/lr has no metrics\n"


@pytest.mark.slow
def test_why_a_run_is_to_be_run(run: Run, project: Path) -> None:
    assert run(*TUNE, "--workers", "2").code == 1
    assert run(*TUNE, "--dry-run", "--rerun", "all").out == (
        "lr=0.5  to be run again\nlr=0.25  to be run again\nlr=2  failed before\n3 runs, 3 to be run\n"
    )
    write(project, {"train.py": TRAIN + "# more\n"})
    assert run(*TUNE, "--dry-run").out.startswith("lr=0.5  done, by other code\n")
    write(project, {"configs/base/cfg.py": "from typedcat import Config\ncfg = Config(lr=0.5, opt=None)\n"})
    assert run(*TUNE, "--dry-run").out == "".join([
        *(f"lr={lr}  to be run, as its config has changed\n" for lr in ("0.5", "0.25", "2")), "3 runs, 3 to be run\n",
    ])  # fmt: skip


@pytest.mark.slow
def test_the_best_of_repeated_runs_is_the_best_on_average(run: Run, project: Path) -> None:
    table = {(0.5, 0): 0.9, (0.5, 1): 0.1, (0.25, 0): 0.6, (0.25, 1): 0.7}
    train = TRAIN.replace("1 - cfg.lr", f"{table}[cfg.lr, cfg.seed]").replace('"amp"', '"more": {"a": [1]}, "amp"')
    write(project, {
        "train.py": train, "configs/base/cfg.py": "from typedcat import Config\ncfg = Config(lr=0.5, seed=0)\n",
    })  # fmt: skip
    tune = ("tune", "configs/base/cfg.py", "-p", "lr=0.5,0.25", "--repeats", "2", "--seed-key", "seed")
    assert run(*tune, "--script", "train.py", "--metrics", "eval.json", "--workers", "2").code == 0
    folder = "experiment/base,tune=lr"
    best = run("best", folder, "acc").out
    assert best.startswith(
        f"# lr=0.25: mean acc = 0.65, the maximum of {folder}\n# of its runs the best, seed=1: acc = 0.7\ncfg = "
    )
    assert run("best", folder, "acc:min", "--folder").out == f"{folder}/lr=0.5/seed=1\n"
    shutil.rmtree(f"{folder}/lr=0.25/seed=1")
    gone = f"lr=0.25/seed=1 is the best, but its result folder {folder}/lr=0.25/seed=1 is gone"
    way = "rerun='lr=0.25/seed=1' (--rerun lr=0.25/seed=1) runs it again"
    assert run("best", folder, "acc").err == f"error: {gone}\n  {way}\n"
    assert run("runs", folder).out.splitlines()[0].split() == ["run", "state", "time", "where", "acc", "more.a", "amp"]


def test_of_many_runs_a_terminal_shows_those_that_matter() -> None:
    def result(i: int, state: Any, **more: Any) -> Result:
        return Result((i,), f"a={i}", state=state, started=float(i), **more)

    results = [result(i, "done", metrics={"acc": 0.5}) for i in range(1000)]
    results[3] = result(3, "running", host="here")
    results[7] = result(7, "failed", error="ValueError: \x1b[31mbad\n  its output")
    results[998] = replace(results[998], metrics={"acc": "\x1b[2J"})
    text = str(sweep_page(Sweep("f", {}, results), 10))
    assert [line.split()[0] for line in text.splitlines()[1:-1]] == [
        "a=3",
        "a=7",
        "ValueError:",
        "a=996",
        "a=997",
        "a=998",
        "a=999",
    ]
    assert text.endswith("\n1,000 runs: 998 done, 1 failed, 1 running; 994 of them are not shown\n")
    assert "\x1b[2J" not in text and "\\x1b[2J" in text
    assert len(str(sweep_page(Sweep("f", {}, results))).splitlines()) == 1004


@pytest.mark.slow
def test_a_sweep_is_watched_from_another_terminal(run: Run, project: Path) -> None:
    write(project, {"train.py": TRAIN.replace("print(", "import time; time.sleep(3); print(")})
    sweep = subprocess.Popen([sys.executable, "-m", "typedcat", *TUNE], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not Path("experiment/tune/lr/ledger.sqlite").exists() or "running" not in run("runs", TUNE[1]).out:
        assert sweep.poll() is None
        time.sleep(0.1)
    assert "lr=0.5  running\n" in run(*TUNE, "--dry-run").out
    watched = run("runs", TUNE[1], "--watch")
    assert "1 running" in watched.out
    assert watched.out.endswith("3 runs: 2 done, 1 failed\n")
    sweep.communicate()
    assert sweep.returncode == 1
