"""What a `.py` config file has defined: where in it the config is, in the styles of several systems."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from ...errors import ConfigContentError, ConfigObjectError, TypedcatError, did_you_mean, short_repr
from ...tree.config import BaseConfig
from ...tree.keys import suggest
from ...tree.origin import Place
from ..modules import code_error
from .documents import read_bytes
from .objects import as_mapping
from .python_source import (
    KeyPath,
    assigned_names,
    defined_names,
    imports_ours,
    is_script,
    key_lines,
    lazy_hint,
    loop_names,
    may_be_lazy,
    parsed,
)

_NAMES = ("cfg", "config")
_FUNCTIONS = ("get_cfg_defaults", "get_config")  # of yacs projects, and of ml_collections
_NO_KEYS = ("_base_", "_deprecation_")  # of mmengine


class Contents(NamedTuple):
    """A config that a file has defined.

    Attributes:
        config: its contents.
        variables: whether these are the variables of the file itself, as in MMCV's configs.
        places: where keys are set, as far as the values do not know it themselves.
    """

    config: Mapping[Any, Any]
    variables: bool = False
    places: Mapping[KeyPath, Place] = {}


def config_in(module: ModuleType, path: Path, root: Path) -> Contents:
    """The config that a file has defined.

    It is looked for in this order: `cfg` or `config`; `get_cfg_defaults()`, then `_C`, as yacs projects have;
    `get_config()`, as configs of ml_collections have; all variables, as in MMCV's configs.

    Args:
        module: what running the file has given.
        path: the file.
        root: the import root, for messages.

    Raises:
        ConfigContentError: there is none.
        ConfigCodeError: the function that makes it raised.
    """
    named = {name: getattr(module, name) for name in _NAMES if hasattr(module, name)}
    found = {name: value for name, value in named.items() if not _is_left_by_a_loop(name, value, path)}
    if len(found) == 2 and found["cfg"] is not found["config"]:
        raise ConfigContentError(path, "defines both 'cfg' and 'config', and they differ", hints=["keep one of them"])
    if found:
        name, value = next(iter(found.items()))
        return Contents(_mapping(name, value, path))
    defaults, getter = (_function(module, name) for name in _FUNCTIONS)
    if defaults is not None and not (_arguments(defaults) and hasattr(module, "_C")):
        return Contents(_called(defaults, path, root))
    if hasattr(module, "_C"):
        return Contents(_mapping("_C", module._C, path))
    if getter is not None:
        return Contents(_called(getter, path, root))
    return _variables(module, path)


def _is_left_by_a_loop(name: str, value: Any, path: Path) -> bool:
    """Whether a name is only the variable of a loop: `for config in [...]` leaves its last item behind."""
    if isinstance(value, BaseConfig) or (tree := parsed(read_bytes(path), path)) is None:
        return False
    return name in loop_names(tree) - assigned_names(tree) - defined_names(tree)


def _mapping(name: str, value: Any, path: Path, line: int | None = None) -> Mapping[Any, Any]:
    try:
        mapping = None if isinstance(value, type) else as_mapping(value)
    except ConfigObjectError as error:
        raise ConfigContentError(path, f"{name}: {error.key} {error.reason}", line) from error
    if mapping is None:
        verb = "return" if name.endswith("()") else "be"
        hints = [f"make an instance: {name} = {value.__name__}()"] if isinstance(value, type) and verb == "be" else []
        if value is None and verb == "return":
            hints = ["end it with: return config"]
        reason = f"'{name}' must {verb} a Config or a dict, got {short_repr(value)}"
        raise ConfigContentError(path, reason, line, hints=hints)
    return mapping


# -- functions that make a config


def _function(module: ModuleType, name: str) -> Callable[..., Any] | None:
    value = getattr(module, name, None)
    return value if callable(value) and not isinstance(value, type) else None


def _arguments(function: Callable[..., Any]) -> list[str]:
    """The arguments that a function cannot be called without."""
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return [one.name for one in parameters if one.default is one.empty and one.kind not in optional]


def _called(function: Callable[..., Any], path: Path, root: Path) -> Mapping[Any, Any]:
    name = getattr(function, "__name__", "get_config")
    here = isinstance(function, FunctionType) and function.__code__.co_filename == str(path)
    line = function.__code__.co_firstlineno if here and isinstance(function, FunctionType) else None
    if arguments := _arguments(function):
        given = ", ".join(f"{one}=..." for one in arguments)
        hint = f"give them in a config next to it: from .{path.stem} import {name}, then cfg = {name}({given})"
        raise ConfigContentError(path, f"{name}() takes arguments: {', '.join(arguments)}", line, hints=[hint])
    try:
        value = function()
    except TypedcatError:
        raise
    except Exception as error:
        raise code_error(str(path), error, str(root)) from error
    return _mapping(f"{name}()", value, path, line)


# -- plain variables


def _variables(module: ModuleType, path: Path) -> Contents:
    """The variables of a file, without what mmengine leaves out of a config.

    Raises:
        ConfigContentError: there are none, or the file is no config of MMCV's.
    """
    tree = parsed(read_bytes(path), path)
    if tree is None or imports_ours(tree):
        raise ConfigContentError(path, "defines no 'cfg'", hints=[_hint_for_no_cfg(module)])
    if is_script(tree):
        hint = (
            "a file that asks for __name__ is a script, whose variables are no config: leave that out, or define 'cfg'"
        )
        raise ConfigContentError(path, "defines no 'cfg'", hints=[hint])
    if may_be_lazy(tree) and (lazy := [name for name, value in vars(module).items() if _is_omegaconf(value)]):
        reason = f"defines no 'cfg', but a LazyConfig of detectron2: {', '.join(lazy[:3])}"
        raise ConfigContentError(path, reason, hints=[lazy_hint(path)])
    defined = defined_names(tree)
    values = {
        name: value
        for name, value in vars(module).items()
        if not (name.startswith("__") or name in defined or name in _NO_KEYS or _is_code(value, module))
    }
    if not values or (is_misspelt(values) and "mmengine" not in defined):
        raise ConfigContentError(path, "defines no 'cfg'", hints=[_hint_for_no_cfg(module)])
    places = {keys: Place(str(path), line) for keys, line in key_lines(tree)}
    return Contents(values, variables=True, places=places)


def _is_omegaconf(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "omegaconf"


def is_misspelt(names: Iterable[str]) -> bool:
    """Whether the only variable of a file has nearly the name that a config has."""
    known = list(names)
    return len(known) == 1 and any(suggest(name, known) for name in _NAMES)


def _is_code(value: Any, module: ModuleType) -> bool:
    """Whether a value is a module, or a function of the file itself."""
    return isinstance(value, ModuleType) or (isinstance(value, FunctionType) and value.__module__ == module.__name__)


def _hint_for_no_cfg(module: ModuleType) -> str:
    if hasattr(module, "_base_"):
        return "a config of typedcat inherits with: cfg = Config(caps='../base.py')"
    trees = [name for name, value in vars(module).items() if isinstance(value, Mapping) and not name.startswith("__")]
    similar = suggest("cfg", vars(module)) or suggest("config", vars(module))
    if trees:
        return f"is it {' or '.join(repr(one) for one in trees[:3])}? Name the config 'cfg'"
    return did_you_mean(similar) or "a config file ends with a config in the variable 'cfg': cfg = Config()"
