"""Runs that are a script and a file of metrics, as `typedcat tune` starts them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from typedcat import TypedcatError
from typedcat.tune.engines.script import JsonMetrics, Script


def metrics(folder: Path, *names: str) -> dict[str, object]:
    return JsonMetrics(names)(None, str(folder), None, None)


def test_a_script_is_looked_for_before_anything_runs(project: Path) -> None:
    Path("train.py").touch()
    Path("train.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    Script("train.py").check()
    Script("sh").check()  # a program, somewhere in PATH
    with pytest.raises(TypedcatError, match=r"there is no script trai\.py in .*\n  did you mean 'train\.py'"):
        Script("trai.py").check()
    with pytest.raises(TypedcatError, match=r"no script torchrun train\.py in .*\n  a command goes into a script"):
        Script("torchrun train.py").check()
    with pytest.raises(TypedcatError, match=r"there is no script nowhere/train\.py in "):
        Script("nowhere/train.py").check()
    with pytest.raises(TypedcatError, match=r"train\.sh is no program that can be run\n  chmod \+x train\.sh"):
        Script("train.sh").check()
    Path("train.sh").chmod(0o755)
    Script("train.sh").check()


def test_a_program_of_the_working_directory_needs_no_dot(project: Path) -> None:
    Path("train.sh").write_text('#!/bin/sh\necho "$1 $2 $3 $PYTHONUNBUFFERED" > said\nexit 3\n', encoding="utf-8")
    Path("train.sh").chmod(0o755)
    ended = Script("train.sh", "--config", ("--amp",))(0, None, "cfg.pkl", "r", {"PATH": "/usr/bin:/bin"})
    assert Path("said").read_text(encoding="utf-8") == "--config cfg.pkl --amp 1\n"
    assert (ended.args, ended.returncode) == ("train.sh --config CHILD --amp", 3)


def test_what_a_script_prints_is_there_when_it_is_killed(project: Path) -> None:
    Path("train.py").write_text("import os, signal\nprint('step 1')\nos.kill(os.getpid(), signal.SIGKILL)\n", "utf-8")
    runner = "from typedcat.tune.engines.script import Script; Script('train.py')(0, None, 'c', 'r', {})"
    done = subprocess.run([sys.executable, "-c", runner], capture_output=True, check=True)
    assert done.stdout == b"step 1\n"


def test_mappings_in_metrics_are_columns(project: Path) -> None:
    Path("a.json").write_text(json.dumps({"acc": 0.5, "val": {"acc": 0.25, "per": {"cat": 1}}, "empty": {}}), "utf-8")
    Path("b.json").write_text(json.dumps({"acc": 0.75, "steps": [1, {"a": 2}]}), encoding="utf-8")
    found = metrics(project, "a.json", "b.json")
    assert found == {"acc": 0.75, "val.acc": 0.25, "val.per.cat": 1, "steps": [1, {"a": 2}]}


def test_metrics_that_are_elsewhere(project: Path) -> None:
    folder = project / "run"
    folder.mkdir()
    with pytest.raises(TypedcatError) as caught:
        metrics(folder, "eval.json")
    assert str(caught.value) == "the run has not written run/eval.json"
    for name in ("run.json", "evaluation.json", "log.txt"):
        (folder / name).touch()
    with pytest.raises(TypedcatError) as caught:
        metrics(folder, "eval.json")
    assert str(caught.value) == ("the run has not written run/eval.json\n  JSON files in that folder: evaluation.json")
    (project / "eval.json").write_text("{}", encoding="utf-8")
    with pytest.raises(TypedcatError, match=r"there is eval\.json in the working directory, which all runs share"):
        metrics(folder, "eval.json")
    (folder / "eval.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(TypedcatError, match=r"run/eval\.json holds no mapping of metrics, but a list"):
        metrics(folder, "eval.json")
    (folder / "eval.json").write_text("acc: 1", encoding="utf-8")
    with pytest.raises(TypedcatError, match=r"run/eval\.json is no JSON: Expecting value"):
        metrics(folder, "eval.json")
