"""How a written class looks: lines of up to 120 columns, laid out as `ruff format` does."""

from __future__ import annotations

import ast
import io
import sys
import textwrap
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .stub import Names

WIDTH = 120
UNCLEAR = ("I", "O", "l")  # names that ruff refuses: of classes (E742), and of fields (E741)


@dataclass(frozen=True)
class ClassKey:
    """A field of a class, as text.

    Attributes:
        name, type, default: as they are written; a field without a default is required.
        comment: behind it, or `above` it, as it also is where it does not fit.
        method: the whole definition of one that a `@DEP` method computes.
    """

    name: str
    type: str
    default: str = ""
    comment: str = ""
    above: bool = False
    method: tuple[str, ...] = ()

    @property
    def required(self) -> bool:
        return not self.default and not self.method


def parsed(text: str) -> ast.expr:
    """The expression that a text is."""
    return ast.parse(text, mode="eval").body


def field_lines(key: ClassKey) -> Iterator[str]:
    """The lines of a field, its comment behind it or, where that is too long, above."""
    lines = _statement(f"    {key.name}: {key.type}", parsed(key.default) if key.default else None)
    comment = " ".join(key.comment.split())
    clear = key.name not in UNCLEAR
    if comment and (key.above or not clear or len(lines) > 1 or len(lines[0]) + len(comment) + 4 > WIDTH):
        yield from textwrap.wrap(comment, WIDTH, initial_indent="    # ", subsequent_indent="    # ")
        comment = ""
    if not clear:
        lines[0] += "  # noqa: E741"  # it is the key of the user
    yield from lines[:-1]
    yield lines[-1] + (f"  # {comment}" if comment else "")


def _statement(head: str, value: ast.expr | None) -> list[str]:
    if value is None:
        return [head]
    text = _laid_out(value, 4, len(head) + 3)
    if "\n" not in text and len(head) + 3 + len(text) > WIDTH >= len(text) + 8:
        text = f"(\n        {text}\n    )"
    return f"{head} = {text}".split("\n")


def _laid_out(node: ast.expr, indent: int, used: int) -> str:
    """An expression, over several lines if it does not fit behind the `used` characters of its own line."""
    line = flat(node)
    found = _parts(node)
    if used + len(line) <= WIDTH or found is None:
        return line
    begin, items, end = found
    inner = " " * (indent + 4)
    if isinstance(node, ast.Call) and len(inside := inner + line[len(begin) : -len(end)]) <= WIDTH:
        return f"{begin}\n{inside}\n{' ' * indent}{end}"
    lines = [f"{inner}{key}{_laid_out(item, indent + 4, indent + 5 + len(key))}," for key, item in items]
    return "\n".join([begin, *lines, " " * indent + end])


def _parts(node: ast.expr) -> tuple[str, list[tuple[str, ast.expr]], str] | None:
    """The brackets of an expression, and what stands in them: each with the text before it."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)) and node.elts:
        brackets = {ast.List: "[]", ast.Tuple: "()", ast.Set: "{}"}[type(node)]
        return brackets[0], [("", one) for one in node.elts], brackets[1]
    if isinstance(node, ast.Dict) and node.keys:
        pairs = zip(node.keys, node.values, strict=True)
        return "{", [(f"{flat(key)}: ", value) for key, value in pairs if key is not None], "}"
    if isinstance(node, ast.Call) and (node.args or node.keywords):
        named = [(f"{one.arg}=", one.value) for one in node.keywords]
        return f"{flat(node.func)}(", [*(("", one) for one in node.args), *named], ")"
    return None


def flat(node: ast.expr) -> str:
    """An expression on one line, its strings in double quotes where that needs no more backslashes."""
    text = ast.unparse(node)
    parts, at = [], 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.STRING and token.string.lstrip("b").startswith("'"):
            prefix, _, body = token.string[:-1].partition("'")
            if body.count('"') <= body.count("\\'"):
                body = body.replace("\\'", "'").replace('"', '\\"')
                parts += [text[at : token.start[1]], prefix, '"', body, '"']
                at = token.end[1]
    return "".join([*parts, text[at:]])


def import_blocks(names: Names) -> Iterator[list[str]]:
    """The imports, those of Python, of what is installed, and of the project itself apart."""
    plain = [(line.split()[1], line) for line in sorted(names.imports)]
    froms = [(module, _from_import(module, some)) for module, some in sorted(names.from_imports.items())]
    lines = [*plain, *froms]
    for block in range(3):
        if found := [line for module, line in lines if _block(module) == block]:
            yield found


def _from_import(module: str, names: Iterable[str]) -> str:
    ordered = sorted(names, key=_import_order)
    line = f"from {module} import {', '.join(ordered)}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"from {module} import (", *(f"    {name}," for name in ordered), ")"])


def _import_order(name: str) -> tuple[int, str, str]:
    """Constants, classes, functions, as isort has it."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return kind, name.lower(), name


def _block(module: str) -> int:
    top = module.partition(".")[0]
    spec = getattr(sys.modules.get(top), "__spec__", None)
    places = [spec.origin or "", *(spec.submodule_search_locations or ())] if spec is not None else []
    if top in sys.stdlib_module_names:
        return 0
    return 1 if top == "typedcat" or any("site-packages" in place for place in places) else 2


__all__ = ["UNCLEAR", "WIDTH", "ClassKey", "field_lines", "flat", "import_blocks", "parsed"]
