"""`typedcat check`: everything that can be known to be wrong with configs before a run starts."""

from __future__ import annotations

import argparse
import functools
import os
from collections.abc import Iterator
from pathlib import Path

from ..errors import ProjectError, short_path
from ..load.inherit import RESULT_DIR
from ..load.project import find_project
from ..static.check_config import Child, check_configs
from ..static.findings import Checked, Finding, beside, json_text, ordered, summary, text_lines, united
from ..static.pool import LONGEST_S
from ..static.run_mypy import is_installed, type_errors
from ..static.sources import find_configs
from ..static.unnamed import unnamed_configs
from ..tree.config import BaseConfig
from ..tree.origin import Place
from ..tune.grid.grid import Grid
from .common import Commands, add_jobs, add_plain_command, own_configs, progress_bar
from .page import ERROR, HEAD, NEW, PLACE, Page

_TEXT = """\
Check configs before anything runs: they load, their dependencies can be computed, their values fit the schema, each \
child of a tune config can be built, `ini` has only arguments that `cls` takes, of types that it declares, no new key \
is one slip away from an inherited one or from a setting of Config and Cfg2Tune, and each config is called cfg in its \
file. Then mypy checks all Python configs at once, whatever their folders are called.

examples:
  typedcat check                            every config below the project's config root
  typedcat check configs/mnist cfg.yaml     some of them
  typedcat check --no-mypy --format json    without types, for programs

A line that is meant as it is: `cfg.epoch = 1  # typedcat: ignore[near-miss]`; mypy has its own `type: ignore`.
A file that others inherit from or mount need not be complete by itself.

codes: load, missing-base, dependency, validation, unknown-argument, argument-type, near-miss, tune, and mypy's.
exit code: 0 no problems, 1 problems were found, 2 the configs could not be checked.
"""
_NO_MYPY = "mypy is not installed, so types were not checked: pip install 'typedcat[check]'"


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_plain_command(commands, "check", "find what is wrong with configs before anything runs", _TEXT)
    parser.add_argument(
        "paths", metavar="PATH", nargs="*", help="folders or files (default: the project's config root)"
    )
    parser.add_argument("--no-mypy", action="store_true", help="leave types out")
    parser.add_argument("--format", choices=["text", "json"], default="text", help="(default: text)")
    add_jobs(parser, LONGEST_S)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Page:
    """Answer the command."""
    configs, unnamed = _configs(args.paths)
    with progress_bar("check") as progress:
        checked = check_configs(configs, children, jobs=args.jobs, timeout_s=args.timeout, progress=progress)
    findings = united([*checked, *unnamed], _used(checked, args) if args.paths else frozenset())
    as_json, count = args.format == "json", len(configs) + len(unnamed)
    if args.no_mypy or not is_installed():
        return answer(findings, count, as_json, note="" if args.no_mypy else _NO_MYPY)
    try:
        findings += beside(findings, _type_errors(checked, args))
    except ProjectError:  # what is known by now is worth more than nothing
        answer(findings, count, as_json).write()
        raise
    return answer(findings, count, as_json)


def children(tree: BaseConfig) -> Iterator[Child]:
    """The name of each child of a tune config, and what builds it.

    Raises:
        TuneError: the grid cannot be walked.
    """
    grid = Grid(tree)
    if not dict.__contains__(grid.base, RESULT_DIR):  # it lies outside of the config root, where no run starts
        grid.base.__put__(RESULT_DIR, os.curdir, Place(grid.source, None, "folder"))
    for point in grid.points():
        yield point.folder, functools.partial(grid.child, point)


def _configs(names: list[str]) -> tuple[list[Path], list[Checked]]:
    """The config files below what the user named, each once; and those that nothing would load, with what is wrong."""
    roots = [Path(os.path.abspath(name)) for name in names] or [own_configs("check")]
    for root in roots:
        if not root.exists():
            raise ProjectError(f"{short_path(root)} does not exist", "name folders or files: typedcat check configs")
    configs = dict.fromkeys(config for root in roots for config in find_configs(root))
    unnamed: dict[Path, Checked] = {}
    for findings, others in map(unnamed_configs, roots):
        unnamed.update({Path(one.file): Checked(one.config, (one,)) for one in findings})
        configs.update(dict.fromkeys(others))
    if not configs and not unnamed:
        folders = ", ".join(map(short_path, roots))
        raise ProjectError(f"there are no configs in {folders}", "a .py config is one that defines cfg or config")
    return [config for config in configs if config not in unnamed], list(unnamed.values())


def _used(checked: list[Checked], args: argparse.Namespace) -> frozenset[str]:
    """The files that configs of the project build on which are not checked; read only if something is missing."""
    lacking = [Path(one.config) for one in checked if any(finding.incomplete for finding in one.findings)]
    known = {Path(one.config) for one in checked}
    folders = {find_project(config).configs for config in lacking}
    others = [config for folder in folders if folder.is_dir() for config in find_configs(folder) if config not in known]
    read = check_configs(others, _childless, jobs=args.jobs, timeout_s=args.timeout)
    return frozenset(file for one in read for file in one.opened if file != one.config)


def _childless(tree: BaseConfig) -> Iterator[Child]:
    """What `children` gives, where nobody asks for them."""
    return iter(())


def _type_errors(checked: list[Checked], args: argparse.Namespace) -> list[Finding]:
    """What mypy finds, project by project."""
    by_root: dict[Path, list[Path]] = {}
    for config in (Path(one.config) for one in checked):
        by_root.setdefault(find_project(config).root, []).append(config)
    died = {Path(one.config) for one in checked if not one.survived}  # reading them again takes as long again
    found: list[Finding] = []
    for root, own in by_root.items():
        everywhere = find_project(root).configs
        others = find_configs(everywhere) if everywhere.exists() else []
        stubbed = [path for path in dict.fromkeys([*own, *others]) if path not in died]
        with progress_bar("types") as progress:
            found += type_errors(own, stubbed, root, jobs=args.jobs, timeout_s=args.timeout, progress=progress)
    return found


def answer(findings: list[Finding], configs: int, as_json: bool, note: str = "") -> Page:
    """What the command says; as JSON, the summary goes to standard error."""
    findings = ordered(findings)
    page = Page(code=1 if findings else 0)
    end = Page()
    if note:
        end.line(note)
    end.line((summary(findings, configs), HEAD if findings else NEW))
    if as_json:
        end.write(error=True)
        return page.add(json_text(findings))
    for finding in findings:
        for place, severity, text in text_lines(finding):
            style = ERROR if severity == "error" else PLACE
            page.line((f"{place}: ", HEAD), (f"{severity}: ", style), text)
    page.pieces += end.pieces
    return page
