"""What an expression in YAML is worth, worked out without running it: `[[x, x * 2**(1.0/3)] for x in [32, 64]]`.

detectron2 has such texts below the tag `!!python/object/apply:eval`. Here they are data: numbers, texts, lists, tuples,
arithmetic, comprehensions over those, and `int`, `float`, `list`, `tuple` and `range` of them. There are no other
calls, no attributes or indices, no names but those that a comprehension binds, and the work is bounded, so an
expression reaches nothing and ends soon.
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

__all__ = ["evaluate", "parse"]

_MAX_CHARACTERS = 4_000
_MAX_STEPS = 10_000
_MAX_BITS = 4_096  # of an int
_NUMBERS = (int, float, bool)
_LITERALS = (*_NUMBERS, str, type(None))
_NUMBER_OF: dict[str, Callable[[Any], Any]] = {"int": int, "float": float}
_SEQUENCE_OF: dict[str, Callable[[Any], Any]] = {"list": list, "tuple": tuple}
_RANGE = "range"
_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}

_Names = Mapping[str, Any]


def evaluate(text: str) -> Any:
    """The value of an expression: what Python's `eval` gives for it.

    Args:
        text: the expression.

    Returns:
        A number, a text, None, or a list or tuple of such, in which no list occurs twice.

    Raises:
        ValueError: it is no expression, or it has more in it than data.
    """
    if len(text) > _MAX_CHARACTERS:
        raise ValueError(f"has more than {_MAX_CHARACTERS:,} characters")
    try:
        return _Evaluator().value(parse(text.strip()).body, {})
    except SyntaxError as error:
        raise ValueError(f"is no expression of Python: {error.msg}") from error
    except (RecursionError, MemoryError) as error:
        raise ValueError("is nested too deeply") from error
    except ArithmeticError as error:
        raise ValueError(f"has no value: {error}") from error


def parse(text: str) -> ast.Expression:
    """The syntax tree of an expression; the warnings that Python has about some texts mean nothing here.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: there is none.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text, mode="eval")


class _Evaluator:
    """The values of the nodes of one expression, and how many there may still be."""

    def __init__(self) -> None:
        self.steps = _MAX_STEPS

    def value(self, node: ast.expr, names: _Names) -> Any:
        self.spend(1)
        if isinstance(node, ast.Constant) and isinstance(node.value, _LITERALS):
            return node.value
        if isinstance(node, ast.Name) and node.id in names:
            return self.copied(names[node.id])
        if isinstance(node, ast.List):
            return [self.value(item, names) for item in node.elts]
        if isinstance(node, ast.Tuple):
            return tuple(self.value(item, names) for item in node.elts)
        if isinstance(node, ast.ListComp):
            return list(self.rounds(node.elt, node.generators, names, self.without_targets(node, names)))
        if isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATORS:
            return _computed(node, self.value(node.operand, names))
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return _computed(node, self.value(node.left, names), self.value(node.right, names))
        if isinstance(node, ast.Call) and len(node.args) == 1 and (name := _called(node, names)) in _NUMBER_OF:
            return _NUMBER_OF[name](_number(node, self.value(node.args[0], names)))
        if isinstance(node, ast.Call) and len(node.args) == 1 and (name := _called(node, names)) in _SEQUENCE_OF:
            return _SEQUENCE_OF[name](self.iterated(node.args[0], names))
        raise _refused(node, "is more than numbers, lists, tuples, arithmetic and comprehensions over them")

    def iterated(self, node: ast.expr, names: _Names) -> Sequence[Any]:
        """The items that are gone through: those of a list, a tuple or a `range`."""
        if isinstance(node, ast.Call) and _called(node, names) == _RANGE:
            bounds = [_number(node, self.value(one, names)) for one in node.args]
            if not 1 <= len(bounds) <= 3 or not all(isinstance(one, int) for one in bounds):
                raise _refused(node, "wants one to three whole numbers")
            numbers = range(*bounds)
            self.spend(len(numbers))
            return numbers
        values = self.value(node, names)
        if not isinstance(values, (list, tuple)):
            raise _refused(node, "is no list to go through")
        return values

    def rounds(self, item: ast.expr, loops: list[ast.comprehension], names: _Names, inside: _Names) -> Iterator[Any]:
        """The items of `[item for ... in ... for ...]`; `inside` are the names that hold from the second loop on."""
        if not loops:
            yield self.value(item, names)
            return
        loop, *rest = loops
        if loop.ifs or loop.is_async:
            raise ValueError("has a comprehension with conditions in it")
        for value in self.iterated(loop.iter, names):
            bound = {**inside, **self.bound(loop.target, value)}
            yield from self.rounds(item, rest, bound, bound)

    def without_targets(self, node: ast.ListComp, names: _Names) -> _Names:
        """The names around a comprehension that it has not for its own."""
        targets = (part for loop in node.generators for part in ast.walk(loop.target))
        own = {part.id for part in targets if isinstance(part, ast.Name)}
        self.spend(len(own))
        return {name: value for name, value in names.items() if name not in own}

    def bound(self, target: ast.expr, value: Any) -> dict[str, Any]:
        """The names that one round of a comprehension gives values to."""
        self.spend(1)
        if isinstance(target, ast.Name):
            return {target.id: value}
        if not isinstance(target, (ast.Tuple, ast.List)) or not isinstance(value, (list, tuple)):
            raise _refused(target, f"is no name for {value!r:.40}")
        if len(target.elts) != len(value):
            raise _refused(target, f"are {len(target.elts)} names for {len(value)} values")
        found: dict[str, Any] = {}
        for one, part in zip(target.elts, value, strict=True):
            found |= self.bound(one, part)
        return found

    def copied(self, value: Any) -> Any:
        """What a name stands for, as data of its own: what is used twice counts twice."""
        self.spend(1)
        return type(value)(map(self.copied, value)) if isinstance(value, (list, tuple)) else value

    def spend(self, steps: int) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise ValueError(f"has more than {_MAX_STEPS:,} values")


def _computed(node: ast.UnaryOp | ast.BinOp, *operands: Any) -> Any:
    """The result of an operator, if it is a number of a size that makes sense."""
    for one in operands:
        _number(node, one)
    if isinstance(node.op, ast.Pow):
        base, exponent = operands
        if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * exponent > _MAX_BITS:
            raise _refused(node, "is too large")
    result = _OPERATORS[type(node.op)](*operands)
    if not isinstance(result, _NUMBERS):  # the root of a negative number is complex
        raise _refused(node, "is no real number")
    if isinstance(result, int) and result.bit_length() > _MAX_BITS:
        raise _refused(node, "is too large")
    return result


def _called(node: ast.Call, names: _Names) -> str:
    """The name of what is called by position, if it means what Python has by that name; else ''."""
    function = node.func
    return function.id if isinstance(function, ast.Name) and function.id not in names and not node.keywords else ""


def _number(node: ast.expr, value: Any) -> Any:
    if not isinstance(value, _NUMBERS):
        raise _refused(node, "calculates with something that is no number")
    return value


def _refused(node: ast.expr, reason: str) -> ValueError:
    return ValueError(f"{ast.unparse(node)!r:.60} {reason}")
