"""Dependencies that can move into the body of a class as `@DEP` methods: which ones, and their text."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable
from types import FunctionType
from typing import Any

from ..tree.config import BaseConfig
from ..tree.node import WHOLE_CONFIG


def starts_at(node: BaseConfig, key: str) -> bool:
    """Whether the function of a dependency gets the node that holds it."""
    anchor = node.__extra__.anchors.get(key) if node.__extra__ is not None else None
    return anchor == (0, ()) or (anchor == WHOLE_CONFIG and node.__parent__ is None)


def expression_of(function: Any) -> tuple[str, ast.expr] | None:
    """The parameter and the result of a function that is a single expression of it, and nothing but that."""
    if not isinstance(function, FunctionType) or function.__closure__ or function.__defaults__:
        return None
    code = function.__code__
    try:
        tree = ast.parse("".join(linecache.getlines(code.co_filename)))
    except (SyntaxError, RecursionError, MemoryError):
        return None
    found = [one for one in ast.walk(tree) if _first_line(one) == code.co_firstlineno]
    if len(found) != 1 or not isinstance(one := found[0], (ast.Lambda, ast.FunctionDef)):
        return None
    if [*map(len, (one.args.args, one.args.posonlyargs, one.args.kwonlyargs))] != [1, 0, 0]:
        return None
    if one.args.vararg or one.args.kwarg:
        return None
    if isinstance(one, ast.Lambda):
        return one.args.args[0].arg, one.body
    body = one.body[1:] if ast.get_docstring(one) is not None else one.body
    if len(body) == 1 and isinstance(body[0], ast.Return) and body[0].value is not None:
        return one.args.args[0].arg, body[0].value
    return None


def _first_line(node: ast.AST) -> int | None:
    """Where Python says that a function begins."""
    if isinstance(node, ast.FunctionDef) and node.decorator_list:
        return node.decorator_list[0].lineno
    return node.lineno if isinstance(node, (ast.FunctionDef, ast.Lambda)) else None


_NUMBERS = (int, float)
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod)  # not `**`, whose type depends on the values


class NumberChecker:
    """Tells what a checker would say a number is, of the few forms of expressions that it surely understands.

    Args:
        argument: the name of the node in the expression.
        scope: the names around the function, which may hide built-in functions.
        below: the type of the value at a path below the node.
    """

    def __init__(
        self, argument: str, scope: dict[str, Any], below: Callable[[tuple[str, ...]], type[Any] | None]
    ) -> None:
        self.argument = argument
        self.scope = scope
        self.below = below

    def kind(self, node: ast.expr) -> type[Any] | None:
        """The type of an expression; None if it is not clear, or no number."""
        found: type[Any] | None = None
        if isinstance(node, ast.Constant):
            found = type(node.value)
        elif isinstance(node, ast.Attribute):
            found = self.attribute(node)
        elif isinstance(node, ast.BinOp):
            kinds = {self.kind(node.left), self.kind(node.right)}
            if None not in kinds and isinstance(node.op, (*_OPERATORS, ast.Div)):
                found = float if float in kinds or isinstance(node.op, ast.Div) else int
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            found = self.call(node.func.id, [self.kind(one) for one in node.args])
        return found if found in _NUMBERS else None

    def attribute(self, node: ast.expr) -> type[Any] | None:
        """`c.loader.batch_size`."""
        path: list[str] = []
        while isinstance(node, ast.Attribute):
            path.insert(0, node.attr)
            node = node.value
        return self.below(tuple(path)) if isinstance(node, ast.Name) and node.id == self.argument else None

    def call(self, name: str, given: list[type[Any] | None]) -> type[Any] | None:
        """Of a built-in function."""
        if name in self.scope or None in given:
            return None
        if len(given) == 1:
            return {"round": int, "int": int, "float": float}.get(name)
        return given[0] if name in ("max", "min") and len({*given}) == 1 else None


__all__ = ["NumberChecker", "expression_of", "starts_at"]
