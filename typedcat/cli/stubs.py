"""`typedcat stubs`: type stubs for every config of a project, and the catalog that finds them by path."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from ..console import status
from ..errors import TypedcatError
from ..load.project import find_project
from ..static.generate import Report, generate
from ..static.pool import LONGEST_S
from ..static.sources import find_configs
from .common import Commands, add_jobs, add_plain_command, progress_bar
from .page import ERROR, GONE, HEAD, NEW, Page

_TEXT = """\
Write a type stub for every config below a folder, so that mypy, pyright and editors know each key and its type.

examples:
  typedcat stubs                        stubs/ for every config below the project's config root
  typedcat stubs configs -o stubs       the same, spelled out
  typedcat stubs --check                write nothing; exit code 1 if a stub is out of date (for CI and pre-commit)
  typedcat stubs --watch                write again whenever a file is saved, until Ctrl-C

Besides one .pyi per config there is typedcat_catalog.pyi: with it `from typedcat_catalog import load_config` gives
load_config('configs/base/cfg.py') the type of that config. mypy takes the folder as mypy_path, pyright as stubPath.
A config that cannot be read is reported, and its stub allows everything; the others are not affected.

exit code: 0 done, 1 a config cannot be read, or (--check) a stub is out of date, 2 an error.
"""
_POLL_S = 0.5  # looking at the files works on network file systems too, which tell nobody about changes


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_plain_command(commands, "stubs", "write type stubs for all configs", _TEXT)
    parser.add_argument(
        "config_root", metavar="CONFIG_ROOT", nargs="?", help="a folder or file (default: the project's config root)"
    )
    parser.add_argument("-o", "--output", metavar="DIR", default="stubs", help="(default: %(default)s)")
    parser.add_argument("--check", action="store_true", help="write nothing, only tell what is out of date")
    parser.add_argument("--watch", action="store_true", help="write again whenever a file is saved")
    add_jobs(parser, LONGEST_S)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Page:
    """Answer the command."""
    project = find_project()
    root = Path(args.config_root).absolute() if args.config_root else project.root / (project.config_root or "configs")
    out = Path(args.output).absolute()

    def once() -> Report:
        with progress_bar("stubs") as progress:
            return generate(
                find_configs(root), out, top=project.root, dry_run=args.check, jobs=args.jobs,
                timeout_s=args.timeout, progress=progress,
            )  # fmt: skip

    if args.watch:
        _watch(once, root)
    return answer(once(), args.output, args.check)


def answer(report: Report, output: str, check: bool) -> Page:
    """What the command says."""
    page = Page(code=1 if report.errors or (check and (report.written or report.removed)) else 0)
    if check:
        for name in report.written:
            page.line(("out of date ", GONE), f"{output}/{name}")
        for name in report.removed:
            page.line(("without a config ", GONE), f"{output}/{name}")
    for name, error in report.errors.items():
        page.line(("error: ", ERROR), _with_name(name, error))
    total, bad = len(report.configs), len(report.errors)
    changed = f"{len(report.written)} written, {len(report.removed)} removed"
    if check:
        fine = not (report.written or report.removed)
        changed = "all up to date" if fine else "out of date: run typedcat stubs"
    summary = f"{output}: {total} config{'s' * (total != 1)}, {changed}"
    page.line((summary, NEW if page.code == 0 else HEAD), f", {bad} cannot be read" if bad else "")
    return page


def _with_name(name: str, error: TypedcatError) -> str:
    """The message, after the config if it does not begin with a file itself."""
    text = str(error)
    return text if text.startswith(name) else f"{name}: {text}"


def _watch(once: Callable[[], Report], root: Path) -> None:
    """Run again and again, until Ctrl-C."""
    console = status()
    seen: dict[Path, int] = {}
    while True:
        now = _modification_times(root)
        if now != seen:
            seen = now
            report = once()
            console.print(str(answer(report, "stubs", check=False)), end="", markup=False, highlight=False)
        time.sleep(_POLL_S)


def _modification_times(root: Path) -> dict[Path, int]:
    """Of every config, and of every Python file beside the folder of configs, which they may import."""
    folder = root if root.is_dir() else root.parent
    files = {*folder.rglob("*"), *folder.parent.glob("*.py")}
    return {file: file.stat().st_mtime_ns for file in files if file.suffix in (".py", ".yaml", ".yml", ".json")}
