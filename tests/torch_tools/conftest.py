"""A project in an empty folder, and scripts that run in it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

LAUNCHER = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT", "TYPEDCAT_RECORDED_RUN")

CAPTURE = """\
import os, signal, subprocess, sys, time
from pathlib import Path
from typedcat.torch_tools.output import Capture
log = Path("the.log")
log.touch()
"""
"""How scripts begin that copy their output without torch, which takes seconds to import."""


class Project:
    """A folder with configs; the working directory of the test."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def config(self, text: str, name: str = "configs/base/cfg.py") -> str:
        """Writes a config file; returns its path."""
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("from typedcat import *\n" + text, encoding="utf-8")
        return name

    def script(self, code: str, name: str = "train.py") -> Path:
        """Writes a script."""
        file = self.root / name
        file.write_text(textwrap.dedent(code), encoding="utf-8")
        return file

    def start(self, code: str, **options: Any) -> subprocess.Popen[str]:
        """Starts a script; both of its streams are the same pipe."""
        command = [sys.executable, str(self.script(code))]
        both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, **options}
        return subprocess.Popen(command, cwd=self.root, **both)

    def run(self, code: str, code_wanted: int | None = 0, **options: Any) -> str:
        """Runs a script; returns what it wrote, errors included."""
        process = self.start(code, **options)
        output, _ = process.communicate(timeout=100)
        assert code_wanted is None or process.returncode == code_wanted, output
        return output

    def log(self, wanted: str = "") -> str:
        """The text of the only log, as soon as something is in it; at least for a while."""
        for _ in range(200):
            files = [file for file in self.root.rglob("*.log") if file.stat().st_size]
            if files and wanted in (text := files[0].read_text(encoding="utf-8", errors="replace")):
                assert len(files) == 1, files
                return text
            time.sleep(0.05)
        pytest.fail(f"no log has {wanted!r}: {[file.read_text() for file in self.root.rglob('*.log')]}")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Nothing of the environment says that this is a rank of something, or whose project it is."""
    monkeypatch.chdir(tmp_path)
    for name in (*LAUNCHER, "TYPEDCAT_CONFIG_ROOT", "TYPEDCAT_EXPERIMENTS_ROOT", "CUBLAS_WORKSPACE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("PYTHONUNBUFFERED", "")
    return Project(tmp_path)


def copiers_of(root: Path) -> list[int]:
    """The processes that have a log of the project open."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            links = [os.readlink(link) for link in (folder / "fd").iterdir()] if b"copier.py" in command else []
        except OSError:  # gone meanwhile
            continue
        if any(link.startswith(str(root)) for link in links):
            found.append(int(folder.name))
    return sorted(found)


def parent_of(pid: int) -> int:
    """The process that has started another one."""
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])


def all_ended(root: Path) -> bool:
    """Whether nothing copies into a log of the project any more, soon."""
    for _ in range(100):
        if not copiers_of(root):
            return True
        time.sleep(0.05)
    return False
