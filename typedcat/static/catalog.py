"""The catalog: one stub in which the path of a config, as a literal, leads to its type."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

MODULE = "typedcat_catalog"
_REFERENCE = re.compile(r"\{([\w.]*):([\w.]+)\}")


@dataclass(frozen=True)
class Entry:
    """A config in the catalog.

    Attributes:
        module: its stub, as a module.
        paths: how users may write its path.
        root: the type of the config, as text in which `{module:Name}` has to be imported.
        merged: the bases of a config with several, as written, and the type of what they make together.
    """

    module: str
    paths: tuple[str, ...]
    root: str
    merged: tuple[tuple[tuple[str, ...], str], ...] = ()


_HEAD = """\
# Made by `typedcat stubs`, which overwrites it: the configs of the project, by path.
# mypy: ignore-errors
import os
import typedcat
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self, TypeAlias, TypeVar, overload
from typedcat import ADict as ADict, BaseConfig as BaseConfig, Cfg2TuneRunner as Cfg2TuneRunner, DEP as DEP
from typedcat import Drop as Drop, Extend as Extend, IL as IL, ItemLazy as ItemLazy, P_DEP as P_DEP, PL as PL
from typedcat import Param2Tune as Param2Tune, ParamLazy as ParamLazy, TypedConfig as TypedConfig
from typedcat import TypedcatError as TypedcatError, auto_rslt_dir as auto_rslt_dir, open_config as open_config
from typedcat import parse_config as parse_config
"""

_TAIL = """\

S = TypeVar("S")
Root: TypeAlias = str | os.PathLike[str] | None
Base: TypeAlias = str | os.PathLike[str] | Mapping[Any, Any]
Caps: TypeAlias = Base | Sequence[Base]
"""

_LOAD = """\
@overload
def load_config(
    config_path: {path}, experiments_root: Root = ..., config_root: Root = ..., create_rslt_dir: bool = ..., *,
    strict: bool = ..., overrides: Sequence[str] | None = ..., rslt_dir: Root = ...{more}
) -> {type}: ...
"""
_CONSTRUCTOR = """\
    @overload
    def __new__(cls, *, caps: {path}, **values: Any) -> {type}: ...
    @overload
    def __new__(cls, path: {path}, /, **values: Any) -> {type}: ...
"""
_MERGED_CONSTRUCTOR = """\
    @overload
    def __new__(cls, *, caps: {path}, **values: Any) -> {type}: ...
"""
_INHERIT = """\
@overload
def inherit({path}, /) -> {type}: ...
"""
_OPEN_LOAD = """\
@overload
def load_config(
    config_path: Base, experiments_root: Root = ..., config_root: Root = ..., create_rslt_dir: bool = ..., *,
    schema: type[S], strict: bool = ..., overrides: Sequence[str] | None = ..., rslt_dir: Root = ...,
    like: Base | None = ...
) -> S: ...
@overload
def load_config(
    config_path: Base, experiments_root: Root = ..., config_root: Root = ..., create_rslt_dir: bool = ..., *,
    strict: bool = ..., overrides: Sequence[str] | None = ..., rslt_dir: Root = ..., like: Base | None = ...
) -> typedcat.Config: ...
"""
_OPEN_CONSTRUCTOR = """\
    @overload
    def __new__(cls, *cfgs: Any, schema: type[S], caps: Caps = ..., cfgs_update_at_parser: Caps = ..., **values: Any
    ) -> S: ...
    @overload
    def __new__(cls, *cfgs: Any, caps: Caps = ..., cfgs_update_at_parser: Caps = ..., **values: Any) -> Self: ...
"""
_OPEN_INHERIT = """\
@overload
def inherit(*bases: Base, schema: type[S]) -> S: ...
@overload
def inherit(*bases: Base) -> typedcat.Config: ...
"""


def catalog_text(entries: Iterable[Entry]) -> str:
    """The stub of the module `typedcat_catalog`.

    Configs of one type share an overload; of a path that two configs have, neither gets one.
    """
    by_type, merged = _grouped(sorted(entries, key=lambda entry: entry.module))
    names = {text: _said(text) for text in (*by_type, *merged.values())}
    types = [f"_p{i}: TypeAlias = {_literal(paths)}" for i, paths in enumerate(by_type.values())]
    modules = sorted({module for text in names for module, _ in _REFERENCE.findall(text)} - {"typedcat", "builtins"})
    single = [(f"_p{i}", names[text]) for i, text in enumerate(by_type)]
    several = [(bases, names[text]) for bases, text in merged.items()]
    parts = [_HEAD, *(f"import {module}\n" for module in modules), _TAIL, *(f"{line}\n" for line in types), "\n"]
    parts += (_LOAD.format(path=path, type=name, more="") for path, name in single)
    parts += (_LOAD.format(path="Base", type=name, more=f", like: {path}") for path, name in single)
    parts += [_OPEN_LOAD, "\n"]
    parts.append("class _ByPath:\n")
    parts += (_MERGED_CONSTRUCTOR.format(path=_tuple(bases), type=name) for bases, name in several)
    parts += (_CONSTRUCTOR.format(path=path, type=name) for path, name in single)
    parts.append(_OPEN_CONSTRUCTOR)
    parts += (f"class {cls}(_ByPath, typedcat.{cls}): ...\n" for cls in ("Config", "Cfg2Tune"))
    parts += (_INHERIT.format(path=f"base: {path}", type=name) for path, name in single)
    parts += (_INHERIT.format(path=_arguments(bases), type=name) for bases, name in several)
    parts.append(_OPEN_INHERIT)
    return "".join(parts)


def _grouped(entries: list[Entry]) -> tuple[dict[str, list[str]], dict[tuple[str, ...], str]]:
    """The paths of each type, and the type of each combination of bases."""
    owners: dict[str, list[str]] = {}
    for entry in entries:
        for path in entry.paths:
            owners.setdefault(path, []).append(entry.module)
    by_type: dict[str, list[str]] = {}
    merged: dict[tuple[str, ...], str] = {}
    for entry in entries:
        mine = [path for path in entry.paths if len(owners[path]) == 1]
        if mine:
            by_type.setdefault(_absolute(entry.root, entry.module), []).extend(mine)
        for bases, text in entry.merged:
            merged.setdefault(bases, _absolute(text, entry.module))
    return by_type, merged


def _absolute(text: str, module: str) -> str:
    """A type of one stub as another module has to name it."""
    return _REFERENCE.sub(lambda found: f"{{{found[1] or module}:{found[2]}}}", text)


def _said(text: str) -> str:
    return _REFERENCE.sub(lambda found: found[2] if found[1] == "builtins" else f"{found[1]}.{found[2]}", text)


def _literal(paths: list[str]) -> str:
    return f"Literal[{', '.join(map(repr, paths))}]"


def _tuple(bases: tuple[str, ...]) -> str:
    return f"tuple[{', '.join(_literal([base]) for base in bases)}]"


def _arguments(bases: tuple[str, ...]) -> str:
    return ", ".join(f"base{i}: {_literal([base])}" for i, base in enumerate(bases))
