"""Opening a config file of any format as a raw tree: what the file itself sets, nothing inherited or computed."""

from __future__ import annotations

import contextlib
import contextvars
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import ConfigContentError, ConfigFileError, InheritanceError, MountError, short_path, short_repr
from ..tree.config import BaseConfig, Config
from ..tree.copying import branch_copy, graft
from ..tree.merge import caps_of
from ..tree.node import WHOLE, Cap, blank, extra_of, flag, path_to, raw_delete
from ..tree.origin import Place, Site, newest, place
from ..tree.walk import branches
from .formats.alchemy import refuse_theirs
from .formats.builder import Document, KeyPath
from .formats.document_bases import decode, is_of_yacs, take_bases
from .formats.documents import read_pickle
from .formats.guess import with_guess
from .formats.hydra import understood
from .formats.json_text import read_json
from .formats.mmcv import import_custom_modules, read_mmcv
from .formats.mmcv_source import mmcv_style
from .formats.objects import as_mapping
from .formats.python_config import config_in
from .formats.toml_text import read_toml
from .formats.yaml_text import read_yaml
from .modules import run_config_file
from .project import Project, find_project, locate, run_folder


class Opened(NamedTuple):
    """A config file that was opened: where it is, and the bases that it names, as written."""

    path: Path
    bases: tuple[Any, ...]


DELETE = "_delete_"
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
        try:
            tree = _READERS[path.suffix.lower()](path, project)
        except ConfigFileError as error:
            raise with_guess(error, path) from error.__cause__
        except MountError as error:  # lists that are nested too deeply
            error.add_note(f"while reading {short_path(path)}")
            raise
    refuse_theirs(tree, path)
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
        config_path: a `.py`, `.yaml`, `.yml`, `.json`, `.toml` or `.pkl` file, or a mapping, which is given back.
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
    if style := mmcv_style(path):
        values, sources = read_mmcv(path, style, project.root)
        if (records := _opened.get()) is not None:
            records += [Opened(base, ()) for base in sources.texts if base != path]
        return _of_variables(values, path, sources.places)
    found = config_in(run_config_file(path, import_root=project.root), path, project.root)
    if found.variables:
        return _of_variables(found.config, path, found.places)
    return tree_of(found.config, Place(str(path), None))


def _of_variables(values: Mapping[Any, Any], path: Path, places: Mapping[KeyPath, Place]) -> BaseConfig:
    """The tree of an MMCV config: what is set in plain sight, and what lies below it, knows its line."""
    import_custom_modules(values, path, places)
    tree = tree_of(values, Place(str(path), None))
    for node in branches(tree):
        prefix = path_to(node)
        for key in dict.keys(node):
            ways = ((*prefix, key)[:length] for length in range(len(prefix) + 1, 0, -1))
            node.__origins__[key] = next((places[way] for way in ways if way in places), Place(str(path), None))
    take_deletes(tree, path)
    return tree


def take_deletes(tree: BaseConfig, path: Path) -> None:
    """Make of each `_delete_` of mmengine what it is here: a subtree that replaces the inherited one as a whole.

    Raises:
        ConfigContentError: it stands at the top, where nothing can be replaced.
    """
    for node in branches(tree):
        if not dict.__contains__(node, DELETE):
            continue
        if node is tree:
            line = place(newest(node.__origins__[DELETE])).line
            hint = "put it into the dict that replaces the inherited one"
            raise ConfigContentError(path, f"{DELETE} at the top deletes nothing", line, hints=[hint])
        flag(node, WHOLE, bool(raw_delete(node, DELETE)))


def _read_document(read: Callable[[Path], Document]) -> Callable[[Path, Project], BaseConfig]:
    def reader(path: Path, project: Project) -> BaseConfig:
        document = understood(read(path)) if read is read_yaml else read(path)
        yaml_of_yacs = read is read_yaml and is_of_yacs(document)
        bases = take_bases(document)
        tree = tree_of(decode(document.value) if yaml_of_yacs else document.value, Place(str(path), None))
        for node in branches(tree):
            prefix = path_to(node)
            for key in dict.keys(node):
                node.__origins__[key] = document.place((*prefix, key))
        if bases:
            extra_of(tree).caps = tuple(Cap((base, str(path))) for base in bases)
            take_deletes(tree, path)
        return tree

    return reader


def _read_pkl(path: Path, project: Project) -> BaseConfig:
    value = read_pickle(path)
    if (mapping := as_mapping(value)) is None:
        raise ConfigContentError(path, f"holds no config but {short_repr(value)}")
    return tree_of(mapping, Place(str(path), None))


def tree_of(value: Any, site: Site | Place) -> BaseConfig:
    """A tree of its own with the contents of a mapping, or of what has some, set at `site`; it does not change."""
    if isinstance(value, BaseConfig):
        value.__ready__()
        return branch_copy(value)
    tree: BaseConfig = blank(Config)
    graft(tree, value if isinstance(value, dict) else as_mapping(value) or {}, site)
    return tree


_READERS: dict[str, Callable[[Path, Project], BaseConfig]] = {
    ".py": _read_py,
    ".yaml": _read_document(read_yaml),
    ".yml": _read_document(read_yaml),
    ".json": _read_document(read_json),
    ".toml": _read_document(read_toml),
    ".pkl": _read_pkl,
}

__all__ = ["Opened", "entered", "open_config", "open_tree", "recorded", "tree_of"]
