"""`typedcat init`: the settings with which checkers and editors know the configs of a project."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from textwrap import indent

from ..errors import short_path
from ..load.project import find_project
from ..static.init_project import STUBS, State, Step, carry_out, plan
from .common import Commands, add_plain_command
from .page import HEAD, NEW, PLACE, Page

_TEXT = """\
Write into a project what typed configs need, as far as it is missing. Nothing that is there is changed or overwritten.

examples:
  typedcat init                 in the project of the working directory
  typedcat init path/to/project
  typedcat init --dry-run       write nothing, only tell

  pyproject.toml                [tool.typedcat]: where configs and results lie
  configs/base/cfg.py           a first config, if there is no folder of configs
  mypy.ini, pyrightconfig.json  the stubs of `typedcat stubs` are found; not where the checker is configured already
  .pre-commit-config.yaml       a hook: stubs that are out of date stop a commit
  .gitignore                    the cache of `typedcat stubs`, results, and the children of tune configs

Lines for files that are there already are shown ("add this"), because only you know how they fit in.
The page docs/editors.md says more about each.

exit code: 0 done, 2 an error.
"""
_STYLES: dict[State, str] = {"create": NEW, "add": NEW, "there": PLACE, "tell": HEAD}
_DONE: dict[State, str] = {"create": "created", "add": "added", "there": "already there", "tell": "add this"}
_PLANNED: dict[State, str] = {**_DONE, "create": "would create", "add": "would add"}
_WIDTH = len("already there")


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_plain_command(commands, "init", "write the settings that typed configs need into a project", _TEXT)
    parser.add_argument(
        "folder", metavar="FOLDER", nargs="?", type=Path, help="the project (default: that of the working directory)"
    )
    parser.add_argument("--dry-run", action="store_true", help="write nothing, only tell")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Page:
    """Answer the command."""
    folder = Path(os.path.abspath(args.folder)) if args.folder else find_project().root
    steps = plan(folder)
    if not args.dry_run:
        carry_out(steps)
    words = _PLANNED if args.dry_run else _DONE
    page = Page()
    for step in steps:
        page.line((words[step.state].ljust(_WIDTH), _STYLES[step.state]), f"  {_where(step)}")
        if step.state == "tell":
            page.add(indent(step.text, " " * (_WIDTH + 2)))
    if not (folder / STUBS / "typedcat_catalog.pyi").exists() and not args.dry_run:
        page.line("next: typedcat stubs")
    return page


def _where(step: Step) -> str:
    note = "; where a setting has a value, keep it too" if step.state == "tell" and step.part != "repos" else ""
    return ": ".join(filter(None, (short_path(step.file), step.part))) + note
