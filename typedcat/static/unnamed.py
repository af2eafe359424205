"""Files that are meant to be configs, but name theirs otherwise: nothing loads them, and nothing would say so."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from .findings import Finding
from .sources import NAMES, defines_config, files_below

_PACKAGES = {"typedcat", "typedcat_catalog", "alchemy_cat"}
_MAKERS = {"Config", "Cfg2Tune", "inherit"}
_IMPORTS = re.compile(r"^[ \t]*(?:from|import)\b[^#\n]*", re.MULTILINE)
_WORD = re.compile(r"\w+")


def unnamed_configs(root: Path) -> tuple[list[Finding], list[Path]]:
    """What `find_configs` passes over, though somebody will look for a config in it.

    A file from which other files import, and which is not called as configs are, is no such file.

    Args:
        root: a folder, or a file.

    Returns:
        A finding for each file that makes a config under another name, and the other files that are called as configs
        are; loading one of those says what is wrong with it.
    """
    python = [path for path in ([root] if root.is_file() else sorted(files_below(root))) if path.suffix == ".py"]
    made = {path: list(_made_in(tree)) for path in python if (tree := _parsed(path)) is not None}
    imported = _imported(python) if any(names and not _is_called_so(path) for path, names in made.items()) else set()
    findings, others = [], []
    for path, names in made.items():
        if names and (_is_called_so(path) or path.stem not in imported):
            findings.append(_finding(path, names))
        elif not names and _is_called_so(path):
            others.append(path)
    return findings, others


def _is_called_so(path: Path) -> bool:
    return path.stem in NAMES


def _parsed(path: Path) -> ast.Module | None:
    """A file that defines no config and may be meant to; None for any other. Of a mere module nobody expects one."""
    if defines_config(path):
        return None
    try:
        source = path.read_bytes()
        if not _is_called_so(path) and not any(name.encode() in source for name in _PACKAGES):
            return None
        tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return tree if any(map(_gives_value, tree.body)) or not any(map(_defines, tree.body)) else None


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


def _imported(files: Sequence[Path]) -> set[str]:
    """Every word in an import of these files."""
    texts = (path.read_text(encoding="utf-8", errors="replace") for path in files)
    return {word for text in texts for line in _IMPORTS.findall(text) for word in _WORD.findall(line)}


def _finding(path: Path, names: list[tuple[str, int]]) -> Finding:
    told = " or ".join(f"'{name}'" for name, _ in names)
    message = "defines no 'cfg', so nothing loads this config"
    return Finding(str(path), names[0][1], "load", message, (f"is it {told}? Name the config 'cfg'",), str(path))
