"""What mypy and pyright accept and reject of user code; an expectation that is not met fails either way."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

CASES = Path(__file__).parent / "cases"
pytestmark = pytest.mark.slow


def rejected(file: Path) -> set[int]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return {number for number, line in enumerate(lines, 1) if line.rstrip().endswith("# reject")}


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True, timeout=110, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("file", sorted(CASES.glob("*.py")), ids=lambda file: file.stem)
def test_mypy(file: Path, tmp_path: Path) -> None:
    output = run("mypy", "--strict", "--config-file=", "--cache-dir", str(tmp_path), str(file), cwd=CASES)
    found = {int(line) for line in re.findall(rf"{file.name}:(\d+): error:", output)}
    assert found == rejected(file), output


@pytest.mark.parametrize("file", sorted(CASES.glob("*.py")), ids=lambda file: file.stem)
def test_pyright(file: Path, tmp_path: Path) -> None:
    (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    output = run("pyright", "--pythonpath", sys.executable, file.name, cwd=tmp_path)
    found = {int(line) for line in re.findall(rf"{file.name}:(\d+):\d+ - error:", output)}
    assert found == rejected(file), output
