"""Which files below a folder are configs."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import ProjectError, short_path

ENDINGS = (".py", ".yaml", ".yml", ".json")  # a pickle is what the tuner or a user saved: no source
_NAMES = {"cfg", "config"}
_MENTION = re.compile(rb"\b(cfg|config)\b")
_PLAINLY = re.compile(rb"^(?:cfg|config)[ \t]*(?::[^\n=]+)?=[^=]", re.MULTILINE)  # most of them; parsing takes longer


def find_configs(root: Path) -> list[Path]:
    """The config files below a folder, sorted; of Python files those that define `cfg` or `config`.

    Hidden folders are left out, and so is a whole folder with a `pyvenv.cfg`, which is an environment.

    Raises:
        ProjectError: it is neither a folder nor a file.
    """
    if root.is_file():
        return [root]
    if not root.is_dir():
        raise ProjectError(f"{short_path(root)} is no folder of configs", "name one: typedcat stubs path/to/configs")
    return sorted(path for path in _files(root) if path.suffix != ".py" or defines_config(path))


def _files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__pycache__"]
        yield from (Path(folder, name) for name in files if Path(name).suffix in ENDINGS and name[0] != ".")


def defines_config(path: Path) -> bool:
    """Whether a Python file gives a value to `cfg` or `config`, as far as can be told without running it.

    One that cannot be parsed counts, if it mentions such a name at all: loading it says what is wrong.
    """
    try:
        source = path.read_bytes()
    except OSError:
        return True
    if _PLAINLY.search(source):
        return True
    if not _MENTION.search(source):
        return False
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    return any(_binds(statement) for statement in body)


def _binds(statement: ast.stmt) -> bool:
    """Whether running a statement of a module gives a value to one of the names."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return False
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in _NAMES:
            return True
        if isinstance(node, ast.alias) and (node.asname or node.name) in _NAMES:
            return True
    return False
