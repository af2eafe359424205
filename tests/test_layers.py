"""The rooms of the library: a file imports only from its own room or rooms below, and `import typedcat` stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parent.parent / "typedcat"

# Bottom to top; rooms of one line never import each other.
ORDER: list[set[str]] = [
    {"errors", "console"},
    {"tree"},
    {"load"},
    {"static", "tune"},
    {"torch_tools"},
    {"compat"},
    {"cli"},
]
LEVELS = {room: level for level, rooms in enumerate(ORDER) for room in rooms}
# What stands above all rooms: the package itself, and the modules that only start something.
TOP = {"__init__", "__main__", "from_x_to_y"}
CONSOLE = "console.py"  # the one place that writes to the terminal with print
HEAVY = ["pydantic", "pandas", "numpy", "yaml", "sqlite3", "rich", "openpyxl", "cloudpickle", "matplotlib", "torch"]


def room_of(path: str) -> str | None:
    """`tree/keys.py` -> 'tree', `errors.py` -> 'errors', a top module -> None."""
    room = path.split("/", maxsplit=1)[0].removesuffix(".py")
    return None if room in TOP else room


def imported_modules(tree: ast.AST, path: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every module of typedcat that the file at `path`, below typedcat/, imports."""
    package = ["typedcat", *path.split("/")[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if alias.name.split(".")[0] == "typedcat")
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = [*base, *(node.module or "").split(".")] if node.module else base
            if module[:1] == ["typedcat"]:
                # `from typedcat import tree` imports a room, `from typedcat import Config` the top
                names = [alias.name for alias in node.names] if len(module) == 1 else [""]
                yield from ((node.lineno, ".".join([*module, name]).rstrip(".")) for name in names)
        elif isinstance(node, ast.Call) and (name := dynamic_import(node, package)):
            yield node.lineno, name


def dynamic_import(node: ast.Call, package: list[str]) -> str:
    """What `import_module('typedcat...')` or `__import__('typedcat...')` imports; '' for any other call."""
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    target = node.args[0] if node.args else None
    if called not in ("import_module", "__import__") or not isinstance(target, ast.Constant):
        return ""
    name = str(target.value)
    level = len(name) - len(name.lstrip("."))
    if level:
        return ".".join([*package[: len(package) - level + 1], name[level:]])
    return name if name.split(".", maxsplit=1)[0] == "typedcat" else ""


def violations(source: str, path: str) -> list[str]:
    """What the file at `path`, below typedcat/, does that its room may not; one line each."""
    tree = ast.parse(source)
    found = []
    room = room_of(path)
    if room is not None and room not in LEVELS:
        found.append(f"{path}: '{room}' is no room; the rooms are {', '.join(LEVELS)}")
    elif room is not None:
        for line, module in imported_modules(tree, path):
            target = [*module.split("."), ""][1]
            if target == room:
                continue
            if target not in LEVELS:
                found.append(f"{path}:{line}: imports {module}, which is the top of the package")
            elif LEVELS[target] >= LEVELS[room]:
                found.append(f"{path}:{line}: imports {module}, and {room} is not above {target}")
    if path != CONSOLE:
        found += [f"{path}:{line}: calls print" for line in prints(tree)]
    return found


def prints(tree: ast.AST) -> Iterator[int]:
    """The lines that call the built-in print."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield node.lineno


def library_files() -> list[str]:
    return sorted(str(file.relative_to(LIBRARY).as_posix()) for file in LIBRARY.rglob("*.py"))


def test_every_file_keeps_to_its_room() -> None:
    files = library_files()
    assert "errors.py" in files
    found = [line for path in files for line in violations((LIBRARY / path).read_text("utf-8"), path)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("module", ["typedcat", "typedcat.tree", "typedcat.load", "typedcat.errors"])
def test_import_is_light(module: str) -> None:
    code = f"import sys, {module}; print(*sorted(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "", f"`import {module}` loads {done.stdout.strip()}"


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("tree/keys.py", "from typedcat.load.resolve import resolve"),
        ("tree/keys.py", "import typedcat.load"),
        ("tree/keys.py", "import typedcat.load.resolve as resolve"),
        ("tree/keys.py", "import os, typedcat.load"),
        ("tree/keys.py", "from ..load.resolve import resolve"),
        ("tree/keys.py", "from ..load import resolve"),
        ("tree/keys.py", "from .. import load"),
        ("tree/keys.py", "from typedcat import load"),
        ("tree/keys.py", "from typedcat import errors, load"),
        ("tree/keys.py", "from typedcat import Config"),
        ("tree/keys.py", "from .. import Config"),
        ("tree/keys.py", "import typedcat"),
        ("tree/keys.py", "def late() -> None:\n    from typedcat.load import resolve"),
        ("tree/keys.py", "class Node:\n    from typedcat.load import resolve"),
        ("tree/keys.py", "try:\n    import os\nexcept ImportError:\n    import typedcat.load"),
        ("tree/keys.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from typedcat.load import resolve"),
        ("tree/keys.py", "import importlib\nimportlib.import_module('typedcat.load')"),
        ("tree/keys.py", "from importlib import import_module\nimport_module('..load', 'typedcat.tree')"),
        ("tree/keys.py", "__import__('typedcat.load')"),
        ("tree/deep/keys.py", "from ...load import resolve"),
        ("tree/__init__.py", "from ..load import resolve"),
        ("errors.py", "from typedcat.tree.keys import Key"),
        ("errors.py", "from .tree import keys"),
        ("load/pipeline.py", "import typedcat.tune.grid.grid"),
        ("tune/grid.py", "from typedcat.static.stubs import write"),
        ("static/stubs.py", "from typedcat.tune.grid.grid import Grid"),
        ("torch_tools/init.py", "from typedcat.cli import main"),
        ("cli/main.py", "from typedcat import load_config"),
        ("utils/text.py", ""),
        ("helpers.py", ""),
        ("tune/runner.py", "print('done')"),
        ("cli/main.py", "def show() -> None:\n    print('done', file=None)"),
        ("__main__.py", "print('done')"),
    ],
)
def test_a_planted_violation_is_found(path: str, source: str) -> None:
    assert violations(source, path)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("errors.py", "import os\nfrom pathlib import Path"),
        ("tree/keys.py", "from typedcat.errors import TypedcatError"),
        ("tree/keys.py", "from typedcat import errors"),
        ("tree/keys.py", "from ..errors import TypedcatError"),
        ("tree/keys.py", "from . import text\nfrom .text import to_txt\nfrom typedcat.tree.text import to_txt"),
        ("tree/deep/keys.py", "from ..text import to_txt\nfrom ...errors import TypedcatError"),
        ("tree/keys.py", "from typedcat_catalog import load_config"),
        ("tree/keys.py", "import importlib\nimportlib.import_module('pandas')\nimportlib.import_module(name)"),
        ("tune/runner.py", "from typedcat.load.pipeline import load\nfrom typedcat.tree import Config"),
        ("torch_tools/init.py", "from typedcat.tune import runner"),
        ("cli/main.py", "from typedcat.static import check\nfrom typedcat.tune import runner"),
        ("console.py", "print('done')"),
        ("cli/main.py", "console.print('done')\ntable.print()"),
        ("__init__.py", "from typedcat.cli import main\nfrom .tree import Config"),
        ("__main__.py", "from typedcat.cli import main"),
    ],
)
def test_what_is_allowed_is_let_through(path: str, source: str) -> None:
    assert not violations(source, path)
