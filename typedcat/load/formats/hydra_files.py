"""How the files of a Hydra config hang together: which of them have a defaults list, and what that names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import ConfigFileError
from .yaml_text import read_yaml

__all__ = ["chosen_from", "groups_named_by", "has_defaults", "is_part"]

_DEFAULTS = re.compile(rb"^defaults\s*:", re.MULTILINE)
_PART = re.compile(r"^\s*#\s*@package\b", re.MULTILINE)
_MOST_LEVELS = 6


def has_defaults(value: Mapping[Any, Any]) -> bool:
    """Whether a document has a defaults list; a list of anything else under that name is a list like any other."""
    entries = value.get("defaults")
    return isinstance(entries, list) and bool(entries) and all(map(_is_entry, entries))


def _is_entry(entry: Any) -> bool:
    if isinstance(entry, dict) and len(entry) == 1:
        name, option = next(iter(entry.items()))
        options = option if isinstance(option, list) else [option]
        return isinstance(name, str) and all(one is None or isinstance(one, (str, bool)) for one in options)
    return isinstance(entry, str)


def groups_named_by(path: Path) -> set[str]:
    """The folders with options of config groups that the defaults list of a file names, next to that file."""
    return {name.partition("/")[0] for name in _named_by(path) or ()}


def _named_by(path: Path) -> list[str] | None:
    """The groups and files that the defaults list of a file names; None if it has none."""
    try:
        value = read_yaml(path).value if _DEFAULTS.search(path.read_bytes()) else {}
    except (ConfigFileError, OSError):
        return None
    if not has_defaults(value):
        return None
    names = (next(iter(entry)) if isinstance(entry, dict) else entry for entry in value["defaults"])
    return [name.split()[-1].lstrip("/").partition("@")[0] for name in names if name.strip()]


def is_part(path: Path) -> bool:
    """Whether a file says by `# @package` that it is an option of a config group."""
    try:
        return _PART.search(path.read_text(encoding="utf-8", errors="replace")) is not None
    except OSError:
        return False


def chosen_from(path: Path) -> tuple[Path, str] | None:
    """The config above a file that is an option of a config group, and the override that chooses the option there."""
    nearest: tuple[Path, str] | None = None
    for folder in path.parents[1:_MOST_LEVELS]:
        parts = path.relative_to(folder).with_suffix("").parts
        for file in sorted(folder.glob("*.yaml")):
            if (named := _named_by(file)) is None:
                continue
            for length in range(len(parts) - 1, 0, -1):
                if (group := "/".join(parts[:length])) in named:
                    return file, f"{group}={'/'.join(parts[length:])}"
            nearest = nearest or (file, f"+{'/'.join(parts[:-1])}={parts[-1]}")
    return nearest
