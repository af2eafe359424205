"""A small project in a temporary folder, the working directory of the test; and a machine with GPUs."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

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
    ours = ("TYPEDCAT_CONFIG_ROOT", "TYPEDCAT_EXPERIMENTS_ROOT", "TYPEDCAT_LOCK_DIR", "TYPEDCAT_LENT_GPUS")
    for name in (*ours, "CUDA_VISIBLE_DEVICES"):
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


# -- a machine with GPUs


@pytest.fixture(scope="session")
def nvml_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stand-in for the library of the driver, compiled."""
    return compiled(tmp_path_factory.mktemp("nvml"))


def compiled(folder: Path, *flags: str) -> Path:
    """The stand-in, compiled with such flags."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler for the stand-in of NVML")
    library = folder / "libnvidia-ml.so.1"
    source = Path(__file__).with_name("fake_nvml.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", *flags, "-o", library, source], check=True)
    return library


class Machine:
    """A machine whose GPUs a text file describes (see fake_nvml.c), for this process and those that it starts.

    Attributes:
        locks: the folder of locks.
        environ: what a process needs to see the GPUs.
    """

    def __init__(self, library: Path, folder: Path) -> None:
        self.file = folder / "gpus.txt"
        self.locks = folder / "locks"
        self.lines: list[str] = []
        self.environ = {
            "FAKE_NVML": str(self.file),
            "LD_LIBRARY_PATH": str(library.parent),
            "TYPEDCAT_LOCK_DIR": str(self.locks),
        }

    @staticmethod
    def uuid(index: int) -> str:
        return f"GPU-{index:08x}-1111-2222-3333-444444444444"

    def has(self, *lines: str) -> None:
        """The lines of the file from now on; '{0}' stands for the UUID of GPU 0."""
        uuids = [self.uuid(index) for index in range(16)]
        self.lines = [line.format(*uuids) for line in lines]
        scratch = self.file.with_suffix(".new")
        scratch.write_text("\n".join(self.lines) + "\n", encoding="utf-8")
        scratch.replace(self.file)

    def has_idle(self, count: int) -> None:
        """So many GPUs of 80 GiB, of which the driver keeps 500 MiB, and with nothing to do."""
        self.has(*(f"gpu {{{index}}} 81920 500 4 -" for index in range(count)))

    def adds(self, *lines: str) -> None:
        """More lines."""
        self.has(*self.lines, *lines)


@pytest.fixture
def machine(nvml_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """A machine with eight idle GPUs, which pynvml finds; what the test leased is given back."""
    import pynvml

    from typedcat.tune.gpus import allocate, locks

    made = Machine(nvml_library, tmp_path)
    made.has_idle(8)
    for name, value in made.environ.items():
        monkeypatch.setenv(name, value)
    # the search path of this process is fixed; those that it starts find the library by LD_LIBRARY_PATH, as a real one
    monkeypatch.setattr(pynvml, "nvmlLib", ctypes.CDLL(os.fspath(nvml_library)))
    cache: dict[str, Any] = {}
    monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", cache)
    monkeypatch.setattr(allocate, "_kept", [])
    yield made
    for file in list(locks._open_files):
        file.close()
