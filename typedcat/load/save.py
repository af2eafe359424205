"""Writing configs: Python that runs, pickles, and YAML or JSON of what those formats can express."""

from __future__ import annotations

import enum
import json
import math
import os
import pkgutil
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePath
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from ..errors import SaveError, readable, short_repr
from ..tree.config import BaseConfig
from ..tree.copying import branch_copy, to_dict
from ..tree.keys import join
from ..tree.merge import caps_of
from ..tree.node import WHOLE, plain_class
from ..tree.pickling import dumps
from ..tree.text import LEAVES
from ..tree.values import Deferred
from ..tree.walk import branches
from .pipeline import is_tune, load_config
from .resolve import unresolved

_LITERALS = (str, int, float, complex, bool, bytes, type(None), type(...))


def save(cfg: BaseConfig, file: str | os.PathLike[str], target: str, *, save_copy: bool = True) -> Path:
    """Write a config; nothing in memory changes, and the file is there whole or not at all.

    Args:
        cfg: the config, or a subtree.
        file: where to; folders are made.
        target: 'py', 'pkl', 'yaml' or 'json'.
        save_copy: of a pickle: whether it is of an unfrozen copy.

    Raises:
        SaveError: values that the format cannot express, all of them.
    """
    path = Path(file)
    if target == "pkl":
        data = dumps(branch_copy(cfg) if save_copy else cfg)
    elif target == "py":
        data = py_text(cfg).encode()
    else:
        data = (yaml_text(cfg) if target == "yaml" else json_text(cfg)).encode()
    write_whole(path, data)
    return path


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# -- Python


def py_text(cfg: BaseConfig) -> str:
    """A config file that loads to an equal config; classes and functions are imported.

    Raises:
        SaveError: values that have no Python text.
    """
    problems: list[tuple[str, str]] = []
    modules: set[str] = set()
    lines: list[str] = []
    for name, at in _branches(cfg):
        if at is cfg or caps_of(at) or plain_class(at).__typed__:
            lines.append(f"{name} = {_constructor(at, modules, problems, name)}")
        if at.__state__ & WHOLE:
            lines.append(f"{name}.override(True)")
    lines.append(LEAVES)
    for name, at in _branches(cfg):
        if at is not cfg and not at and not (at.__state__ & WHOLE or caps_of(at) or plain_class(at).__typed__):
            lines.append(f"{name} = Config()")
        for key, value in dict.items(at):
            if not isinstance(value, BaseConfig):
                path = join(name, key, at.__reserved__)
                lines.append(f"{path} = {_code(value, path, modules, problems)}")
    if problems:
        raise SaveError(
            "a .py config", [(key.removeprefix("cfg."), why) for key, why in problems], "save_pkl can hold anything"
        )
    imports = "".join(f"import {name}\n" for name in sorted(modules))
    return f'"""Written by typedcat."""\n{imports}from typedcat import Config\n\n' + "\n".join(lines) + "\n"


def _branches(cfg: BaseConfig) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [("cfg", cfg)]
    for name, at in found:
        items = [(key, value) for key, value in dict.items(at) if isinstance(value, BaseConfig)]
        found += [(join(name, key, at.__reserved__), value) for key, value in items]
    return found


def _constructor(at: Any, modules: set[str], problems: list[tuple[str, str]], name: str) -> str:
    cls = plain_class(at)
    arguments = []
    if cls.__typed__:
        arguments.append(f"schema={_code(cls, name, modules, problems)}")
    if caps := caps_of(at):
        arguments.append(f"caps=({', '.join(_code(cap.base, name, modules, problems) for cap in caps)},)")
    return f"Config({', '.join(arguments)})"


def _code(value: Any, path: str, modules: set[str], problems: list[tuple[str, str]]) -> str:
    """Python text of a value; what has none is added to the problems."""

    def inner(item: Any) -> str:
        return _code(item, path, modules, problems)

    if type(value) is float and not math.isfinite(value):
        return f"float('{value}')"
    if type(value) in _LITERALS:
        return repr(value)
    for kind, text in _CONTAINERS.items():
        if type(value) is kind:
            return text(value, inner)
    if isinstance(value, enum.Enum):
        return f"{inner(type(value))}[{value.name!r}]"
    if isinstance(value, PurePath):
        return f"{inner(type(value))}({str(value)!r})"
    if isinstance(value, ModuleType):
        modules.add(value.__name__)
        return value.__name__
    if (name := import_path(value)) is not None:
        module, _, rest = name.partition(":")
        if module != "builtins":
            modules.add(module)
        return rest if module == "builtins" else f"{module}.{rest}"
    problems.append((path, _why_not(value)))
    return repr(value)


def _sequence(start: str, end: str, empty: str) -> Callable[[Any, Callable[[Any], str]], str]:
    def text(value: Any, inner: Callable[[Any], str]) -> str:
        items = [inner(item) for item in value]
        return empty if not items else f"{start}{', '.join(items)}{end}"

    return text


_CONTAINERS: dict[type, Callable[[Any, Callable[[Any], str]], str]] = {
    list: _sequence("[", "]", "[]"),
    tuple: _sequence("(", ",)", "()"),
    set: _sequence("{", "}", "set()"),
    frozenset: _sequence("frozenset({", "})", "frozenset()"),
    dict: lambda value, inner: "{" + ", ".join(f"{inner(k)}: {inner(v)}" for k, v in value.items()) + "}",
}


def import_path(value: Any) -> str | None:
    """`module:name` of a class or function that an import finds again; None of anything else."""
    if not isinstance(value, (type, FunctionType, BuiltinFunctionType)):
        return None
    name = f"{value.__module__}:{value.__qualname__}"
    if readable(name) != name:  # defined by a config file, or next to one: another process has no such module
        return None
    try:
        return name if pkgutil.resolve_name(name) is value else None
    except (ImportError, AttributeError, ValueError):
        return None


def _why_not(value: Any) -> str:
    if isinstance(value, Deferred):
        return f"{value!r} is not computed yet: save the loaded config"
    if isinstance(value, (type, FunctionType)):
        return f"'{value.__qualname__}' cannot be imported: move it to a module outside of the config file"
    return f"a {type(value).__name__} has no text: {short_repr(value, 60)}"


# -- YAML and JSON


def yaml_text(cfg: BaseConfig, *, lenient: bool = False) -> str:
    """The loaded form of a config as YAML; see `plain`."""
    return dump(plain(cfg, "YAML", lenient), "YAML")


def json_text(cfg: BaseConfig, *, lenient: bool = False) -> str:
    """The loaded form of a config as JSON; see `plain`."""
    return dump(plain(cfg, "JSON", lenient), "JSON")


def dump(data: Any, target: str) -> str:
    """Plain data, or a part of it, as text of a data format."""
    if target == "JSON":
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    import yaml

    text: str = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    return text.removesuffix("...\n")  # which PyYAML puts after a scalar


def plain(cfg: BaseConfig, target: str, lenient: bool) -> Any:
    """The loaded form of a config in the values of a data format; tuples become lists.

    Args:
        cfg: the config; it is loaded first (a copy) if it inherits or has dependencies.
        target: the format, for the message.
        lenient: show what cannot be expressed (classes as `@import.path`, else the repr) instead of refusing.

    Raises:
        SaveError: values that the format cannot express, all of them.
    """
    if not is_tune(cfg) and (any(caps_of(at) for at in branches(cfg)) or unresolved(cfg)):
        cfg = load_config(cfg, create_rslt_dir=False)
    problems: list[tuple[str, str]] = []
    data = _Plain(target, lenient, problems).convert(to_dict(cfg), "")
    if problems:
        raise SaveError(target, problems, "save_py imports classes and functions; save_pkl can hold anything")
    return data


class _Plain:
    """Converts values to those of a data format, noting what has no such form."""

    def __init__(self, target: str, lenient: bool, problems: list[tuple[str, str]]) -> None:
        self.target = target
        self.lenient = lenient
        self.problems = problems

    def convert(self, value: Any, path: str) -> Any:
        if isinstance(value, float) and not math.isfinite(value) and self.target == "JSON":
            return self.refuse(value, path, f"JSON has no {value}")
        if type(value) in (str, int, float, bool, type(None)):
            return value
        if isinstance(value, dict):
            return {self.key(k, join(path, k)): self.convert(v, join(path, k)) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.convert(item, join(path, i)) for i, item in enumerate(value)]
        if isinstance(value, PurePath):
            return str(value)
        if isinstance(value, (str, bool, int, float)):  # a subclass, such as a str enum
            return self.convert(
                value.value if isinstance(value, enum.Enum) else value.__class__.__mro__[-2](value), path
            )
        if (name := import_path(value)) is not None:
            shown = "@" + name.replace(":", ".")
            return self.refuse(shown, path, f"{shown[1:]} is Python code")
        return self.refuse(value, path, _why_not(value))

    def key(self, key: Any, path: str) -> Any:
        if isinstance(key, str) or (self.target == "YAML" and type(key) in (int, float, bool, type(None))):
            return key
        self.refuse(key, path, f"{self.target} has no {type(key).__name__} keys")
        return str(key)

    def refuse(self, value: Any, path: str, reason: str) -> Any:
        if not self.lenient:
            self.problems.append((path, reason))
        return value if isinstance(value, str) else short_repr(value, 200)
