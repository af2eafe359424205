"""Keys that were meant as settings: `Cfg2Tune(repeat=3)` makes a key `repeat`, and nothing is repeated."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..errors import TypedcatError, did_you_mean, short_repr
from ..load.pipeline import is_tune
from ..load.schema_fields import fields_of
from ..tree.config import BaseConfig, Config, settings_of
from ..tree.keys import format_path
from ..tree.merge import schema_of
from ..tree.node import path_to
from ..tree.walk import branches
from .failures import line_with
from .findings import Finding
from .near_miss import is_slip
from .setters import files, records, setter

_CONSTRUCTORS = ("Config", "Cfg2Tune")


def setting_slips(tree: BaseConfig, config: Path) -> Iterator[Finding]:
    """The keys of a tree that its own file gives to the constructor and that are one slip away from a setting.

    In a tune config also those that have the very name of a setting, `cfg.repeats = 3`; and what `volatile` names that
    is one slip away from a key.
    """
    if config.suffix != ".py":
        return
    settings, own = _settings(tree), str(config)
    schema = schema_of(tree)
    known = fields_of(schema) if schema is not None else {}
    for key, value in dict.items(tree):
        if not isinstance(key, str) or key in known:
            continue
        is_named_so = is_tune(tree) and key in settings
        name = key if is_named_so else next((name for name in settings if _is_near(key, name)), "")
        at = setter(tree, key)
        if not name or at is None or at.line is None or not _takes(settings[name], name, value):
            continue
        is_own = all(file == own for one in records(tree, key) for file in files(one))
        if is_own and (is_named_so or key in _keywords(config, at.line)):
            call = f"{_CONSTRUCTORS[is_tune(tree)]}(..., {name}={short_repr(value)})"
            text = f"{key}: is a key like any other; did you mean the setting {name}? {call}"
            yield Finding(own, at.line, "near-miss", text, (), own)
    if is_tune(tree):
        yield from _volatile_slips(tree, config)


def _settings(tree: BaseConfig) -> dict[str, Callable[..., object]]:
    """The settings that its constructor takes, each with what refuses values that it cannot have."""
    tune = tree.__extra__.tune if tree.__extra__ is not None else None
    settings: dict[str, Callable[..., object]] = dict.fromkeys(settings_of(Config), Config)
    return settings if tune is None else settings | dict.fromkeys((one.name for one in fields(tune)), type(tune))


def _takes(setting: Callable[..., object], name: str, value: Any) -> bool:
    """Whether a setting can have a value: `scheme='dark'` is no slip for `schema`."""
    try:
        setting(**{name: value})
    except (TypeError, TypedcatError):
        return False
    return value is not None


def _is_near(key: str, name: str) -> bool:
    """Whether a name is a slip for another one, be it that one is the plural of the other."""
    return is_slip(key, name) or key == f"{name}s" or name == f"{key}s"


def _keywords(file: Path, line: int) -> set[str]:
    """What is given by name to the constructors that are called in a line."""
    calls = (one for one in ast.walk(ast.parse(file.read_bytes())) if isinstance(one, ast.Call))
    return {
        keyword.arg
        for one in calls
        if one.lineno <= line <= (one.end_lineno or one.lineno)
        and ast.unparse(one.func).rpartition(".")[2] in _CONSTRUCTORS
        for keyword in one.keywords
        if keyword.arg is not None
    }


def _volatile_slips(tree: BaseConfig, config: Path) -> Iterator[Finding]:
    """Names in `volatile`; one that is near no key may be there for bases and configs that a parameter chooses."""
    known = dict.fromkeys(_names(tree))
    for name in (tree.__extra__.tune.volatile if tree.__extra__ is not None else None) or ():
        close = [one for one in known if is_slip(str(name), one)]
        if close and name not in known:
            text = f"volatile: there is no key {name!r}; {did_you_mean(close)}"
            yield Finding(str(config), line_with(config, str(name)), "near-miss", text, (), str(config))


def _names(tree: BaseConfig) -> Iterator[str]:
    """What names a key, wherever it is: its last name, and its whole path; those in dicts that are values as well."""
    for node in branches(tree):
        work: list[tuple[tuple[Any, ...], Any]] = [((*path_to(node), key), value) for key, value in dict.items(node)]
        for path, value in work:
            yield from (str(path[-1]), format_path(path))
            if isinstance(value, dict) and not isinstance(value, BaseConfig):
                work.extend(((*path, key), item) for key, item in value.items())
