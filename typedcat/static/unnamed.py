"""Files that are meant to be configs, but name theirs otherwise: nothing loads them, and nothing would say so."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..load.project import find_project
from .findings import Finding
from .sources import NAMES, defines_config, files_below

_PACKAGES = {"typedcat", "typedcat_catalog", "alchemy_cat"}
_MAKERS = {"Config", "Cfg2Tune", "inherit"}
_IMPORTS = re.compile(
    r"""^[ \t]*(?:from|import)\b
    (?: [^#\n(]* \( (?:\#.*|[^)\#])* \)  # with all names in brackets
      | (?:\\\n|[^#\n])* )""",
    re.MULTILINE | re.VERBOSE,
)
_BY_NAME = re.compile(r"\bimport_module\([^)\n]*")
_USES = {"load_config", "Cfg2TuneRunner", "load_runs", "open_config"}  # in scripts and notebooks
_TEST = re.compile(r"test_.*|.*_test|conftest")  # to pytest
_WORD = re.compile(r"\w+")


def unnamed_configs(root: Path) -> tuple[list[Finding], list[Path]]:
    """What `find_configs` passes over, though somebody will look for a config in it.

    A file from which other files import, a test or a script is no such file, unless it is called as configs are.

    Args:
        root: a folder, or a file.

    Returns:
        A finding for each file that makes a config under another name, and the other files that are called as configs
        are; loading one of those says what is wrong with it.
    """
    python = [path for path in ([root] if root.is_file() else sorted(files_below(root))) if path.suffix == ".py"]
    made = {path: list(_made_in(tree)) for path in python if (tree := _parsed(path)) is not None}
    imported: set[str] = set()
    if any(names and not _is_called_so(path) for path, names in made.items()):
        configs = find_project(root).configs  # what imports it may lie beside the folder
        beside = files_below(configs) if root.is_relative_to(configs) else ()
        imported = _imported({*python, *(path for path in beside if path.suffix == ".py")})
    findings, others = [], []
    for path, names in made.items():
        if names and (_is_called_so(path) or _module_name(path) not in imported):
            findings.append(_finding(path, names))
        elif not names and _is_called_so(path):
            others.append(path)
    return findings, others


def _is_called_so(path: Path) -> bool:
    return path.stem in NAMES


def _module_name(path: Path) -> str:
    return path.parent.name if path.stem == "__init__" else path.stem


def _parsed(path: Path) -> ast.Module | None:
    """A file that defines no config and may be meant to; None for any other. Of a mere module nobody expects one."""
    if defines_config(path):
        return None
    try:
        source = path.read_bytes()
        is_called_so = _is_called_so(path)
        if not is_called_so and (_TEST.fullmatch(path.stem) or not any(name.encode() in source for name in _PACKAGES)):
            return None
        tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not is_called_so and _is_script(tree):
        return None
    return tree if any(map(_gives_value, tree.body)) or not any(map(_defines, tree.body)) else None


def _is_script(tree: ast.Module) -> bool:
    """Whether a file uses configs, or has a part that only a script has."""
    imported = {alias.name for one in tree.body if isinstance(one, ast.ImportFrom) for alias in one.names}
    used = {one.attr for one in ast.walk(tree) if isinstance(one, ast.Attribute)}
    guards = (ast.walk(one.test) for one in tree.body if isinstance(one, ast.If))
    return bool((imported | used) & _USES) or any(
        isinstance(part, ast.Name) and part.id == "__name__" for guard in guards for part in guard
    )


def _gives_value(statement: ast.stmt) -> bool:
    return isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign))


def _defines(statement: ast.stmt) -> bool:
    return isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))


def _made_in(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The variables that are given a new config in plain sight, with their lines."""
    ours = set(_imports_of_ours(tree))
    for one in tree.body:
        if isinstance(one, (ast.Assign, ast.AnnAssign)) and isinstance(one.value, ast.Call):
            made = ast.unparse(one.value.func)
            targets = one.targets if isinstance(one, ast.Assign) else [one.target]
            if made.partition(".")[0] in ours and made.rpartition(".")[2] in _MAKERS:
                yield from ((target.id, one.lineno) for target in targets if isinstance(target, ast.Name))


def _imports_of_ours(tree: ast.Module) -> Iterator[str]:
    """The names that come from typedcat, or stand for it."""
    for one in tree.body:
        module = one.module if isinstance(one, ast.ImportFrom) and one.level == 0 else None
        if isinstance(one, ast.ImportFrom) and module and module.partition(".")[0] in _PACKAGES:
            yield from _MAKERS if any(alias.name == "*" for alias in one.names) else ()
            yield from (alias.asname or alias.name for alias in one.names)
        elif isinstance(one, ast.Import):
            yield from (alias.asname or alias.name for alias in one.names if alias.name in _PACKAGES)


def _imported(files: Iterable[Path]) -> set[str]:
    """Every word in an import of these files."""
    texts = (path.read_text(encoding="utf-8", errors="replace") for path in files)
    return {
        word
        for text in texts
        for line in (*_IMPORTS.findall(text), *_BY_NAME.findall(text))
        for word in _WORD.findall(line)
    }


def _finding(path: Path, names: list[tuple[str, int]]) -> Finding:
    told = " or ".join(f"'{name}'" for name, _ in names)
    message = "defines no 'cfg', so nothing loads this config"
    return Finding(str(path), names[0][1], "load", message, (f"is it {told}? Name the config 'cfg'",), str(path))
