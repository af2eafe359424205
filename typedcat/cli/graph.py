"""`typedcat graph`: which values are computed from which, as a Mermaid flowchart."""

from __future__ import annotations

import argparse
import re
from collections import deque
from collections.abc import Iterable, Mapping

from ..load.pipeline import is_tune
from ..load.resolve import Reads, unresolved
from ..tree.config import BaseConfig
from ..tree.keys import format_path, parse_path
from ..tree.node import extra_of
from .common import Commands, add_command, add_config, add_overrides, find, load
from .page import Page

_TEXT = """\
Print the dependencies of a config as a Mermaid flowchart: an arrow goes from a value to what is computed from it.

examples:
  typedcat graph configs/mnist/base/cfg.py                 all dependencies
  typedcat graph configs/mnist/base/cfg.py sched           those that have to do with one key or subtree
  typedcat graph configs/mnist/base/cfg.py > deps.mmd

GitHub, GitLab, VS Code and https://mermaid.live draw it; in Markdown it stands between ```mermaid and ```.
Computed values are drawn with round corners, values that something has set with square ones.
"""
Edge = tuple[str, str]
_ENTITIES = {ord(char): f"#{ord(char)};" for char in '"#<>&`'}


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "graph", "print the dependencies as a Mermaid flowchart", _TEXT)
    add_config(parser)
    parser.add_argument("key", metavar="KEY", nargs="?", help="a value or a subtree (default: everything)")
    add_overrides(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Page:
    """Answer the command."""
    root = load(args.config, args)
    found = find(root, args.key)
    reads = extra_of(root).reads
    nodes, edges = _edges(reads)
    if found.keys:
        nodes, edges = _around(format_path(found.slot), nodes, edges)
    page = Page().line("graph LR")
    names = _identifiers(nodes)
    for path, name in names.items():
        label = path.translate(_ENTITIES)
        page.line(f'    {name}("{label}")' if path in reads else f'    {name}["{label}"]')
    for source, target in edges:
        page.line(f"    {names[source]} --> {names[target]}")
    if not nodes:
        page.line(f"    %% {_why_empty(root)}")
    return page


def _why_empty(root: BaseConfig) -> str:
    if is_tune(root) and unresolved(root):
        return "a tune config computes nothing: its dependencies are computed when the tuner makes a child"
    return "no dependencies"


def _edges(reads: Mapping[str, Reads]) -> tuple[list[str], list[Edge]]:
    """The paths that are read or computed, and (what is read, what is computed from it) of each reading."""
    nodes: dict[str, None] = {}
    edges: dict[Edge, None] = {}
    for path, known in reads.items():
        for source in known.reads:
            nodes[source] = None
            edges[source, path] = None
            if source not in reads and (holder := _computed_above(source, reads)) not in ("", path):
                nodes[holder] = None
                edges[holder, source] = None
        nodes[path] = None
    return list(nodes), list(edges)


def _computed_above(path: str, reads: Mapping[str, Reads]) -> str:
    """The subtree around a value that a dependency has returned; '' if none has."""
    keys = parse_path(path)
    above = (format_path(keys[:i]) for i in range(len(keys) - 1, 0, -1))
    return next((one for one in above if one in reads), "")


def _around(path: str, nodes: Iterable[str], edges: list[Edge]) -> tuple[list[str], list[Edge]]:
    """What the values at and below a path are computed from, directly or not, and what is computed from them."""
    keys = parse_path(path)
    start = [node for node in nodes if parse_path(node)[: len(keys)] == keys]
    back: dict[str, list[str]] = {}
    ahead: dict[str, list[str]] = {}
    for source, target in edges:
        back.setdefault(target, []).append(source)
        ahead.setdefault(source, []).append(target)
    upstream, downstream = _reachable(start, back), _reachable(start, ahead)
    kept = [(s, t) for s, t in edges if {s, t} <= upstream or {s, t} <= downstream]
    return [node for node in nodes if node in upstream | downstream], kept


def _reachable(start: Iterable[str], steps: Mapping[str, list[str]]) -> set[str]:
    found = set(start)
    work = deque(found)
    while work:
        for path in steps.get(work.popleft(), ()):
            if path not in found:
                found.add(path)
                work.append(path)
    return found


def _identifiers(paths: Iterable[str]) -> dict[str, str]:
    """A name for each path out of letters that Mermaid takes in names; the prefix keeps them off its keywords."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for path in paths:
        base = name = "k_" + re.sub(r"[^A-Za-z0-9]+", "_", path).strip("_")
        number = 1
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name)
        names[path] = name
    return names
