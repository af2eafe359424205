"""Reads the configs of MMCV and mmengine, through mmengine: `_base_`, `_delete_`, `{{ _base_.x }}`, `read_base`."""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FunctionType, ModuleType, TracebackType
from typing import Any

from ...errors import ConfigCodeError, ConfigContentError, InheritanceError, TypedcatError, did_you_mean, short_path
from ...tree.keys import format_path, suggest
from ...tree.origin import Place
from ..import_path import make_importable
from ..modules import code_error
from .extras import needed
from .mmcv_source import PURE, TEXT, Sources, read_sources
from .python_source import KeyPath

_PARSERS = ("_file2dict", "_parse_lazy_import")  # mmengine's functions that read one file, `filename`
_NO_DICT_BELOW = re.compile(r"because (\w+) is a dict in the child config but is of type <class '([\w.]+)'>")
_one_at_a_time = threading.Lock()  # while it reads, mmengine keeps its state in a class


def read_mmcv(path: Path, style: str, root: Path) -> tuple[dict[str, Any], Sources]:
    """The contents of a config, all bases merged, and where they come from.

    Args:
        path: the file.
        style: `mmcv_style(path)`.
        root: where imports begin; it stays on `sys.path`, as for all configs that are run.

    Raises:
        MissingExtraError: mmengine is not installed.
        ConfigFileError: the file or one of its bases is missing, broken or no config, or imports what is not there.
        InheritanceError: bases that name each other or do not fit together.
    """
    config_module = needed("mmengine.config", "mmcv", f"{short_path(path)}, a config with bases in MMCV's style,")
    sources = read_sources(path, style)
    make_importable(root)
    try:
        with _one_at_a_time, _silence(sources.uses_environment):
            read = config_module.Config.fromfile(
                str(path), import_custom_modules=False, lazy_import=style == PURE, format_python_code=False
            )
            contents = read._to_lazy_dict()  # plain dicts; the public to_dict makes strings of what is imported
    except Exception as error:  # configs are code, and mmengine raises what it likes
        raise _failure(error, path, sources, str(root)) from error
    kept = {key: value for key, value in contents.items() if not _is_left_out(key, value, sources, style)}
    imported: dict[str, Any] = _Importer(path, sources).value(kept, ())
    return imported, sources


def import_custom_modules(contents: Mapping[Any, Any], path: Path, places: Mapping[KeyPath, Place]) -> None:
    """Import what the key `custom_imports` of a config names, as mmengine does when it reads one.

    Raises:
        ConfigCodeError: one of the modules cannot be imported, and the config does not allow for that.
    """
    custom = contents.get("custom_imports")
    if not isinstance(custom, Mapping):
        return
    names = custom.get("imports") or ()
    for name in [names] if isinstance(names, str) else names:
        try:
            importlib.import_module(name)
        except ImportError as error:
            if custom.get("allow_failed_imports"):
                continue
            file, line = _place(places, ("custom_imports", "imports"), path)
            hint = "put its folder on PYTHONPATH, or set allow_failed_imports=True"
            if error.name and not f"{name}.".startswith(f"{error.name}."):  # what the module imports itself
                hint = f"{name} imports {error.name}: install that, or set allow_failed_imports=True"
            raise ConfigCodeError(file, f"custom_imports: cannot import {name}: {error}", line, hints=[hint]) from error


@contextlib.contextmanager
def _silence(logs: bool) -> Iterator[None]:
    """No warnings, and no word about environment variables."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not logs:
            yield
            return
        logger = needed("mmengine.logging", "mmcv", "MMCV's style").MMLogger.get_current_instance()
        before, logger.disabled = logger.disabled, True
        try:
            yield
        finally:
            logger.disabled = before


def _is_left_out(key: str, value: Any, sources: Sources, style: str) -> bool:
    """What mmengine leaves out in at least one of its styles: what a file imports and defines."""
    return (
        key.startswith("__")
        or isinstance(value, (ModuleType, FunctionType))
        or (style == TEXT and key in sources.defined)
    )


# -- what is imported


class _Importer:
    """Puts the real classes and functions in the place of what mmengine has not imported yet."""

    def __init__(self, path: Path, sources: Sources) -> None:
        lazy = needed("mmengine.config.lazy", "mmcv", "MMCV's style")
        self.path = path
        self.sources = sources
        self.attribute_class = lazy.LazyAttr
        self.lazy = (lazy.LazyAttr, lazy.LazyObject)

    def value(self, value: Any, keys: KeyPath) -> Any:
        if type(value) is dict:
            return {key: self.value(item, (*keys, key)) for key, item in value.items()}
        if type(value) in (list, tuple):
            return type(value)(self.value(item, (*keys, number)) for number, item in enumerate(value))
        return self.built(value, keys) if isinstance(value, self.lazy) else value

    def built(self, lazy: Any, keys: KeyPath) -> Any:
        try:
            return lazy.build()
        except Exception as error:  # a module that is imported may raise anything
            file, line = self.import_place(lazy, keys)
            wanted = str(lazy) if str(lazy) == lazy.module else f"{lazy.module}.{lazy}"
            known = vars(sys.modules[lazy.module]) if lazy.module in sys.modules else ()
            hints = [did_you_mean(suggest(str(lazy), known)) if known else _without_place(error)]
            raise ConfigCodeError(file, f"{format_path(keys)}: cannot import {wanted}", line, hints=hints) from error

    def import_place(self, lazy: Any, keys: KeyPath) -> tuple[Path, int | None]:
        """The import that a value came from, as mmengine has noted it."""
        while isinstance(lazy, self.attribute_class):
            lazy = lazy.source
        file, _, line = str(lazy.location).rpartition(", line ")
        return (Path(file), int(line)) if line.isdigit() else _place(self.sources.places, keys, self.path)


def _without_place(error: Exception) -> str:
    """What went wrong in an import, without what mmengine says about where."""
    return f"{type(error).__name__}: {str(error).rpartition(' for ')[2]}"


def _place(places: Mapping[KeyPath, Place], keys: KeyPath, path: Path) -> tuple[Path, int | None]:
    """Where a key, or the nearest one above it, is set."""
    for length in range(len(keys), 0, -1):
        if (place := places.get(keys[:length])) is not None:
            return Path(place.file), place.line
    return path, None


# -- what mmengine raises


def _failure(error: Exception, path: Path, sources: Sources, root: str) -> TypedcatError:
    """The error to raise for one of mmengine's, or of the config: which file, which line, and a way out."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    for frame in frames:
        if (left_open := frame.f_locals.get("temp_config_file")) is not None:
            left_open.close()
    file = next((Path(f.f_locals["filename"]) for f in reversed(frames) if f.f_code.co_name in _PARSERS), path)
    lines = list(_lines_in(error.__traceback__, sources))
    if isinstance(error, RecursionError):
        return InheritanceError(f"{short_path(path)}: the chain of bases is too long, or it leads back to itself")
    if lines and type(error) is RuntimeError and not str(error):
        reason = "uses what it imports, and mmengine's pure-Python style only notes imports, without importing"
        return ConfigContentError(*lines[-1][:1], reason, lines[-1][1], hints=["write the value itself"])
    if lines:
        return code_error(str(lines[-1][0]), error, root)
    if isinstance(error, SyntaxError):
        line = getattr(error.__context__, "lineno", None)
        hint = "{{ _base_.x }} stands for a whole value, it cannot be a part of a text"
        return ConfigContentError(file, "does not compile once its {{ variables }} are filled in", line, hints=[hint])
    if isinstance(error, KeyError) and (variable := sources.variable_line(file, str(error.args[0]))):
        return ConfigContentError(file, f"{{{{ _base_.{variable[0]} }}}}: no base has '{error.args[0]}'", variable[1])
    if found := _NO_DICT_BELOW.search(str(error)):
        reason = f"'{found[1]}' is a dict here, and of type {found[2]} in a base, so they cannot be merged"
        return InheritanceError(
            f"{short_path(file)}:{sources.line_of(file, found[1])}: {reason}\n"
            "  put _delete_=True into the dict: it replaces the inherited value"
        )
    reason = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
    line = sources.base_line(file)
    importing = [frame.f_locals["node"] for frame in frames if frame.f_code.co_name == "visit_ImportFrom"]
    if isinstance(error, KeyError) and importing:
        line = importing[-1].lineno
        return ConfigContentError(file, f"imports '{reason}' from a base that does not define it", line)
    if isinstance(error, KeyError):  # of keys that several bases have
        return InheritanceError(f"{short_path(file)}:{line}: {reason}")
    return ConfigContentError(file, f"{type(error).__name__}: {reason}", line, hints=[_way_out(error)])


def _way_out(error: Exception) -> str:
    if type(error) is NameError:
        return "_base_ is evaluated before the file runs: write the paths themselves"
    if getattr(error, "name", "") == "pkg_resources":
        return "mmengine looks for bases in packages with it: pip install 'setuptools<81'"
    return ""


def _lines_in(tb: TracebackType | None, sources: Sources) -> Iterator[tuple[Path, int]]:
    """The lines of the config and its bases that a traceback goes through."""
    for frame, line in traceback.walk_tb(tb):
        if (file := Path(frame.f_code.co_filename)) in sources.texts:
            yield file, line


__all__ = ["import_custom_modules", "read_mmcv"]
