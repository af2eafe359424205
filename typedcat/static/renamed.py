"""The expression of a value, as a saved config has it, in the names that another module uses."""

from __future__ import annotations

import ast
import enum
import pkgutil
from collections.abc import Sequence
from keyword import iskeyword

from .class_layout import parsed
from .stub import Names


class Renamed(ast.NodeTransformer):
    """The expression of a value, as `py_text` writes it, in the names of the module; the items of sets in order."""

    def __init__(self, names: Names, imports: Sequence[ast.stmt]) -> None:
        self.names = names
        self.modules = {  # by what `py_text` calls them
            one.asname or one.name: one.name for line in imports if isinstance(line, ast.Import) for one in line.names
        }
        self.members = {  # of modules that no dotted name leads to: (module, name)
            one.asname or one.name: (line.module or "", one.name)
            for line in imports
            if isinstance(line, ast.ImportFrom)
            for one in line.names
        }

    def imported(self, node: ast.expr) -> tuple[str, str] | None:
        """The module of an expression that is a name of one, and the name."""
        dotted = ast.unparse(node)
        first, _, rest = dotted.partition(".")
        if first in self.members:
            module, name = self.members[first]
            return module, f"{name}.{rest}" if rest else name
        home = max((one for one in self.modules if dotted.startswith(f"{one}.")), key=len, default=None)
        return None if home is None else (self.modules[home], dotted.removeprefix(f"{home}."))

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        found = self.imported(node)
        return self.generic_visit(node) if found is None else parsed(self.names.name(*found))

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """`Mode["TRAIN"]` as `Mode.TRAIN`."""
        found = self.imported(node.value)
        name = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if found is not None and isinstance(name, str) and _is_member(*found, name):
            return ast.Attribute(self.visit(node.value), name, ast.Load())
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in self.modules:
            return parsed(self.names.module(self.modules[node.id]))
        return parsed(self.names.name(*self.members.get(node.id, ("builtins", node.id))))

    def visit_Set(self, node: ast.Set) -> ast.AST:
        self.generic_visit(node)
        node.elts.sort(key=ast.unparse)
        return node


def _is_member(module: str, cls: str, name: str) -> bool:
    """Whether a name is a member of an enumeration, and an attribute of it."""
    found = pkgutil.resolve_name(f"{module}:{cls}")
    return (
        isinstance(found, enum.EnumMeta)
        and is_class_name(name)
        and getattr(found, name, None) is found.__members__.get(name)
    )


def is_class_name(name: str) -> bool:
    """Whether a class can be called so."""
    return name.isidentifier() and not iskeyword(name) and not name.startswith("__")
