"""`typedcat explain`: where a value comes from, what it is computed from, and what is computed from it."""

from __future__ import annotations

import argparse
import typing
from collections.abc import Hashable, Iterable
from typing import Any

from ..errors import MissingKeyError, short_repr
from ..load.pipeline import is_tune
from ..load.resolve import Reads, functions_in
from ..load.schema_fields import MASK
from ..tree.config import BaseConfig
from ..tree.fields import type_name
from ..tree.keys import format_path
from ..tree.node import extra_of
from ..tree.origin import place
from .common import (
    Commands,
    add_command,
    add_config,
    add_overrides,
    declared_at,
    find,
    is_secret,
    leaves,
    load,
    place_text,
    story,
    text_of,
    value_at,
)
from .page import HEAD, KEY, PLACE, Page

_TEXT = """\
Tell where a value comes from: its declared type, every line that set it, newest first, and what it depends on.

examples:
  typedcat explain configs/mnist/base,2xbs/cfg.py opt.ini.lr
  typedcat explain configs/mnist/base,2xbs/cfg.py opt.ini.lr -o loader.ini.batch_size=64
  typedcat explain configs/mnist/base,2xbs/cfg.py opt         every value of a subtree, one line each
  typedcat explain configs/mnist/base,2xbs/cfg.py             every value of the config
"""
_WIDEST = 48  # a column of values is not made wider for a few long ones
Row = list[str | tuple[str, str]]


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "explain", "tell where a value comes from and what it depends on", _TEXT)
    add_config(parser)
    parser.add_argument("key", metavar="KEY", nargs="?", help="a value or a subtree (default: everything)")
    add_overrides(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Page:
    """Answer the command."""
    root = load(args.config, args)
    found = find(root, args.key)
    page = Page()
    if not isinstance(found.value, BaseConfig):
        return _explain(page, root, found.slot)
    reads = extra_of(root).reads
    if found.path in reads:
        page.line((found.path, KEY))
        _explain_dependency(page, root, found.keys, reads[found.path].functions)
    return _list(page, root, leaves(root, found.value))


# -- one value


def _explain(page: Page, root: BaseConfig, keys: tuple[Hashable, ...]) -> Page:
    found = value_at(root, keys)
    path = format_path(keys)
    page.line((path, KEY), " = ", text_of(root, keys, found))
    field = declared_at(root, keys)
    if field is not None:
        where = place(field.where)
        at = "" if where.line is None else f"  {where}"
        page.line("  declared as ", _type_text(field.annotation), (at, PLACE))
    known = extra_of(root).reads.get(path)
    functions = known.functions if known is not None else functions_in(found)
    _explain_history(page, root, keys, bool(known))
    if functions:
        _explain_dependency(page, root, keys, functions)
    readers = [one for one in extra_of(root).reads.values() if path in one.reads]
    if readers:
        page.line(("  read by", HEAD))
        _table(page, [_row(root, one.key) for one in readers])
    return page


def _explain_history(page: Page, root: BaseConfig, keys: tuple[Hashable, ...], computed: bool) -> None:
    steps = story(root, keys)
    if not steps:
        return
    secret = is_secret(root, keys, value_at(root, keys))
    page.line(("  history, newest first", HEAD))
    rows: list[Row] = []
    for i, step in enumerate(steps):
        value = MASK if secret else short_repr(step.value)
        rows.append([value, (place_text(step, computed and i == 0), PLACE)])
    _table(page, rows)


def _explain_dependency(page: Page, root: BaseConfig, keys: tuple[Hashable, ...], functions: Iterable[str]) -> None:
    page.line(("  computed by", HEAD))
    for function in functions:
        page.line("    ", function)
    known: Reads | None = extra_of(root).reads.get(format_path(keys))
    if known is not None and known.reads:
        page.line(("  which reads", HEAD))
        _table(page, [_row(root, path) for path in known.reads])
    elif known is not None:
        page.line("  which reads nothing of the config")
    elif is_tune(root):
        page.line("  when the tuner makes a child; a tune config computes nothing")


def _row(root: BaseConfig, path: str) -> Row:
    """One line about another key."""
    try:
        found = find(root, path)
    except MissingKeyError:  # a dependency may return a subtree that has other keys than the one it replaces
        return [(path, KEY), ""]
    steps = story(root, found.slot)
    value = "" if isinstance(found.value, BaseConfig) else f" = {_short(root, found.keys, found.value)}"
    return [f"{path}{value}", (place_text(steps[0], path in extra_of(root).reads) if steps else "", PLACE)]


def _type_text(annotation: Any) -> str:
    """A type as it was declared, with what `Annotated` says about it."""
    parts = [type_name(annotation)]
    for extra in typing.get_args(annotation)[1:] if typing.get_origin(annotation) is typing.Annotated else ():
        parts += [short_repr(one) for one in getattr(extra, "metadata", None) or [extra]]
    return ", ".join(parts)


# -- many values


def _list(page: Page, root: BaseConfig, found: Iterable[tuple[tuple[Hashable, ...], Any]]) -> Page:
    """One line per value: what it is, where it was set, and what that overrode."""
    reads = extra_of(root).reads
    rows: list[Row] = []
    for keys, value in found:
        path = format_path(keys)
        steps = story(root, keys)
        notes = place_text(steps[0], path in reads) if steps else ""
        if len(steps) > 1:
            older = MASK if is_secret(root, keys, value) else short_repr(steps[1].value, 40)
            notes += f", overrides {older} ({place_text(steps[1])})"
        rows.append([f"{path} = {_short(root, keys, value)}", (notes, PLACE)])
    _table(page, rows, indent="")
    return page


def _table(page: Page, rows: list[Row], indent: str = "    ") -> None:
    """Rows of two cells, the second ones below each other where that takes no wide gap."""
    widths = [len(_plain(row[0])) for row in rows]
    width = max((one for one in widths if one <= _WIDEST), default=0)
    for row, own in zip(rows, widths, strict=True):
        if not _plain(row[1]):
            page.line(indent, row[0])
        else:
            page.line(indent, row[0], " " * (max(width - own, 0) + 2), row[1])


def _plain(cell: str | tuple[str, str]) -> str:
    return cell if isinstance(cell, str) else cell[0]


def _short(root: BaseConfig, keys: tuple[Hashable, ...], value: Any) -> str:
    if isinstance(value, BaseConfig):
        return "Config()"
    return MASK if is_secret(root, keys, value) else short_repr(value)
