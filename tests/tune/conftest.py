"""A small project in a temporary folder, with a base config; the working directory of the test."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import Protocol

import pytest


class WriteTune(Protocol):
    """Writes the body of a tune config to `configs/tune/NAME/cfg.py`; gives the path."""

    def __call__(self, body: str, name: str = ...) -> str: ...


BASE = """
from typedcat import DEP, Config

cfg = Config()
cfg.rand_seed = 0
cfg.loader.ini.batch_size = 128
cfg.loader.ini.num_workers = 2
cfg.opt.ini.lr = DEP(lambda c: c.loader.ini.batch_size / 128 * 0.01)
cfg.sched.epochs = 30
"""

HEAD = """
from typedcat import DEP, P_DEP, Cfg2Tune, Config, Param2Tune

"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("TYPEDCAT_CONFIG_ROOT", "TYPEDCAT_EXPERIMENTS_ROOT", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    base = tmp_path / "configs/base/cfg.py"
    base.parent.mkdir(parents=True)
    base.write_text(BASE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def tune(project: Path) -> WriteTune:
    def write(body: str, name: str = "grid") -> str:
        file = project / "configs/tune" / name / "cfg.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(HEAD + textwrap.dedent(body), encoding="utf-8")
        return f"configs/tune/{name}/cfg.py"

    return write
