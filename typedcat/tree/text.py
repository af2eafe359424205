"""Text of a tree: Python that builds it again, a dict on one line, and a foldable tree for notebooks."""

from __future__ import annotations

import cmath
import html
import pprint
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from ..errors import readable, short_repr
from .keys import join
from .node import WHOLE, Node, plain_class
from .walk import methods_of, named_branches

LEAVES = "# ------- ↓ LEAVES ↓ ------- #"
Mask = Callable[[Node, Hashable, Any], Any]
BASE: Hashable = object()  # as a key: the value is one that the node inherits from
maskers: list[Callable[[Node], Mask]] = []
"""Give what is shown of a value, by (node, key, value); loading, which knows the types, hides secrets here."""

_SPECIAL, _NAME, _EMPTY, _OFF = "\x1b[35m", "\x1b[36m", "\x1b[33m", "\x1b[0m"


class _Printer(pprint.PrettyPrinter):
    """`pprint` that writes inf and nan, which have no literal, as Python that gives them."""

    def format(self, object: Any, context: Any, maxlevels: Any, level: Any) -> tuple[str, bool, bool]:
        if type(object) in (float, complex) and not cmath.isfinite(object):
            return f"{type(object).__name__}('{object}')", True, False
        return super().format(object, context, maxlevels, level)


_printer = _Printer(width=100, sort_dicts=False)


def leaf_text(value: Any) -> str:
    """One value as Python where it has such a form, else its `repr`."""
    try:
        return readable(_printer.pformat(value))
    except Exception:  # noqa: BLE001 - one value whose repr() is broken, or too deep, must not hide all others
        return short_repr(value)


def mask_of(tree: Node) -> Mask:
    """What is shown of the values of a tree, by (node, key, value)."""
    return maskers[0](tree) if maskers else lambda node, key, value: value


def to_txt(tree: Node, prefix: str, color: bool) -> str:
    """See `Tree.to_txt`.

    Raises:
        ValueError: the prefix is empty.
    """
    root = prefix.removesuffix(".")
    if not root:
        raise ValueError("prefix must be the name of the tree, such as 'cfg'")

    def paint(name: str, code: str) -> str:
        return f"{code}{name}{_OFF}" if color else name

    mask = mask_of(tree)
    lines = [f"{paint(root, _SPECIAL)} = {_constructor(tree, mask)}"]
    if tree.__state__ & WHOLE:
        lines.append(f"{paint(root, _SPECIAL)}.override(True)")
    for name, at in named_branches(tree, root, runs=True):
        if at is not tree and isinstance(at, Node):
            if _inherits(at):
                lines.append(f"{paint(name, _SPECIAL)} = {_constructor(at, mask)}")
            if at.__state__ & WHOLE:
                lines.append(f"{paint(name, _SPECIAL)}.override(True)")
    lines.append(LEAVES)
    for name, value in _leaves(tree, root, mask):
        if isinstance(value, Node) and isinstance(value, tree.__branch_type__):
            lines.append(f"{paint(name, _EMPTY)} = {plain_class(value).__name__}()")
        else:
            lines.append(f"{paint(name, _NAME)} = {leaf_text(value)}")
    return "\n".join(lines)


def _inherits(node: Node) -> bool:
    return node.__extra__ is not None and bool(node.__extra__.caps)


def _constructor(node: Node, mask: Mask) -> str:
    extra = node.__extra__
    name = plain_class(node).__name__
    if extra is None or not extra.caps:
        return f"{name}()"
    caps = f"caps=({', '.join(repr(mask(node, BASE, cap.base)) for cap in extra.caps)},)"
    return f"Config(schema={name}, {caps})" if node.__typed__ else f"{name}({caps})"


def _leaves(tree: Node, root: str, mask: Mask) -> Iterator[tuple[str, Any]]:
    """Leaves and empty subtrees, in the order of the keys."""
    seen = {id(tree)}
    stack: list[tuple[str, Any, Iterator[tuple[Any, Any]]]] = [(root, tree, iter(list(dict.items(tree))))]
    while stack:
        prefix, at, items = stack[-1]
        branch_type: Any = at.__branch_type__ if isinstance(at, Node) else dict
        for key, value in items:
            path = join(prefix, key, methods_of(at))
            if not isinstance(value, branch_type):
                yield path, mask(at, key, value)
            elif id(value) in seen:
                continue
            elif len(value) == 0 and not (isinstance(value, Node) and (value.__state__ & WHOLE or _inherits(value))):
                yield path, value
            else:
                seen.add(id(value))
                stack.append((path, value, iter(list(dict.items(value)))))
                break
        else:
            stack.pop()


def to_repr(tree: Node) -> str:
    """The tree as the `repr` of a dict, at any depth."""
    parts: list[str] = ["{"]
    mask = mask_of(tree)
    stack: list[tuple[Any, Iterator[tuple[Any, Any]], bool]] = [(tree, iter(list(dict.items(tree))), True)]
    open_ids = {id(tree)}
    while stack:
        at, items, first = stack.pop()
        for key, value in items:
            parts.append(f"{'' if first else ', '}{key!r}: ")
            first = False
            if not isinstance(value, Node):
                parts.append(repr(mask(at, key, value)))
            elif id(value) in open_ids:
                parts.append("{...}")
            else:
                parts.append("{")
                open_ids.add(id(value))
                stack.append((at, items, False))
                stack.append((value, iter(list(dict.items(value))), True))
                break
        else:
            parts.append("}")
            open_ids.discard(id(at))
    return "".join(parts)


_STYLE = "margin:0 0 0 1.2em;font-family:monospace"


def to_html(tree: Node) -> str:
    """A foldable tree; folded below the second level."""
    parts: list[str] = [f"<div style='{_STYLE}'>"]
    stack: list[tuple[Any, Iterator[tuple[Any, Any]], str]] = [(tree, iter(list(dict.items(tree))), "</div>")]
    seen = {id(tree)}
    mask = mask_of(tree)
    while stack:
        at, items, end = stack[-1]
        for key, value in items:
            name = html.escape(str(key))
            if isinstance(value, Node) and id(value) not in seen:
                seen.add(id(value))
                unfold = " open" if len(stack) < 3 else ""
                parts.append(f"<details style='{_STYLE}'{unfold}><summary><b>{name}</b></summary>")
                stack.append((value, iter(list(dict.items(value))), "</details>"))
                break
            shown = html.escape(leaf_text(mask(at, key, value)))
            parts.append(f"<div style='{_STYLE}'><b>{name}</b>: {shown}</div>")
        else:
            parts.append(end)
            stack.pop()
    return "".join(parts)
