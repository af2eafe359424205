"""How a line adds a new key on purpose, where a checker says that there is no such key."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_NO_ATTRIBUTE = re.compile(r'^"(?P<cls>\w+)" has no attribute "(?P<key>\w+)"')
_OPEN = re.compile(r"^class (\w+)\(Closed\):", re.MULTILINE)


def open_classes(stubs: Path) -> set[str]:
    """The classes in stubs which stand for nodes that take new keys, as those of a schema do not."""
    return {name for file in stubs.rglob("*.pyi") for name in _OPEN.findall(file.read_text(encoding="utf-8"))}


def way_to_add(message: str, file: Path, line: int, classes: set[str]) -> str:
    """What to write to add the key that a checker does not know; '' if the line sets no such key.

    Args:
        message: what the checker says of the line.
        file, line: where.
        classes: see `open_classes`.
    """
    found = _NO_ATTRIBUTE.match(message)
    if found is None or found["cls"] not in classes:
        return ""
    for target in _targets(ast.parse(file.read_bytes())):
        whole = ast.unparse(target)
        for node in ast.walk(target):
            if isinstance(node, ast.Attribute) and node.attr == found["key"] and node.lineno == line:
                path = ast.unparse(node)
                if whole.startswith(path):  # else it is read: `rates[cfg.lr] = 1`
                    return f'on purpose: {ast.unparse(node.value)}["{node.attr}"]{whole.removeprefix(path)} = ...'
    return ""


def _targets(tree: ast.Module) -> Iterator[ast.expr]:
    """What the assignments of a file set, one by one."""
    for one in ast.walk(tree):
        if isinstance(one, (ast.Assign, ast.AnnAssign)):
            for target in one.targets if isinstance(one, ast.Assign) else [one.target]:
                yield from target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
