"""Which files below a folder are configs."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import ProjectError, short_path
from ..load.formats.hydra_files import groups_named_by, is_part
from ..load.formats.mmcv_source import style_of
from ..load.project import RECORD, Project, find_project

ENDINGS = (".py", ".yaml", ".yml", ".json", ".toml")  # a pickle is what the tuner or a user saved: no source
_NO_CONFIGS = {"pyproject.toml"}
NAMES = {"cfg", "config"}
"""What a config is called in its file, and what most such files are called."""
_MENTION = re.compile(rb"\b(cfg|config)\b")
_PLAINLY = re.compile(rb"^(?:cfg|config)[ \t]*(?::[^\n=]+)?=[^=]", re.MULTILINE)  # most of them; parsing takes longer


def find_configs(root: Path) -> list[Path]:
    """The config files below a folder, sorted; of Python files those that define `cfg` or `config`.

    Hidden folders are left out, and so is a whole folder with a `pyvenv.cfg`, which is an environment, or with results:
    the experiments root of a project. YAML, JSON and TOML in the result folder of a run, which has its record, is no
    config either. Nor are the options of the groups of a Hydra config.

    Raises:
        ProjectError: it is neither a folder nor a file.
    """
    if root.is_file():
        return [root]
    if not root.is_dir():
        raise ProjectError(f"{short_path(root)} is no folder of configs", "name one: typedcat stubs path/to/configs")
    files = [path for path in files_below(root) if path.suffix != ".py" or defines_config(path)]
    return sorted(_without_options(files))


def _without_options(files: list[Path]) -> Iterator[Path]:
    """The files without the options of config groups: below the folder of a group that a config of Hydra names."""
    groups: dict[Path, set[str]] = {}
    for path in files:
        if path.suffix == ".yaml" and (named := groups_named_by(path)):
            groups.setdefault(path.parent, set()).update(named)
    for path in files:
        tops = [folder for folder in path.parents[1:] if folder in groups] if path.suffix == ".yaml" else []
        if not any(path.relative_to(folder).parts[0] in groups[folder] for folder in tops) and not (
            tops and is_part(path)
        ):
            yield path


def files_below(root: Path) -> Iterator[Path]:
    """The files below a folder whose endings configs have, but for those that cannot be any: see `find_configs`."""
    results = {_results(find_project(root))}
    recorded: list[str] = []
    for folder, folders, files in os.walk(root):
        if "pyvenv.cfg" in files or os.path.abspath(folder) in results:
            folders.clear()
            continue
        if "pyproject.toml" in files:
            results.add(_results(find_project(Path(folder))))
        if RECORD in files:
            recorded.append(os.path.join(folder, ""))
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__pycache__"]
        is_of_run = os.path.join(folder, "").startswith(tuple(recorded))
        yield from (Path(folder, name) for name in files if _may_be_config(name, only_python=is_of_run))


def _results(project: Project) -> str:
    """The folder of all results of a project, unless it holds the project itself; '' if there is none."""
    folder = os.path.abspath(project.root / os.path.expanduser(project.experiments_root or ""))
    return "" if project.root.is_relative_to(folder) else folder


def _may_be_config(name: str, *, only_python: bool) -> bool:
    return Path(name).suffix in (ENDINGS[:1] if only_python else ENDINGS) and name[0] != "." and name not in _NO_CONFIGS


def defines_config(path: Path) -> bool:
    """Whether a Python file gives a value to `cfg` or `config`, as far as can be told without running it.

    A file in MMCV's style counts if it names bases; without them it looks like any other module.
    One that cannot be parsed counts, if it mentions such a name at all: loading it says what is wrong.
    """
    try:
        source = path.read_bytes()
    except OSError:
        return True
    if _PLAINLY.search(source) or style_of(source, path):
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
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in NAMES:
            return True
        if isinstance(node, ast.alias) and (node.asname or node.name) in NAMES:
            return True
    return False
