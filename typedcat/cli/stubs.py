"""`typedcat stubs`: type stubs for every config of a project, and the catalog that finds them by path."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from ..errors import TypedcatError, short_path
from ..load.project import find_project
from ..static.cache import Made
from ..static.generate import Report, generate
from ..static.init_project import STUBS
from ..static.pool import LONGEST_S
from ..static.sources import ENDINGS, find_configs
from .common import Commands, add_jobs, add_plain_command, own_configs, progress_bar
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
A config that cannot be read is reported, and its stub allows everything; the others are not affected. With --watch
the stub stays as it was, until the config can be read again.

exit code: 0 done, 1 a config cannot be read, or (--check) a stub is out of date, 2 an error.
"""
Times = dict[Path, int]
_POLL_S = 0.5  # looking at the files works on network file systems too, which tell nobody about changes


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_plain_command(commands, "stubs", "write type stubs for all configs", _TEXT)
    parser.add_argument(
        "config_root", metavar="CONFIG_ROOT", nargs="?", help="a folder or file (default: the project's config root)"
    )
    parser.add_argument("-o", "--output", metavar="DIR", help="(default: stubs, beside the project's pyproject.toml)")
    parser.add_argument("--check", action="store_true", help="write nothing, only tell what is out of date")
    parser.add_argument("--watch", action="store_true", help="write again whenever a file is saved")
    add_jobs(parser, LONGEST_S)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Page:
    """Answer the command."""
    project = find_project()
    root = Path(args.config_root).absolute() if args.config_root else project.configs
    out = Path(args.output).absolute() if args.output else project.root / STUBS
    shown = args.output or short_path(out)

    def once(last_good: dict[str, Made] | None = None) -> Page:
        if not args.config_root:
            own_configs("stubs")
        with progress_bar("stubs") as progress:
            report = generate(
                find_configs(root), out, top=project.root, dry_run=args.check, jobs=args.jobs,
                timeout_s=args.timeout, progress=progress, last_good=last_good,
            )  # fmt: skip
        return answer(report, shown, args.check, root)

    if args.watch:
        _watch(once, root, out)
    return once()


def answer(report: Report, output: str, check: bool, root: Path) -> Page:
    """What the command says about the configs below a folder."""
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
    if not total:
        page.line(f"  there are no configs in {short_path(root)}: a .py config is one that defines cfg or config")
        page.line("  name their folder: typedcat stubs path/to/configs, or set config_root below [tool.typedcat]")
    return page


def _with_name(name: str, error: TypedcatError) -> str:
    """The message, after the config if it does not begin with a file itself, and where in the config it was."""
    text = "\n  ".join([str(error), *map(str.strip, getattr(error, "__notes__", ()))])
    return text if text.startswith(name) else f"{name}: {text}"


def _watch(once: Callable[[dict[str, Made]], Page], root: Path, out: Path) -> None:
    """Run again and again, until Ctrl-C: after a change of a config, and when stubs have been changed or removed.

    Of a config that cannot be read the last good stub stays, so that editors keep its keys while somebody types.
    """
    last_good: dict[str, Made] = {}
    seen: tuple[Times, Times] | None = None
    while True:
        configs, stubs = _configs_in(root), _times(out.rglob("*.pyi"))
        if (configs, stubs) != seen:
            _told(once, last_good).write(error=True)
            seen = configs, _times(out.rglob("*.pyi"))
        time.sleep(_POLL_S)


def _told(once: Callable[[dict[str, Made]], Page], last_good: dict[str, Made]) -> Page:
    """What one run says; an error does not end the watch, as the next save may mend it."""
    try:
        return once(last_good)
    except TypedcatError as error:
        return Page().line(("error: ", ERROR), str(error))


def _configs_in(root: Path) -> Times:
    """Of every config, and of every Python file beside the folder of configs, which they may import."""
    folder = root if root.is_dir() else root.parent
    files = itertools.chain(folder.rglob("*"), folder.parent.glob("*.py"))
    return _times(file for file in files if file.suffix in ENDINGS)


def _times(files: Iterable[Path]) -> Times:
    """When each file was changed last."""
    found: Times = {}
    with contextlib.suppress(OSError):  # a folder is removed meanwhile; the next look sees the rest
        for file in files:
            with contextlib.suppress(OSError):
                found[file] = file.stat().st_mtime_ns
    return found
