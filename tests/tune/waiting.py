"""Waiting for what other processes do; it imports little, as workers load the tests whose functions they run."""

from __future__ import annotations

import time
from pathlib import Path

import pytest


def ended(pid: int) -> bool:
    """Whether a process is gone, or a zombie that nobody has waited for."""
    for _ in range(50):
        try:
            if Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.1)
    return False


def wait_for(file: Path) -> None:
    """Until a file is there."""
    for _ in range(300):
        if file.exists():
            return
        time.sleep(0.1)
    pytest.fail(f"{file} did not appear")
