"""A copy of an example to work in, so that nothing is written into the repository."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@dataclass(frozen=True)
class Example:
    """A copy of one example; the working directory of the test."""

    root: Path

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Runs `python ARGS` in the example, as its user would; fails with the output of the script."""
        command = [sys.executable, *args]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, timeout=250, check=False)
        assert done.returncode == 0, f"{' '.join(args)} failed\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done

    def metrics(self) -> dict[str, float]:
        """What the only run of this example wrote."""
        (file,) = (self.root / "experiment").rglob("eval.json")
        metrics: dict[str, float] = json.loads(file.read_text(encoding="utf-8"))
        return metrics


@pytest.fixture
def open_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Example]]:
    """Copies an example by name, goes there and makes its modules importable; they are forgotten afterwards."""

    def open_one(name: str) -> Example:
        root = tmp_path / name
        shutil.copytree(
            EXAMPLES / name, root, ignore=shutil.ignore_patterns("experiment", "cfg.pkl", "__pycache__", ".*_cache")
        )
        monkeypatch.chdir(root)
        monkeypatch.syspath_prepend(str(root))
        return Example(root)

    for variable in ("TYPEDCAT_CONFIG_ROOT", "TYPEDCAT_EXPERIMENTS_ROOT"):
        monkeypatch.delenv(variable, raising=False)
    yield open_one
    for module in [name for name, module in sys.modules.items() if "." not in name and _lies_below(module, tmp_path)]:
        del sys.modules[module]


def _lies_below(module: object, folder: Path) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and Path(file).is_relative_to(folder)
