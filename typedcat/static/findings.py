"""Findings: what is wrong with configs and where, once each, as lines for people and as data for programs."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from ..errors import short_path

_IGNORED = re.compile(r"#\s*typedcat:\s*ignore(?:\[(?P<codes>[^\]]*)\]|(?![\w[-]))")
_MOST_NAMES = 3  # of configs that a note lists

Fault: TypeAlias = tuple[str, int, str, str]
"""What the findings of several configs, or children of a tune config, have in common if they are about one thing."""


@dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    Attributes:
        file: the file that has to change, absolute.
        line: where the offending value was set, counted from 1.
        code: the kind of finding.
        message: what is wrong, on one line.
        notes: more about it, one line each.
        config: the config in which it shows, absolute.
        incomplete: whether it only says that something is missing, which a config that uses this one may bring.
    """

    file: str
    line: int
    code: str
    message: str
    notes: tuple[str, ...] = ()
    config: str = ""
    incomplete: bool = False

    @property
    def fault(self) -> Fault:
        """File, line, code and key, but for the place at which a config mounts it; the values differ, too."""
        return self.file, self.line, self.code, self.message.partition(":")[0].rpartition(".")[2]


@dataclass(frozen=True)
class Checked:
    """What became of the check of one config.

    Attributes:
        config: its file, absolute.
        findings: what is wrong with it.
        opened: the config files that loading it opened.
        survived: whether the process that read it did, and in time.
    """

    config: str
    findings: tuple[Finding, ...]
    opened: frozenset[str] = frozenset()
    survived: bool = True


def united(checked: Iterable[Checked], used: Set[str] = frozenset()) -> list[Finding]:
    """What is to be reported of some configs: what many inherit once, without what is fine after all.

    A file that others build on need not stand alone: what it lacks counts for those that nothing builds on.

    Args:
        checked: the configs.
        used: files that other configs build on.
    """
    every = list(checked)
    used = used | {file for one in every for file in one.opened if file != one.config}
    found: dict[Fault, list[Finding]] = {}
    for one in every:
        for finding in one.findings:
            if not (finding.incomplete and one.config in used):
                found.setdefault(finding.fault, []).append(finding)
    return [_with_configs(same) for same in found.values() if not _is_ignored(same[0])]


def beside(told: Iterable[Finding], more: Iterable[Finding]) -> list[Finding]:
    """Those of more findings whose lines have none yet: another name for the same mistake helps nobody."""
    lines = {(one.file, one.line) for one in told}
    return [one for one in more if (one.file, one.line) not in lines]


def _with_configs(same: list[Finding]) -> Finding:
    """The one finding that stands for those of several configs: that of the file itself, if there is one."""
    first = next((one for one in same if one.config == one.file), same[0])
    configs = sorted({one.config for one in same})
    if configs == [first.file]:
        return first
    names = [short_path(config) for config in configs]
    if len(names) == 1:
        note = f"when {names[0]} is loaded"
    else:
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        note = f"in {len(names)} configs: {', '.join(names[:_MOST_NAMES])}{more}"
    return replace(first, notes=(*first.notes, note))


def _is_ignored(finding: Finding) -> bool:
    """Whether a comment in the line says that it is meant so."""
    found = _IGNORED.search(source_line(finding.file, finding.line))
    if found is None:
        return False
    return found["codes"] is None or finding.code in (code.strip() for code in found["codes"].split(","))


def source_line(file: str, line: int) -> str:
    """A line of a file; '' where there is none."""
    try:
        lines = Path(file).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return lines[line - 1] if 0 < line <= len(lines) else ""


# -- for people and programs


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """By file, as it is shown, and line."""
    return sorted(findings, key=lambda one: (short_path(one.file), one.line, one.code, one.message))


def text_lines(finding: Finding) -> Iterator[tuple[str, str, str]]:
    """(place, severity, text) of each line that tells a finding."""
    place = f"{short_path(finding.file)}:{finding.line}"
    yield place, "error", f"{finding.message} [{finding.code}]"
    yield from ((place, "note", note) for note in finding.notes)


def json_text(findings: Iterable[Finding]) -> str:
    """The findings as a JSON array of objects."""
    found = [
        {
            "file": short_path(one.file),
            "line": one.line,
            "severity": "error",
            "code": one.code,
            "message": "\n".join([one.message, *one.notes]),
            "config": short_path(one.config),
        }
        for one in findings
    ]
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def summary(findings: list[Finding], configs: int) -> str:
    """What was found, in one line."""
    checked = f"(checked {configs} config{'s' * (configs != 1)})"
    if not findings:
        return f"No problems found {checked}"
    files = len({one.file for one in findings})
    errors = f"{len(findings)} error{'s' * (len(findings) != 1)}"
    return f"Found {errors} in {files} file{'s' * (files != 1)} {checked}"


def absolute(file: str | os.PathLike[str]) -> str:
    """The path of a file as findings name it."""
    return os.path.abspath(file)
