"""A project in a temporary folder, and the command run in it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from typedcat.cli import main

REPOSITORY = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Answer:
    """What a run of the command gave."""

    code: int
    out: str
    err: str


Run = Callable[..., Answer]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder that the command runs in; the import system is afterwards as it was."""
    monkeypatch.chdir(tmp_path)
    for name in ("TYPEDCAT_CONFIG_ROOT", "TYPEDCAT_EXPERIMENTS_ROOT", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    paths, modules = list(sys.path), set(sys.modules)
    yield tmp_path
    sys.path[:] = paths
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def run(project: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run('show', 'cfg.py')`: the command, in this process."""

    def call(*args: str) -> Answer:
        capsys.readouterr()
        code = main(list(args))
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


def write(folder: Path, files: dict[str, str | bytes]) -> None:
    """Make files, and the folders they lie in."""
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())


def listing(folder: Path) -> set[str]:
    """Everything in a folder, except what importing leaves."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if "__pycache__" not in path.parts}


def environment(**variables: str) -> dict[str, str]:
    """For a process of its own that imports this typedcat, and buffers its output as usual."""
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "", **variables}


def spawn(*args: str, cwd: Path, before: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, as a user starts it; `before` is called in it first."""
    return subprocess.run(
        [sys.executable, "-m", "typedcat", *args],
        cwd=cwd,
        env=environment(),
        preexec_fn=before,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
