"""`typedcat stubs --watch`: what happens to the stubs while somebody types, and what the command says about folders."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import environment, spawn, write
from typedcat.static.cache import Made
from typedcat.static.generate import Report, generate

HEAD = "from typedcat import Config\n"
FILES: dict[str, str | bytes] = {
    "helper.py": "lr = 0.1\n",
    "configs/base/cfg.py": f"{HEAD}import helper\ncfg = Config()\ncfg.opt.lr = helper.lr\n",
    "configs/child/cfg.py": f'{HEAD}cfg = Config(caps="configs/base/cfg.py")\ncfg.epochs = 3\n',
}
pytestmark = pytest.mark.slow
BASE, CHILD = "configs/base/cfg.py", "configs/child/cfg.py"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A base and a child."""
    write(tmp_path, {"pyproject.toml": "[tool.typedcat]\n", **FILES})
    return tmp_path


def made(project: Path, last_good: dict[str, Made] | None = None) -> Report:
    """One run."""
    configs = sorted((project / "configs").rglob("cfg.py"))
    return generate(configs, project / "stubs", top=project, jobs=1, last_good=last_good)


def stub(project: Path, config: str) -> str:
    return (project / "stubs" / config).with_suffix(".pyi").read_text(encoding="utf-8")


def texts(project: Path) -> dict[str, str]:
    return {str(file): file.read_text(encoding="utf-8") for file in (project / "stubs").rglob("*.pyi")}


@pytest.mark.parametrize("broken", [CHILD, BASE, "helper.py"])
def test_the_last_good_stubs_stay(broken: str, project: Path) -> None:
    last_good: dict[str, Made] = {}
    made(project, last_good)
    before = texts(project)
    text = FILES[broken]
    assert isinstance(text, str)
    write(project, {broken: f"{text}cfg = (\n"})
    for _ in range(2):
        assert CHILD in made(project, last_good).errors
        assert texts(project) == before
    write(project, {broken: text})
    assert not made(project, last_good).errors
    assert texts(project) == before
    write(project, {CHILD: f"{FILES[CHILD]!s}cfg.more = 'x'\n"})
    made(project, last_good)
    assert "more: Key[str" in stub(project, CHILD)


def test_those_of_a_former_command_stay_too(project: Path) -> None:
    made(project)
    write(project, {CHILD: "cfg = ("})
    made(project, {})
    assert "epochs: Key[int" in stub(project, CHILD)


def test_without_a_watch_everything_is_allowed(project: Path) -> None:
    made(project, {})
    write(project, {CHILD: "cfg = ("})
    assert list(made(project).errors) == [CHILD]
    assert "cfg: Any" in stub(project, CHILD)


def test_what_was_never_read_is_allowed_everything(project: Path) -> None:
    write(project, {CHILD: "cfg = ("})
    made(project, {})
    assert "cfg: Any" in stub(project, CHILD)


def test_a_removed_config_has_no_stub(project: Path) -> None:
    last_good: dict[str, Made] = {}
    made(project, last_good)
    (project / CHILD).unlink()
    made(project, last_good)
    assert not (project / "stubs" / CHILD).with_suffix(".pyi").exists()


@contextmanager
def watching(project: Path) -> Iterator[Callable[[], str]]:
    """The command in the background; gives what it has said."""
    said = project / "said.txt"
    command = [sys.executable, "-P", "-m", "typedcat", "stubs", "-j", "1", "--watch"]
    with said.open("w") as stream:
        process = subprocess.Popen(command, cwd=project, stderr=stream, env=environment())
        try:
            yield lambda: said.read_text(encoding="utf-8")
            assert process.poll() is None, said.read_text(encoding="utf-8")
        finally:
            process.terminate()
            process.wait(30)


def wait_for(ready: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)


@pytest.mark.slow
def test_the_command(project: Path) -> None:
    with watching(project) as said:
        wait_for(lambda: "2 configs, 3 written" in said())
        write(project, {CHILD: "cfg = ("})
        wait_for(lambda: "error: configs/child/cfg.py" in said())
        assert "epochs: Key[int" in stub(project, CHILD)
        write(project, {CHILD: FILES[CHILD]})
        wait_for(lambda: "2 configs, 0 written, 0 removed\n" in said())
        shutil.rmtree(project / "stubs")
        wait_for(lambda: said().count("3 written") == 2)
        assert "epochs: Key[int" in stub(project, CHILD)
        shutil.move(project / "configs", project / "away")
        wait_for(lambda: "configs does not exist" in said())
        shutil.move(project / "away", project / "configs")
        wait_for(lambda: said().count("2 configs") >= 4)


def test_a_folder_in_place_of_a_stub(project: Path) -> None:
    (project / "stubs/configs/base/cfg.pyi").mkdir(parents=True)
    done = spawn("stubs", "-j", "1", cwd=project)
    assert done.stderr == "error: cannot write stubs/configs/base/cfg.pyi: Is a directory\n"
    assert done.returncode == 2


def test_no_configs(project: Path) -> None:
    shutil.rmtree(project / "configs")
    assert spawn("stubs", cwd=project).stderr == (
        f"error: configs does not exist: it is looked for in {project}\n"
        "  go to the folder of your project, or name a folder: typedcat stubs path/to/configs\n"
    )
    assert "error: configs is no folder of configs\n" in spawn("stubs", "configs", cwd=project).stderr
    (project / "configs").mkdir()
    done = spawn("stubs", cwd=project)
    assert done.stdout == (
        "stubs: 0 configs, 1 written, 0 removed\n"
        "  there are no configs in configs: a .py config is one that defines cfg or config\n"
        "  name their folder: typedcat stubs path/to/configs, or set config_root below [tool.typedcat]\n"
    )
