"""What the text of a `.py` file says about the variables that it defines, without running it."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

KeyPath: TypeAlias = tuple[object, ...]
_OURS = ("typedcat", "typedcat_catalog", "alchemy_cat")
_MERGING = ("update", "merge")  # of dicts, and of mmengine's


def parsed(data: bytes | str, path: Path) -> ast.Module | None:
    """The syntax tree of a file; None if there is none, which whoever compiles it says better."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes in strings; running the file gives them once
            return ast.parse(data, str(path))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def imports_ours(tree: ast.Module) -> bool:
    """Whether a file imports typedcat, or AlchemyCat, whose configs are ours too."""
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module)
        if any(name.partition(".")[0] in _OURS for name in names):
            return True
    return False


def may_be_lazy(tree: ast.Module) -> bool:
    """Whether a file has what a LazyConfig of detectron2 has: `LazyCall`, or values imported from files next to it."""
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    return not imports_ours(tree) and any(one.level or "LazyCall" in {a.name for a in one.names} for one in imports)


def lazy_hint(path: Path) -> str:
    """The way out for a LazyConfig, which is more than its file: what it imports is changed in place."""
    way = f"from detectron2.config import LazyConfig, then cfg = LazyConfig.load({str(path)!r})"
    return f"detectron2 can read a LazyConfig, in a config of its own: {way}"


def is_script(tree: ast.Module) -> bool:
    """Whether a file asks whether it is run as `__main__`, as configs do not."""
    tests = (node.test for node in tree.body if isinstance(node, ast.If))
    return any(isinstance(name, ast.Name) and name.id == "__name__" for test in tests for name in ast.walk(test))


def defined_names(tree: ast.Module) -> set[str]:
    """The names that a file binds at its top by imports, functions and classes, which are no values of a config."""
    names: set[str] = set()
    for node in statements(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
    return names


def assigned_names(tree: ast.Module) -> set[str]:
    """The names that a file assigns at its top, functions included."""
    names = {node.name for node in statements(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    return names | {str(path[0]) for path, _ in key_lines(tree) if len(path) == 1}


def loop_names(tree: ast.Module) -> set[str]:
    """The names that loops at the top of a file bind."""
    targets = [node.target for node in statements(tree) if isinstance(node, ast.For)]
    return {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}


def statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements of a file in order: those below `if`, `for`, `with` and `try` too, not those of functions."""
    work: list[ast.stmt] = list(reversed(tree.body))
    while work:
        node = work.pop()
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        inner = [one for name in ("body", "handlers", "orelse", "finalbody") for one in getattr(node, name, [])]
        flat = [one for part in inner for one in (part.body if isinstance(part, ast.ExceptHandler) else [part])]
        work += reversed(flat)


def key_lines(tree: ast.Module) -> Iterator[tuple[KeyPath, int]]:
    """The line of each key that a file sets in plain sight: `a = dict(b=1)`, `a['b'] = 1`, `a.update(b=1)`.

    Yields:
        (path of keys, line), in the order of the file: what comes later holds.
    """
    for node in statements(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _below(_path_of(target), node.value, target.lineno)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield from _below(_path_of(node.target), node.value, node.lineno)
        elif isinstance(node, ast.AugAssign):
            yield from _below(_path_of(node.target), None, node.lineno)
        elif isinstance(node, ast.Expr) and isinstance(call := node.value, ast.Call):
            yield from _updated(call)


def _updated(call: ast.Call) -> Iterator[tuple[KeyPath, int]]:
    if isinstance(call.func, ast.Attribute) and call.func.attr in _MERGING and (path := _path_of(call.func.value)):
        for value in call.args:
            yield from _items(path, value)
        yield from _keywords(path, call)


def _below(path: KeyPath, value: ast.expr | None, line: int) -> Iterator[tuple[KeyPath, int]]:
    if path:
        yield path, line
        if value is not None:
            yield from _items(path, value)


def _items(path: KeyPath, value: ast.expr) -> Iterator[tuple[KeyPath, int]]:
    """The keys of a dict that stands in the text."""
    if isinstance(value, ast.Dict):
        for key, item in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant):
                yield from _below((*path, key.value), item, key.lineno)
    elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "dict":
        yield from _keywords(path, value)


def _keywords(path: KeyPath, call: ast.Call) -> Iterator[tuple[KeyPath, int]]:
    for keyword in call.keywords:
        if keyword.arg is not None:
            yield from _below((*path, keyword.arg), keyword.value, keyword.lineno)


def _path_of(target: ast.expr) -> KeyPath:
    """The keys that `a['b'].c` goes through; () of anything else."""
    keys: list[object] = []
    while True:
        if isinstance(target, ast.Name):
            return (target.id, *reversed(keys))
        if isinstance(target, ast.Attribute):
            keys.append(target.attr)
        elif isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
            keys.append(target.slice.value)
        else:
            return ()
        target = target.value
