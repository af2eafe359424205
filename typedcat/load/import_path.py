"""The folders that Python imports from: the user's own, and those that loading a config has added."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["make_importable", "own_import_path"]

_added: set[str] = set()


def make_importable(root: str | os.PathLike[str]) -> None:
    """Append the import root of a config to `sys.path`, where it stays; the root of a drive is none."""
    folder = os.fspath(root)
    if folder not in (*sys.path, Path(folder).anchor):
        sys.path.append(folder)
        _added.add(folder)


def own_import_path() -> list[str]:
    """`sys.path` without what loading configs has added: no config of one project is found in another for that.

    What programs put there that is no text, Python passes over, too.
    """
    return [folder for folder in sys.path if isinstance(folder, str) and folder not in _added]
