"""What tests of every room share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

SNAPSHOTS = Path(__file__).resolve().parent / "snapshots"
Snapshot = Callable[[str, str], None]


@pytest.fixture
def snapshot() -> Snapshot:
    """Holds a text against `tests/snapshots/NAME.txt`: `snapshot('cli/show', text)`.

    `UPDATE_SNAPSHOTS=1` in the environment writes the files anew. Whoever calls it replaces in the text what differs
    from run to run, such as temporary folders.
    """

    def compare(name: str, text: str) -> None:
        file = SNAPSHOTS / f"{name}.txt"
        if os.environ.get("UPDATE_SNAPSHOTS") == "1":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            return
        wanted = file.read_text(encoding="utf-8") if file.exists() else ""
        assert text == wanted, f"{file} differs; if the new text is right, run with UPDATE_SNAPSHOTS=1"

    return compare
