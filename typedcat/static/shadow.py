"""A copy of the Python configs of a project in which every path is a module name, so that type checkers take them."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterable, Iterator
from keyword import iskeyword
from pathlib import Path

from ..errors import ProjectError, short_path
from ..load.formats.alchemy import NAME, counterpart_folder
from .names import demangled, mangled

PACKAGE = "_checked"
"""The top package of the copies: their names must not be those of the stubs."""


def shadow(configs: Iterable[Path], root: Path, out: Path) -> dict[Path, Path]:
    """Copy configs, and what they import relatively, below `out`; what else is there is removed.

    Args:
        configs: Python files, absolute.
        root: the folder of the project, at which relative imports end.
        out: a folder of ours.

    Returns:
        The original of each copy.

    Raises:
        ProjectError: the copies cannot be written.
    """
    sources: dict[Path, bytes] = {}
    work = list(configs)
    for file in work:
        if file in sources or not file.is_relative_to(root):
            continue
        with contextlib.suppress(OSError):
            sources[file] = file.read_bytes()
            work.extend(_relative_imports(file, sources[file]))
    copies = {out / PACKAGE / _shadow_path(file.relative_to(root)): file for file in sources}
    try:
        for copy, file in copies.items():
            _write(copy, sources[file])
        _write_alchemy(out / NAME)
        for old in set(out.rglob("*.py")) - copies.keys():
            old.unlink()
    except OSError as error:
        raise ProjectError(f"cannot write into {short_path(out)}: {error.strerror}") from error
    return copies


def _write_alchemy(out: Path) -> None:
    """What `from alchemy_cat import Config` gives in a config, for the checker."""
    folder = counterpart_folder()
    for file in folder.rglob("*.py"):
        _write((out / file.relative_to(folder)).with_suffix(".pyi"), file.read_bytes())


def _write(copy: Path, source: bytes) -> None:
    """Unless it is there already: then a former run of the checker knows it, and another one may read it just now."""
    if not copy.is_file() or copy.read_bytes() != source:
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(source)


def _shadow_path(path: Path) -> Path:
    return Path(*map(_name, path.parts[:-1]), f"{_name(path.stem)}.py")


def _name(name: str) -> str:
    """A name that a module can have. Identifiers stay, as relative imports spell them, unless they look mangled."""
    return name if name.isidentifier() and not iskeyword(name) and demangled(name) == name else mangled(name)


def _relative_imports(file: Path, source: bytes) -> Iterator[Path]:
    """The files that a module imports relatively."""
    try:
        statements = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for statement in statements:
        if not isinstance(statement, ast.ImportFrom) or not statement.level:
            continue
        if statement.level > len(file.parents):
            continue
        module = file.parents[statement.level - 1].joinpath(*(statement.module or "").split("."))
        for place in (module, *(module / alias.name for alias in statement.names)):
            yield from (one for one in (place.with_name(f"{place.name}.py"), place / "__init__.py") if one.is_file())
