"""`__init__.pyi` for the packages that configs lie in.

mypy looks for `configs.base.cfg` in the stubs only as long as no `__init__.py` makes `configs` a package that lies
elsewhere. So the stubs get the same packages, with the same contents, or imports from them would fail.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from importlib.util import decode_source
from pathlib import Path, PurePosixPath

from .names import STUB, mangled
from .stub import HEADER

INIT = "__init__"
_ANYTHING = "\nfrom typing import Any as _Any\n\ndef __getattr__(name: str) -> _Any: ...\n"


def package_stubs(configs: Iterable[str], top: Path) -> dict[str, str]:
    """The stubs of all packages on the way to some configs.

    Args:
        configs: their paths below `top`.
        top: the folder of the project.

    Returns:
        The text of each stub, by its path below the folder of stubs.
    """
    folders = {folder for config in configs for folder in PurePosixPath(config).parents if folder.name}
    packages = (folder for folder in sorted(folders) if all(mangled(part) == part for part in folder.parts))
    found = ((folder, top / folder / f"{INIT}.py") for folder in packages)
    return {str(folder / (INIT + STUB)): _text(folder, file, top) for folder, file in found if file.is_file()}


def _text(folder: PurePosixPath, file: Path, top: Path) -> str:
    head = f"{HEADER}{folder / file.name}\n# mypy: ignore-errors\n"
    try:
        source = decode_source(file.read_bytes())
        imports = list(_imports(ast.parse(source).body))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return head + _ANYTHING
    if not source.strip():
        return head
    if _is_top_level(folder, top) or not any(isinstance(one, ast.ImportFrom) and one.level for one in imports):
        return f"{head}{_exporting(source, imports, folder.parts)}"
    return f"{head}{_exporting(source, imports, ()).rstrip()}\n{_ANYTHING}"


def _is_top_level(folder: PurePosixPath, top: Path) -> bool:
    """Whether all folders above a package are packages as well, up to the project.

    Where they are not, as in `src/pkg`, users may import it by another name than its path. A relative import in its
    stub would then lead mypy to files that it knows by that name, which it refuses.
    """
    return all((top / above / f"{INIT}.py").is_file() for above in folder.parents if above.name)


def _imports(body: Iterable[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports of a module, those in `if` and `try` included."""
    for statement in body:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            yield statement
        elif isinstance(statement, (ast.If, ast.Try, ast.With)):
            handlers = getattr(statement, "handlers", [])
            for part in (statement, *handlers):
                yield from _imports(part.body)
            yield from _imports([*getattr(statement, "orelse", []), *getattr(statement, "finalbody", [])])


def _exporting(source: str, imports: Iterable[ast.Import | ast.ImportFrom], package: tuple[str, ...]) -> str:
    """The source of a package as a stub has to say it: others may import from it what it imports.

    Args:
        source: the text of the module.
        imports: its imports.
        package: where relative imports start; () to leave them out.
    """
    lines = source.encode().split(b"\n")  # as `ast` counts lines and columns
    for statement in sorted(imports, key=lambda one: (one.lineno, one.col_offset), reverse=True):
        if not (isinstance(statement, ast.ImportFrom) and statement.module == "__future__"):
            first, last = statement.lineno - 1, (statement.end_lineno or statement.lineno) - 1
            before, after = lines[first][: statement.col_offset], lines[last][statement.end_col_offset :]
            lines[first : last + 1] = [before + _exported(statement, package).encode() + after]
    return b"\n".join(lines).decode()


def _exported(statement: ast.Import | ast.ImportFrom, package: tuple[str, ...]) -> str:
    """An import, with names that can be imported from the stub."""
    if isinstance(statement, ast.Import):
        return "; ".join(_import(alias.name, alias.asname) for alias in statement.names)
    above = package[: len(package) - statement.level + 1] if statement.level else ()
    if statement.level and not above:
        return "pass"
    # absolute, because pyright looks for relative imports of a stub among the stubs only
    if statement.module is None:
        return "; ".join(_import(".".join((*above, one.name)), one.asname or one.name) for one in statement.names)
    module = ".".join((*above, statement.module))
    return "; ".join(
        f"from {module} import {_named(alias.name, alias.asname or alias.name)}" for alias in statement.names
    )


def _import(module: str, name: str | None) -> str:
    if name is None:
        return f"import {module}" if "." in module else f"import {module} as {module}"
    return f"import {_named(module, name)}"


def _named(what: str, name: str) -> str:
    """What stands behind `import`. A stub exports `x as x`, but not `x as y`; what is assigned it exports."""
    if what == "*":
        return what
    return f"{what} as {name}" if what == name else f"{what} as _{name}; {name} = _{name}"
