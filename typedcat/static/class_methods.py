"""Dependencies that can move into the body of a class as `@DEP` methods: which ones, and their text."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable, Hashable
from types import FunctionType
from typing import Any

from ..tree.config import BaseConfig
from ..tree.node import WHOLE_CONFIG, path_to


def way_to(node: BaseConfig, key: str) -> tuple[Hashable, ...] | None:
    """The keys from where the function of a dependency starts down to the node that holds it; None if not above it."""
    anchor = node.__extra__.anchors.get(key) if node.__extra__ is not None else None
    path = path_to(node)
    if anchor == WHOLE_CONFIG:
        return path
    if anchor is None or anchor[1] or anchor[0] > len(path):
        return None
    return path[len(path) - anchor[0] :]


def as_method_body(argument: str, expression: ast.expr, way: tuple[Hashable, ...] | None) -> ast.expr | None:
    """An expression of a node as one of `self`; None if it reads what does not lie below `self`.

    Args:
        argument: what the expression calls the node.
        expression: it does not survive.
        way: the keys from the node to `self`: of `c.loader.batch_size`, `loader`. None if there is no such way.
    """
    if way is None:
        return None
    moved = _OfSelf(argument, way)
    body: ast.expr = moved.visit(expression)
    return None if moved.reads_more else body


class _OfSelf(ast.NodeTransformer):
    """`c.loader.batch_size` as `self.batch_size`."""

    def __init__(self, argument: str, way: tuple[Hashable, ...]) -> None:
        self.argument = argument
        self.way = way
        self.reads_more = False

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        path, start = attributes(node)
        if not isinstance(start, ast.Name) or start.id != self.argument:
            return self.generic_visit(node)
        self.reads_more |= path[: len(self.way)] != self.way or len(path) == len(self.way)
        made: ast.expr = ast.Name("self", ast.Load())
        for name in path[len(self.way) :]:
            made = ast.Attribute(made, name, ast.Load())
        return made

    def visit_Name(self, node: ast.Name) -> ast.AST:
        self.reads_more |= node.id == self.argument
        return node


def attributes(node: ast.expr) -> tuple[tuple[str, ...], ast.expr]:
    """The names of `c.loader.batch_size` after its start, and the start."""
    path: list[str] = []
    while isinstance(node, ast.Attribute):
        path.insert(0, node.attr)
        node = node.value
    return tuple(path), node


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
        scope: the names around the function, which may hide built-in functions.
        below: the type of the value at a path below `self`.
    """

    def __init__(self, scope: dict[str, Any], below: Callable[[tuple[str, ...]], type[Any] | None]) -> None:
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
        path, start = attributes(node)
        return self.below(path) if isinstance(start, ast.Name) and start.id == "self" else None

    def call(self, name: str, given: list[type[Any] | None]) -> type[Any] | None:
        """Of a built-in function."""
        if name in self.scope or None in given:
            return None
        if len(given) == 1:
            return {"round": int, "int": int, "float": float}.get(name)
        return given[0] if name in ("max", "min") and len({*given}) == 1 else None


__all__ = ["NumberChecker", "as_method_body", "expression_of", "way_to"]
