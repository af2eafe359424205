"""The catalog: one stub in which the path of a config, as a literal, leads to its type."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
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


_EXPORTS = (
    "ADict", "BaseConfig", "Cfg2TuneRunner", "DEP", "Drop", "Extend", "IL", "ItemLazy", "PL", "P_DEP", "Param2Tune",
    "ParamLazy", "TypedConfig", "TypedcatError", "auto_rslt_dir", "load_runs", "open_config", "parse_config",
    "record_run",
)  # fmt: skip
_OWN = ("Cfg2Tune", "Config", "inherit", "load_config")


def _list(items: Iterable[str]) -> str:
    """Items on indented lines that are not too long."""
    text = ", ".join(item.replace(" ", "\0") for item in items)  # lines end between items only
    return textwrap.fill(text, 119, initial_indent="    ", subsequent_indent="    ").replace("\0", " ")


_HEAD = f"""\
# Made by `typedcat stubs`, which overwrites it: the configs of the project, by path.
# mypy: ignore-errors
import os
import typedcat
import typedcat.static.key
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self, TypeAlias, TypeVar, overload
from typedcat import (
{_list(f"{name} as {name}" for name in _EXPORTS)}
)
"""

# Names with an underscore, so that no editor offers them for import.
_TAIL = f"""\

__all__ = [
{_list(map(repr, sorted((*_EXPORTS, *_OWN))))}
]

_S = TypeVar("_S")
_C = TypeVar("_C", bound=typedcat.static.key.Closed | typedcat.TypedConfig)
_Root: TypeAlias = str | os.PathLike[str] | None
_Base: TypeAlias = str | os.PathLike[str] | Mapping[Any, Any]
_Caps: TypeAlias = _Base | Sequence[_Base]
"""

_LOAD = """\
@overload
def load_config(
    config_path: {path}, experiments_root: _Root = ..., config_root: _Root = ..., create_rslt_dir: bool = ..., *,
    strict: bool = ..., overrides: Sequence[str] | None = ..., rslt_dir: _Root = ...{more}
) -> {type}: ...
"""
_CONSTRUCTOR = """\
    @overload
    def __new__(cls, *, caps: {path} | tuple[{path}] | list[{path}], **values: Any) -> {type}: ...
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
_LIKE = ", like: {path}"
_OPEN_LOAD = f"""\
@overload
def load_config(
    config_path: _Base, experiments_root: _Root = ..., config_root: _Root = ..., create_rslt_dir: bool = ..., *,
    schema: type[_S], strict: bool = ..., overrides: Sequence[str] | None = ..., rslt_dir: _Root = ...,
    like: _Base | None = ...
) -> _S: ...
{_LOAD.format(path="_C", type="_C", more="")}\
{_LOAD.format(path="_Base", type="typedcat.Config", more=", like: _Base | None = ...")}\
"""
_OPEN_CONSTRUCTOR = f"""\
{_CONSTRUCTOR.format(path="_C", type="_C")}\
    @overload
    def __new__(cls, *cfgs: Any, schema: type[_S], caps: _Caps = ..., cfgs_update_at_parser: _Caps = ..., **values: Any
    ) -> _S: ...
    @overload
    def __new__(cls, *cfgs: Any, caps: _Caps = ..., cfgs_update_at_parser: _Caps = ..., **values: Any) -> Self: ...
"""
_OPEN_INHERIT = """\
@overload
def inherit(*bases: _Base, schema: type[_S]) -> _S: ...
@overload
def inherit(base: _C, /) -> _C: ...
@overload
def inherit(*bases: _Base) -> typedcat.Config: ...
"""
_TUNED = "class {name}({type}, typedcat.static.key.Closed, typedcat.Cfg2Tune): ...\n"
"""A tune config over a base of some type: its keys and no others, and the methods of `Cfg2Tune`."""

_OPEN_TYPES = ("Any", "typedcat.Config")


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
    caps = [*((_tuple(bases), name) for bases, name in several), *_lists(several)]
    tuned = {name: f"_Tuned{i}" for i, name in enumerate(dict.fromkeys(names.values())) if name not in _OPEN_TYPES}
    parts = [_HEAD, *(f"import {module}\n" for module in modules), _TAIL, *(f"{line}\n" for line in types), "\n"]
    parts += (_LOAD.format(path=path, type=name, more="") for path, name in single)
    parts += (_LOAD.format(path="_Base", type=name, more=_LIKE.format(path=path)) for path, name in single)
    parts += [_OPEN_LOAD, "\n"]
    parts += (_TUNED.format(name=name, type=type_) for type_, name in tuned.items())
    parts += _constructors("Config", single, caps, {})
    parts += _constructors("Cfg2Tune", single, caps, {"typedcat.Config": "Self", **tuned})
    parts += (_INHERIT.format(path=f"base: {path}", type=name) for path, name in single)
    parts += (_INHERIT.format(path=_arguments(bases), type=name) for bases, name in several)
    parts.append(_OPEN_INHERIT)
    return "".join(parts)


def _constructors(
    cls: str, single: list[tuple[str, str]], several: list[tuple[str, str]], instead: dict[str, str]
) -> Iterator[str]:
    """A class whose constructor knows the configs.

    Args:
        cls: its name, in typedcat too.
        single: the paths of one type, and the type.
        several: what `caps` may be to name several configs, and the type of what they make together.
        instead: what takes the place of a type.
    """
    yield f"class {cls}(typedcat.{cls}):\n"
    for path, name in single:
        yield _CONSTRUCTOR.format(path=path, type=instead.get(name, name))
    for path, name in several:
        yield _MERGED_CONSTRUCTOR.format(path=path, type=instead.get(name, name))
    yield _OPEN_CONSTRUCTOR


def _lists(several: list[tuple[tuple[str, ...], str]]) -> Iterator[tuple[str, str]]:
    """What stands for a list of bases, and its type: to a checker a list has items of a type, and no order.

    A list matches that of all its bases, and that of more. So those with fewer come first, and bases whose order makes
    a difference have no such type.
    """
    types: dict[frozenset[str], set[str]] = {}
    for bases, name in several:
        types.setdefault(frozenset(bases), set()).add(name)
    for members, names in sorted(types.items(), key=lambda item: (len(item[0]), sorted(item[0]))):
        if len(names) == 1:
            yield f"list[{_literal(sorted(members))}]", names.pop()


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
