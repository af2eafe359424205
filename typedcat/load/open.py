"""Opening a config file of any format as a raw tree: what the file itself sets, nothing inherited or computed."""

from __future__ import annotations

import contextlib
import contextvars
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from ..errors import ConfigContentError, InheritanceError, did_you_mean, short_path, short_repr
from ..tree.config import BaseConfig, Config
from ..tree.copying import branch_copy, graft
from ..tree.keys import suggest
from ..tree.merge import caps_of
from ..tree.node import blank, extra_of, path_to
from ..tree.origin import Place, Site
from ..tree.walk import branches
from .builder import Document
from .documents import read_pickle
from .json_text import read_json
from .modules import run_config_file
from .project import Project, find_project, locate, run_folder
from .yaml_text import read_yaml


class Opened(NamedTuple):
    """A config file that was opened: where it is, and the bases that it names, as written."""

    path: Path
    bases: tuple[Any, ...]


_NAMES = ("cfg", "config")
_opened: contextvars.ContextVar[list[Opened] | None] = contextvars.ContextVar("opened", default=None)
_opening: contextvars.ContextVar[tuple[Path, ...]] = contextvars.ContextVar("opening", default=())


def open_tree(name: str | os.PathLike[str], *, named_by: str = "", project: Project | None = None) -> BaseConfig:
    """The raw tree of a config file, as a copy of its own.

    Args:
        name: the path, as the user wrote it.
        named_by: the file that names it, to look for relative paths from; '' for none.
        project: where relative paths begin; by default the project of the working directory.

    Raises:
        ConfigFileError: the file is missing, broken, or no config.
        InheritanceError: it is being opened already: files that name each other.
    """
    project = find_project() if project is None else project
    naming = Path(named_by) if named_by and os.path.isfile(named_by) else None
    path = locate(name, project=project, naming_file=naming, what="config" if naming is None else "base")
    with entered(path):
        tree = _READERS[path.suffix.lower()](path, project)
    extra_of(tree).source = str(path)
    if (folder := run_folder(name, path, project=project, naming_file=naming)) is not None:
        _put_in(folder, tree, path)
    if (records := _opened.get()) is not None:
        records.append(Opened(path, tuple(cap.base for cap in caps_of(tree))))
    return tree


def _put_in(folder: Path, tree: BaseConfig, path: Path) -> None:
    """Make the folder of a run the result folder of its config: it may have been moved since."""
    given = dict.get(tree, "rslt_dir")
    if not isinstance(given, (str, os.PathLike)) or os.path.abspath(given) != str(folder):
        tree.__put__("rslt_dir", short_path(folder), Place(str(path), None, "folder"))


@contextlib.contextmanager
def recorded() -> Iterator[list[Opened]]:
    """While it is entered, every config file that is opened is noted in the list that it gives."""
    records: list[Opened] = []
    token = _opened.set(records)
    try:
        yield records
    finally:
        _opened.reset(token)


@contextlib.contextmanager
def entered(path: Path) -> Iterator[None]:
    """While a file is being opened, or its bases read, it must not be asked for again.

    Raises:
        InheritanceError: it is.
    """
    chain = _opening.get()
    if path in chain:
        names = [short_path(one) for one in (*chain[chain.index(path) :], path)]
        raise InheritanceError(
            f"configs name each other as bases: {' -> '.join(names)}\n  remove one of these caps", chain=names
        )
    token = _opening.set((*chain, path))
    try:
        yield
    finally:
        _opening.reset(token)


def chain_length() -> int:
    """How many files are being opened, each of which is a base of the one before."""
    return len(_opening.get())


def open_config(config_path: str | os.PathLike[str] | Mapping[Any, Any], is_yaml: bool = False) -> tuple[Any, bool]:
    """The raw tree of a config file, and whether it is to be treated as a Python config.

    Args:
        config_path: a `.py`, `.yaml`, `.yml`, `.json` or `.pkl` file, or a mapping, which is given back.
        is_yaml: accepted as in AlchemyCat, without effect; the ending decides.

    Returns:
        (tree, True).

    Raises:
        ConfigFileError: the file is missing, broken, or no config.
    """
    if isinstance(config_path, Mapping):
        return config_path, True
    return open_tree(config_path), True


# -- one reader per format


def _read_py(path: Path, project: Project) -> BaseConfig:
    module = run_config_file(path, import_root=project.root)
    found = {name: getattr(module, name) for name in _NAMES if hasattr(module, name)}
    if len(found) == 2 and found["cfg"] is not found["config"]:
        raise ConfigContentError(path, "defines both 'cfg' and 'config', and they differ", hints=["keep one of them"])
    if not found:
        raise ConfigContentError(path, "defines no 'cfg'", hints=[_hint_for_no_cfg(module)])
    name, value = next(iter(found.items()))
    if isinstance(value, type) or not (isinstance(value, Mapping) or hasattr(value, "keys")):
        hints = [f"make an instance: {name} = {value.__name__}()"] if isinstance(value, type) else []
        raise ConfigContentError(path, f"'{name}' must be a Config or a dict, got {short_repr(value)}", hints=hints)
    return tree_of(value, Place(str(path), None))


def _hint_for_no_cfg(module: ModuleType) -> str:
    trees = [name for name, value in vars(module).items() if isinstance(value, Mapping) and not name.startswith("__")]
    similar = suggest("cfg", vars(module)) or suggest("config", vars(module))
    if trees:
        return f"is it {' or '.join(repr(one) for one in trees[:3])}? Name the config 'cfg'"
    return did_you_mean(similar) or "a config file ends with a config in the variable 'cfg': cfg = Config()"


def _read_document(read: Callable[[Path], Document]) -> Callable[[Path, Project], BaseConfig]:
    def reader(path: Path, project: Project) -> BaseConfig:
        document = read(path)
        tree = tree_of(document.value, Place(str(path), None))
        for node in branches(tree):
            prefix = path_to(node)
            for key in dict.keys(node):
                line = document.lines.get((*prefix, key))
                node.__origins__[key] = Place(str(path), line)
        return tree

    return reader


def _read_pkl(path: Path, project: Project) -> BaseConfig:
    value = read_pickle(path)
    if not isinstance(value, Mapping):
        raise ConfigContentError(path, f"holds no config but {short_repr(value)}")
    return tree_of(value, Place(str(path), None))


def tree_of(value: Any, site: Site | Place) -> BaseConfig:
    """A tree of its own with the contents of a mapping, set at `site`; the mapping does not change."""
    if isinstance(value, BaseConfig):
        value.__ready__()
        return branch_copy(value)
    tree: BaseConfig = blank(Config)
    graft(tree, value, site)
    return tree


_READERS: dict[str, Callable[[Path, Project], BaseConfig]] = {
    ".py": _read_py,
    ".yaml": _read_document(read_yaml),
    ".yml": _read_document(read_yaml),
    ".json": _read_document(read_json),
    ".pkl": _read_pkl,
}

__all__ = ["Opened", "entered", "open_config", "open_tree", "recorded", "tree_of"]
