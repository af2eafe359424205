"""The hash of the user's own code: tells results of other code from those of today's."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from ...errors import TuneError
from ...load.project import find_project

_NOT_OWN = frozenset({"__pycache__", "node_modules", "site-packages", "dist-packages"})
_known: dict[str, tuple[int, int, bytes]] = {}  # by path: mtime and size of the file, and its hash


def code_hash(
    root: str | os.PathLike[str], modules: Collection[str] = (), *, without: Iterable[str | os.PathLike[str]] = ()
) -> str:
    """A short hash of every `.py` file below a folder: its path there, and its content.

    Left out are the config root and the experiments root of the project, whose files are no code, hidden folders,
    virtual environments, `site-packages` and what other tools keep, and links to folders. A file that was not touched
    since the last call is not read again.

    Args:
        root: the root of the project.
        modules: installed modules or packages that are the user's own code as well, such as a library of the lab. They
            are found, not imported.
        without: more folders that are no code, absolute or relative to the root, such as an experiments root that is
            not the one that the project sets.

    Returns:
        12 hexadecimal digits.

    Raises:
        TuneError: a module is not installed.
        ProjectError: see `find_project`.
    """
    top = os.path.abspath(root)
    project = find_project(Path(top))
    roots = (project.configs, project.root / (project.experiments_root or ""))
    folders = [os.path.join(top, os.path.expanduser(folder)) for folder in (*roots, *without)]
    left_out = {os.path.realpath(folder) for folder in folders} - {os.path.realpath(top)}
    total = hashlib.blake2b(digest_size=6)
    places = [("", top), *((name, place) for name in sorted(modules) for place in _places(name))]
    for name, place in places:
        for file in [place] if os.path.isfile(place) else sorted(_files(place, left_out)):
            relative = Path(os.path.relpath(file, place)).as_posix()
            total.update(f"{name}\0{relative}\0".encode("utf-8", "surrogateescape"))
            total.update(_file_hash(file))
    return total.hexdigest()


def _places(module: str) -> list[str]:
    """The file of a module, or the folders of a package."""
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        raise TuneError(f"modules: there is no module '{module}' in this environment")
    if spec.submodule_search_locations is not None:
        return [os.path.abspath(folder) for folder in spec.submodule_search_locations]
    return [spec.origin] if spec.origin is not None and os.path.isfile(spec.origin) else []


def _files(top: str, left_out: Collection[str]) -> Iterator[str]:
    names = {os.path.basename(folder) for folder in left_out}
    stack = [top]
    while stack:
        try:
            with os.scandir(stack.pop()) as found:
                entries = list(found)
        except OSError:  # may not be read, or was removed a moment ago
            continue
        if any(entry.name == "pyvenv.cfg" for entry in entries):
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                is_own = not entry.name.startswith(".") and entry.name not in _NOT_OWN
                if is_own and not (entry.name in names and os.path.realpath(entry.path) in left_out):
                    stack.append(entry.path)
            elif entry.name.endswith(".py") and entry.is_file():
                yield entry.path


def _file_hash(file: str) -> bytes:
    try:
        stat = os.stat(file)
        known = _known.get(file)
        if known is not None and known[:2] == (stat.st_mtime_ns, stat.st_size):
            return known[2]
        with open(file, "rb") as stream:
            found = hashlib.blake2b(stream.read(), digest_size=16).digest()
    except OSError:  # as above
        return b""
    _known[file] = stat.st_mtime_ns, stat.st_size, found
    return found


__all__ = ["code_hash"]
