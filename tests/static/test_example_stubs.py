"""The stubs of the examples, which this repository holds: they are up to date, and mypy uses them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


def run(*arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    return done.returncode, done.stdout + done.stderr


def test_they_are_up_to_date() -> None:
    for library in ("torch", "mmengine"):
        pytest.importorskip(library, reason="configs that import it cannot be read without it")
    assert run("typedcat", "stubs", "examples", "--check") == (0, "stubs: 22 configs, all up to date\n")


def test_mypy_uses_them(tmp_path: Path) -> None:
    file = tmp_path / "use.py"
    file.write_text(
        "from typedcat_catalog import load_config\n"
        "reveal_type(load_config('configs/net/base/cfg.py').loader.ini.batch_size)\n"
        "load_config('configs/net/base/cfg.py').loader.ini.batch_siz\n"
        "load_config('configs/digits/base/cfg.py').loader.ini.batch_siz\n"
    )
    code, answer = run("mypy", str(file))
    assert code == 1
    assert [line.partition("use.py:")[2] for line in answer.splitlines()[:-1]] == [
        '2: note: Revealed type is "int"',
        '3: error: "CfgLoaderIni" has no attribute "batch_siz"; maybe "batch_size"?  [attr-defined]',
        '4: error: "LoaderIni" has no attribute "batch_siz"; maybe "batch_size"?  [attr-defined]',
    ]
