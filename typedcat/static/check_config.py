"""The check of one config, in a process of its own: load, resolve, validate; arguments, near misses, tuned children."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from ..errors import DependencyError, TypedcatError, ValidationError
from ..load.modules import raised_at
from ..load.open import Opened, recorded
from ..load.pipeline import is_tune, load_config, prepare
from ..load.project import find_project
from ..load.resolve import Failures, resolve
from ..load.schema import coerce_leaves, restore_leaves
from ..tree.config import BaseConfig
from .failures import findings_of, lacks_a_key, located
from .findings import Checked, Fault, Finding, absolute, beside
from .near_miss import near_misses
from .pool import LONGEST_S, each
from .setting_slips import setting_slips
from .signatures import argument_faults

Child: TypeAlias = tuple[str, Callable[[], BaseConfig]]
Children = Callable[[BaseConfig], Iterator[Child]]
"""Gives the name of each child of a tune config, and what builds it; a function of a module, as processes call it."""

Progress = Callable[[int, int], None]
_MOST_CHILDREN = 3  # that a note lists


def check_configs(
    paths: Sequence[Path],
    children: Children,
    *,
    jobs: int = 0,
    timeout_s: float = LONGEST_S,
    progress: Progress | None = None,
) -> list[Checked]:
    """Check many configs; one that hangs or kills its process has a finding that says so.

    Args:
        paths: config files, absolute.
        children: of a tune config.
        jobs, timeout_s: see `each`.
        progress: told about each config.
    """
    checked: dict[Path, Checked] = {}
    for done in each(check_config, paths, children, jobs=jobs, timeout_s=timeout_s):
        config = str(done.path)
        lost = Finding(config, 1, "load", str(done.error), (), config)
        checked[done.path] = done.result or Checked(config, (lost,), survived=False)
        if progress is not None:
            progress(len(checked), len(paths))
    return [checked[path] for path in paths]


def check_config(path: Path, children: Children) -> Checked:
    """Check one config, in a process that has its project as working directory."""
    with recorded() as opened:
        try:
            found = _findings(path, children, opened)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - validators and constraints of the user's raise anything
            found = [_unexpected(error, path)]
    return Checked(str(path), tuple(found), frozenset(absolute(one.path) for one in opened))


def _findings(path: Path, children: Children, opened: Sequence[Opened]) -> list[Finding]:
    tree: BaseConfig | None
    found: list[Finding] = []
    try:
        tree = load_config(path, create_rslt_dir=False)
    except TypedcatError as error:
        tree, errors = _salvaged(path, error)
        found = [finding for one in errors for finding in findings_of(one, path, opened)]
    if tree is None:
        return found
    if not is_tune(tree):
        found += beside(found, argument_faults(tree, path))
    elif not found:
        found = list(_of_children(tree, children, path))
    if len({one.path for one in opened}) > 1:
        found += beside(found, near_misses(tree, path))
    slips = list(setting_slips(tree, path))
    told = {(one.line, one.message.partition(":")[0]) for one in slips}  # better than that there is no such key
    return [*slips, *(one for one in found if (one.line, one.message.partition(":")[0]) not in told)]


def _salvaged(path: Path, error: TypedcatError) -> tuple[BaseConfig | None, list[TypedcatError]]:
    """As much of the tree as can be had of a config that does not load, and all its errors.

    What validation refuses may be why a dependency raises, but never why it reads an absent key.
    """
    try:
        tree = prepare(path, None, None, None, (), None, find_project(), needs_dir=False)
    except TypedcatError:
        return None, [error]
    if is_tune(tree):
        return tree, [error]
    failures: Failures = {}
    before = coerce_leaves(tree)
    resolve(tree, failures=failures)
    restore_leaves(before)
    failed = list({id(one): one for one in failures.values()}.values())
    if isinstance(error, DependencyError):
        return tree, failed or [error]
    if isinstance(error, ValidationError):
        return tree, [error, *filter(lacks_a_key, failed)]
    return tree, [error]


def _unexpected(error: BaseException, path: Path) -> Finding:
    """What a function of the user's raised where typedcat expected nothing."""
    place = located(raised_at(error, str(find_project().root)), path)
    message = " ".join(str(error).split())
    return Finding(*place, "load", f"{type(error).__name__}: {message}".rstrip(": "), (), str(path))


# -- children of tune configs


def _of_children(tree: BaseConfig, children: Children, path: Path) -> Iterator[Finding]:
    """What is wrong with the children; what several have, once, with their names."""
    found: dict[Fault, tuple[Finding, dict[str, None]]] = {}
    count = 0
    try:
        for name, make in children(tree):
            count += 1
            for finding in _of_child(make, path, tree):
                found.setdefault(finding.fault, (finding, {}))[1][name] = None
    except TypedcatError as error:
        yield from findings_of(error, path, tree=tree)
    for finding, names in found.values():
        more = f" and {len(names) - _MOST_CHILDREN:,} more" if len(names) > _MOST_CHILDREN else ""
        note = f"in {len(names):,} of {count:,} children: {'; '.join([*names][:_MOST_CHILDREN])}{more}"
        yield finding if len(names) == count else replace(finding, notes=(*finding.notes, note))


def _of_child(make: Callable[[], BaseConfig], path: Path, tree: BaseConfig) -> Iterator[Finding]:
    try:
        child = load_config(make(), create_rslt_dir=False)
    except TypedcatError as error:
        yield from findings_of(error, path, tree=tree)
    else:
        yield from argument_faults(child, path)
