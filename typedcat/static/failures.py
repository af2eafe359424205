"""Errors of loading as findings: which line has to change, and what to say there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import (
    ConfigFileError,
    ConfigNotFoundError,
    DependencyError,
    MandatoryValueError,
    MissingKeyError,
    Problem,
    TuneError,
    TypedcatError,
    ValidationError,
)
from ..load.open import Opened
from ..tree.config import BaseConfig
from ..tree.keys import parse_path
from .findings import Finding, absolute
from .setters import setter

_MENTIONED = re.compile(r"(?=\b(?:at|running) (\S.*?\.(?:py|ya?ml|json|toml|pkl)):(\d+))")
_HINT = "did you mean "
_UNSET = "is mandatory ('???'), and nothing sets it"


def findings_of(
    error: TypedcatError, config: Path, opened: Sequence[Opened] = (), tree: BaseConfig | None = None
) -> Iterator[Finding]:
    """What an error says, one finding for each thing that is wrong.

    Args:
        error: what loading or computing a config raised.
        config: the config.
        opened: the files that were opened before.
        tree: the config with all that it inherits, if it came so far.
    """
    notes = [note.strip() for note in getattr(error, "__notes__", ())]
    if isinstance(error, ValidationError):
        yield from (_of_problem(problem, config) for problem in error.problems)
    elif isinstance(error, DependencyError):
        lines = error.message.replace(f"the dependency set at {error.place} ", "the dependency ").splitlines()
        yield _finding(located(error.place, config), "dependency", [*lines, *notes], config, lacks_a_key(error))
    elif isinstance(error, MandatoryValueError):
        for key, at in error.unset:
            yield _finding(located(at, config), "validation", [f"{key}: {_UNSET}"], config, incomplete=True)
    elif isinstance(error, ConfigNotFoundError):
        lines = _hints_first([f"{error.path}: {error.reason}", *error.message.splitlines()[1:]])
        place = _mentioned(notes) or _naming(str(error.path), opened) or (str(config), 1)
        yield _finding(place, "missing-base", [line for line in lines if "it is named in" not in line], config)
    elif isinstance(error, ConfigFileError):
        shown = isinstance(error.__cause__, SyntaxError)  # its hints draw the line, which the reader has anyway
        lines = [*error.reason.splitlines(), *(() if shown else error.hints)]
        yield _finding((absolute(error.path), error.line or 1), "load", lines, config)
    elif isinstance(error, MissingKeyError) and tree is not None and (at := _set_at(tree, error.key)):
        yield _finding(located(at, config), "validation", error.message.splitlines(), config)
    else:
        code = "tune" if isinstance(error, TuneError) else "load"
        place = _mentioned([error.message, *notes]) or (str(config), 1)
        yield _finding(place, code, error.message.splitlines(), config, isinstance(error, MissingKeyError))


def lacks_a_key(error: TypedcatError) -> bool:
    """Whether a dependency only reads a key that nothing has set."""
    return isinstance(error, DependencyError) and isinstance(error.__cause__, MissingKeyError)


def _of_problem(problem: Problem, config: Path) -> Finding:
    lines = [line for line in str(problem).splitlines() if line.strip() != f"set at {problem.place}"]
    return _finding(
        located(problem.place, config), "validation", _hints_first(lines), config, problem.code == "missing"
    )


def _hints_first(lines: Iterable[str]) -> list[str]:
    """The lines about one thing, with what it may have meant right behind the line that says what is wrong."""
    first, *rest = lines
    return [first, *sorted(rest, key=lambda line: not line.strip().startswith(_HINT))]


def _finding(
    place: tuple[str, int], code: str, lines: Iterable[str], config: Path, incomplete: bool = False
) -> Finding:
    told: list[str] = []
    for line in (line.strip() for line in lines):
        if line.startswith(_HINT) and told:  # it is about the line before it
            told[-1] = f"{told[-1]}; {line}"
        elif line:
            told.append(line)
    first, *notes = told
    return Finding(*place, code, first, tuple(notes), str(config), incomplete)


# -- places


def located(place: str, config: Path) -> tuple[str, int]:
    """File and line of a place as errors give it; the first line of the config where it is none."""
    file, _, line = place.rpartition(":")
    if line.isdigit() and os.path.isfile(file):
        return absolute(file), int(line)
    return (absolute(place) if os.path.isfile(place) else str(config)), 1


def _set_at(tree: BaseConfig, key: str) -> str:
    """Who set a key that its schema does not have; '' if nobody has set it."""
    node: Any = tree
    try:
        *above, last = parse_path(key)
    except ValueError:  # it is no path in a tree
        return ""
    for part in above:
        node = dict.get(node, part) if isinstance(node, dict) else None
    found = setter(node, last) if isinstance(node, BaseConfig) and dict.__contains__(node, last) else None
    return str(found or "")


def _mentioned(texts: Iterable[str]) -> tuple[str, int] | None:
    """The first line of a file that a message mentions."""
    for text in texts:
        for file, line in _MENTIONED.findall(text):
            if os.path.isfile(file):
                return absolute(file), int(line)
    return None


def _naming(base: str, opened: Iterable[Opened]) -> tuple[str, int] | None:
    """The line in which a config names a base."""
    for one in opened:
        for name in one.bases:
            if isinstance(name, (str, os.PathLike)) and Path(os.path.abspath(name)) == Path(os.path.abspath(base)):
                return str(one.path), line_with(one.path, os.fspath(name))
    return None


def line_with(file: Path, text: str) -> int:
    """The first line of a file that contains a text; 1 if none does."""
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return 1
    return next((number for number, line in enumerate(lines, 1) if text in line), 1)
