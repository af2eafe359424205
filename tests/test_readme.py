"""The README and the docs do what they say: their code blocks run in an empty folder, and links lead somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "migration").glob("*.md"))]
BLOCK = re.compile(r"^```(python|yaml|toml|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADER = re.compile(r"^# -- (\S.*?) --\n")


def run_python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def run_console(block: str, folder: Path) -> None:
    """Each `$ command`, and, where output follows it, exactly that output."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        words = shlex.split(command)
        assert words[0] == "typedcat", f"only the command itself is run here: {command}"
        done = subprocess.run(
            [sys.executable, "-m", "typedcat", *words[1:]],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )
        output = done.stdout + done.stderr
        if expected.strip():
            assert output.strip() == expected.strip(), command
        else:
            assert done.returncode == 0, output


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_code_blocks_run(page: Path, tmp_path: Path) -> None:
    script: list[str] = []
    for kind, body in BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind == "console":
            run_console(body, tmp_path)
            continue
        header = HEADER.match(body)
        if header is not None:
            file = tmp_path / header[1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(body, encoding="utf-8")
            if re.match(r"(tune_)?train\w*\.py$", file.name):
                done = run_python(body, tmp_path)
                assert done.returncode == 0, done.stdout + done.stderr
        elif kind == "python":
            script.append(body)
            done = run_python("\n".join(script), tmp_path)
            assert done.returncode == 0, f"{body}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            assert (page.parent / target).exists(), target
