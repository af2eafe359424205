"""`typedcat show`: a loaded config, a subtree of it, or one value."""

from __future__ import annotations

import argparse
from collections.abc import Hashable
from typing import Any

from ..load.plain import dump, plain
from ..tree.config import BaseConfig
from ..tree.keys import ROOT, format_path
from .common import Commands, add_command, add_config, add_overrides, find, load, text_of
from .page import ANSI, Page, on_terminal

_TEXT = """\
Print a config as it is when a run gets it: everything inherited, overridden, computed and validated.

examples:
  typedcat show configs/mnist/base/cfg.py                  the whole config, as Python that builds it again
  typedcat show configs/mnist/base/cfg.py opt.ini          a subtree
  typedcat show configs/mnist/base/cfg.py opt.ini.lr       one value
  typedcat show configs/mnist/base/cfg.py -o sched.epochs=2 -o opt.ini.lr=0.1
  typedcat show configs/mnist/base/cfg.py --format json | jq .opt
  typedcat show configs/mnist/base/cfg.py "names['a.b']"   a key with a dot in its name; lists as steps[0]

YAML and JSON show classes and functions as @import.path, and what they have no word for as text.
Secrets (pydantic's SecretStr) are never shown. What a config prints goes to standard error.
"""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "show", "print a loaded config, a subtree or one value", _TEXT)
    add_config(parser)
    parser.add_argument("key", metavar="KEY", nargs="?", help="what to print (default: everything)")
    add_overrides(parser)
    parser.add_argument("--format", choices=["py", "yaml", "json"], default="py", help="(default: py)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Page:
    """Answer the command."""
    root = load(args.config, args)
    found = find(root, args.key)
    page = Page()
    if args.format != "py":
        target = args.format.upper()
        return page.add(dump(_descend(plain(root, target, lenient=True), found.keys), target))
    if not isinstance(found.value, BaseConfig):
        return page.line(text_of(root, found.keys, found.value))
    color = on_terminal()
    text = found.value.to_txt(prefix=format_path((ROOT, *found.keys)), color=color)
    return page.add(text, ANSI if color else "").add("\n")


def _descend(data: Any, keys: tuple[Hashable, ...]) -> Any:
    """The part of plain data that stands for the key; what its format has no keys for are strings there."""
    for key in keys:
        data = data[str(key)] if isinstance(data, dict) and key not in data else data[key]
    return data
