"""Finds the project, the config files that a path names, and the result folder that belongs to a config."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from typedcat.errors import ConfigFormatError, ConfigNotFoundError, ProjectError, did_you_mean, short_path, short_repr
from typedcat.load.import_path import own_import_path

__all__ = [
    "PACKAGE_PREFIX",
    "READABLE_ENDINGS",
    "Project",
    "auto_rslt_dir",
    "find_project",
    "locate",
    "path_text",
    "project_of",
    "result_dir",
    "run_folder",
]

READABLE_ENDINGS = (".py", ".yaml", ".yml", ".json", ".toml", ".pkl")
PACKAGE_PREFIX = "pkg:"
DEFAULT_CONFIG_ROOT = "./configs"
RECORD = "run.json"
RECORDED_CONFIGS = ("run.pkl", "cfg.pkl")  # the first that is there belongs to the record of a folder

_SETTINGS = {"config_root": "TYPEDCAT_CONFIG_ROOT", "experiments_root": "TYPEDCAT_EXPERIMENTS_ROOT"}
_OUR_HEADER = re.compile(rb"^[ \t]*\[[ \t]*tool[ \t]*\.[ \t]*[\"']?typedcat\b", re.MULTILINE)
_MOST_NEIGHBOURS = 2_000  # a folder of 100,000 runs is not worth seconds of searching for a similar name

Pathname = str | os.PathLike[str]
Root = str | os.PathLike[str] | None
"""The folder of all results, or that they mirror; None is the project's."""


@dataclass(frozen=True)
class Project:
    """What every relative path counts from.

    Attributes:
        root: the folder whose pyproject.toml has `[tool.typedcat]`, else the working directory; absolute.
        config_root: the folder that result folders mirror, as written; None when nothing sets it.
        experiments_root: the folder that holds the result folders, as written; None when nothing sets it.
    """

    root: Path
    config_root: str | None = None
    experiments_root: str | None = None

    @property
    def configs(self) -> Path:
        """The folder of all configs, absolute."""
        return Path(os.path.abspath(self.root / os.path.expanduser(self.config_root or DEFAULT_CONFIG_ROOT)))


def find_project(start: Path | None = None) -> Project:
    """The project that `start` lies in.

    The root is the nearest folder at or above `start` whose pyproject.toml has `[tool.typedcat]`. The environment
    variables TYPEDCAT_CONFIG_ROOT and TYPEDCAT_EXPERIMENTS_ROOT win over that file; an empty one counts as not set.
    A pyproject.toml that is not valid TOML is passed over, unless a `[tool.typedcat]` header stands in it.

    Args:
        start: a file or folder; by default the working directory.

    Returns:
        The project; without such a pyproject.toml its root is the working directory.

    Raises:
        ProjectError: `[tool.typedcat]` cannot be read, or has an unknown key or a value that is no string.
    """
    begin = Path(os.path.abspath(start)) if start is not None else _working_dir()
    return _project_above(begin) or _project(_working_dir(), {})


def project_of(config: Pathname) -> Project:
    """The project that a config belongs to: the one that its file lies in, else that of the working directory.

    Args:
        config: the config, as the user named it.

    Raises:
        ConfigFileError: there is no such file.
        ProjectError: see `find_project`.
    """
    here = find_project()
    return _project_above(locate(config, project=here)) or here


def _project_above(start: Path) -> Project | None:
    """The project of the nearest folder with settings, at or above a place."""
    for folder in (start, *start.parents):
        settings = _read_settings(folder / "pyproject.toml")
        if settings is not None:
            return _project(folder, settings)
    return None


def _project(root: Path, settings: dict[str, str]) -> Project:
    merged = {key: os.environ.get(variable) or settings.get(key) for key, variable in _SETTINGS.items()}
    return Project(root, **merged)


def _working_dir() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise ProjectError("the working directory does not exist any more", "change to one that does") from None


def _read_settings(file: Path) -> dict[str, str] | None:
    """The `[tool.typedcat]` table of a pyproject.toml; None when there is none."""
    try:
        source = file.read_bytes()
    except OSError:
        return None
    # most pyproject.toml files are not ours: they cost a search, not a parse
    return _parse_settings(str(file), source) if b"typedcat" in source else None


@lru_cache(maxsize=16)
def _parse_settings(file: str, source: bytes) -> dict[str, str] | None:
    import tomllib

    try:
        document: dict[str, Any] = tomllib.loads(source.decode("utf-8"))
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError both are
        if _OUR_HEADER.search(source):
            raise ProjectError(f"{short_path(file)}: [tool.typedcat] cannot be read: {error}") from error
        return None
    tool = document.get("tool")
    table = tool.get("typedcat") if isinstance(tool, dict) else None
    if table is None:
        return None
    if not isinstance(table, dict):
        raise ProjectError(f"{short_path(file)}: [tool.typedcat] has to be a table")
    _check_settings(file, table)
    return table


def _check_settings(file: str, table: dict[str, Any]) -> None:
    for key, value in table.items():
        place = f"{short_path(file)}: [tool.typedcat] {key}"
        if key not in _SETTINGS:
            close = did_you_mean(_similar(key, list(_SETTINGS)))
            raise ProjectError(f"{place}: no such setting", close or f"there are: {', '.join(_SETTINGS)}")
        if not isinstance(value, str):
            raise ProjectError(f"{place}: a path in quotes is wanted, got {value!r}")


def _similar(name: str, names: list[str]) -> list[str]:
    """The most similar of `names`, if one is similar at all."""
    from difflib import get_close_matches

    return get_close_matches(name, names, n=1, cutoff=0.7)


def locate(name: Pathname, *, project: Project, naming_file: Path | None = None, what: str = "config") -> Path:
    """The file that a config path names.

    A relative path is looked for from the project root, then from the working directory, then from the folder of the
    file that names it, and at last, as a module would be, from the folders of `sys.path`. `pkg:lab_configs/base/cfg.py`
    names a file of an installed package, which is not imported for that. A path without one of the readable endings
    stands for the one file that has it added. The folder of a run with a record stands for the config in it.

    Args:
        name: the path as the user wrote it; `~` is expanded.
        project: where relative paths begin.
        naming_file: the config in which `name` stands, if any.
        what: what is looked for, for the message ('config', 'base').

    Returns:
        The absolute path; symbolic links stay as they are.

    Raises:
        ConfigNotFoundError: there is no such file, it is a directory, or several files fit.
        ConfigFormatError: the file is there, but its ending is none of the readable ones.
    """
    text = os.fspath(name)
    places = _places(text, project, naming_file)
    for place in places:
        if found := _file_at(place) or _recorded_config(place):
            return found
    for place in _on_import_path(text):
        if found := _file_at(place):
            return found
    for place in places:
        if os.path.isdir(place):
            raise ConfigNotFoundError(place, f"is a directory, not a {what} file", hints=[_hint_for_folder(place)])
    hints = [_hint_for_missing(text, places, project)]
    if naming_file is not None:
        hints.append(f"it is named in {short_path(naming_file)}")
    raise ConfigNotFoundError(text or "''", f"no such {what} file", tried=places, hints=hints)


def _places(text: str, project: Project, naming_file: Path | None = None) -> list[Path]:
    """The absolute paths that a config path may mean, in order."""
    if text.startswith(PACKAGE_PREFIX):
        return _places_in_package(text)
    if not text:
        return []
    path = os.path.expanduser(text)
    folders = [project.root, _working_dir(), *([naming_file.parent] if naming_file is not None else [])]
    return list(dict.fromkeys(Path(os.path.abspath(folder / path)) for folder in folders))


def _on_import_path(text: str) -> list[Path]:
    """Where AlchemyCat looks, too: its examples name files of its package by their paths below site-packages."""
    path = os.path.expanduser(text)
    if not os.path.dirname(path) or os.path.isabs(path) or text.startswith(PACKAGE_PREFIX):
        return []
    return [Path(os.path.abspath(os.path.join(folder, path))) for folder in own_import_path()]


def _places_in_package(text: str) -> list[Path]:
    package, parts = _split_package(text)
    return [folder.joinpath(*parts) for folder in _package_folders(text, package)]


def _split_package(text: str) -> tuple[str, tuple[str, ...]]:
    """`pkg:lab.configs/base/cfg.py` -> ('lab', ('configs', 'base', 'cfg.py'))."""
    dotted, _, rest = text.removeprefix(PACKAGE_PREFIX).replace(os.sep, "/").partition("/")
    package, *subpackages = dotted.split(".")
    parts = (*subpackages, *(part for part in PurePosixPath(rest).parts if part != "/"))
    if not rest or not all(name.isidentifier() for name in (package, *subpackages)) or ".." in parts:
        raise ConfigNotFoundError(
            text,
            "not a path into a package",
            hints=["write pkg:<package>/<path below the package>, as in pkg:lab_configs/base/cfg.py"],
        )
    return package, parts


def _package_folders(text: str, package: str) -> list[Path]:
    from importlib.util import find_spec

    try:
        spec = find_spec(package)  # a top-level name: found without running anything of it
    except ValueError:  # in sys.modules without a spec, as __main__ is
        spec = None
    if spec is None:
        raise ConfigNotFoundError(text, f"the package '{package}' is not installed in this environment")
    if spec.submodule_search_locations is None:
        raise ConfigNotFoundError(text, f"'{package}' is a single module, so it has no config files in it")
    return [Path(os.path.abspath(folder)) for folder in spec.submodule_search_locations]


def _file_at(place: Path) -> Path | None:
    """`place`, or the one file that is `place` with a readable ending added.

    Pipes and devices count as there: who reads the file says why it is refused.
    """
    there = os.path.exists(place) and not os.path.isdir(place)
    if place.suffix.lower() in READABLE_ENDINGS:
        return place if there else None
    fitting = [file for ending in READABLE_ENDINGS if os.path.isfile(file := Path(f"{place}{ending}"))]
    if len(fitting) > 1:
        names = ", ".join(file.name for file in fitting)
        raise ConfigNotFoundError(place, f"several files fit: {names}", hints=["write the ending of the one you mean"])
    if there and not fitting:
        raise ConfigFormatError(place, f"a config ends in {', '.join(READABLE_ENDINGS)}; this file does not")
    return fitting[0] if fitting else None


def _recorded_config(folder: Path) -> Path | None:
    """The config that belongs to the record of a run in this folder, if it is one."""
    if not os.path.isfile(folder / RECORD):
        return None
    return next((folder / name for name in RECORDED_CONFIGS if os.path.isfile(folder / name)), None)


def run_folder(name: Pathname, found: Path, *, project: Project, naming_file: Path | None = None) -> Path | None:
    """The folder of a run, if that is what a config path names; `found` is the config that `locate` found by it."""
    if found.name not in RECORDED_CONFIGS or not os.path.isfile(found.parent / RECORD):
        return None
    return found.parent if found.parent in _places(os.fspath(name), project, naming_file) else None


def _hint_for_folder(folder: Path) -> str:
    if os.path.isfile(folder / RECORD):
        return f"it is the folder of a run, but its record has no config; {RECORD} says why"
    files = _configs_in(folder)
    close = did_you_mean([short_path(file) for file in _usual(files) or files][:3])
    return close or "the folder of a run can be loaded if it has a record, which typedcat.record_run(cfg) writes"


def _configs_in(folder: Path) -> list[Path]:
    try:
        return sorted(file for file in folder.iterdir() if file.suffix in READABLE_ENDINGS)
    except OSError:
        return []


def _usual(files: Iterable[Path]) -> list[Path]:
    """Those with the name of a config that has a folder of its own."""
    return [file for file in files if file.stem in ("cfg", "config")]


def _hint_for_missing(text: str, places: list[Path], project: Project) -> str:
    """'did you mean ...' for a path that is one slip away from a file."""
    guesses = [project.configs / text, *places]
    for guess in guesses if text else ():
        similar = _most_similar(Path(os.path.abspath(guess)))
        if similar is not None:
            return did_you_mean([short_path(similar)])
    return ""


def _most_similar(path: Path) -> Path | None:
    """The file that is reached by taking, for each part of `path` that is missing, the name nearest to it.

    A config may have become a folder with a config in it: `base/cfg.py` for `base.py`.
    """
    here = Path(path.anchor)
    for part in path.parts[1:]:
        if os.path.exists(here / part):
            here /= part
            continue
        try:
            names = os.listdir(here)[:_MOST_NEIGHBOURS]
        except OSError:
            return None
        close = _similar(part, names) or _similar(Path(part).stem, names)
        if not close:
            return None
        here /= close[0]
    if os.path.isdir(here):
        here = next(iter(_usual(_configs_in(here))), here)
    return here if os.path.isfile(here) else None


def result_dir(
    config: Path,
    *,
    config_root: Pathname | None,
    experiments_root: Pathname | None,
    project: Project,
    name: Pathname | None = None,
) -> str:
    """The result folder of a config: the path of its folder below `config_root`, put below `experiments_root`.

    `configs/mnist/base/cfg.py` -> `<experiments_root>/mnist/base`. Every character of the names stays as it is.
    A root of None is the project's; nothing set there either, the config root is './configs' and the experiments
    root ''. Relative roots count from the project root; the config root also from the working directory.

    Args:
        config: the config file.
        config_root, experiments_root: the two roots.
        project: where relative roots begin.
        name: the path by which the user named the config. For `pkg:lab_configs/base/cfg.py` the result folder is
            `<experiments_root>/lab_configs/base`.

    Returns:
        The folder, relative as the user wrote it while the project root is the working directory, else absolute.
        It never has '..' in it beyond what `experiments_root` has.

    Raises:
        ProjectError: the config lies outside of the config root.
        TypeError: a root is no path.
    """
    if name is not None and os.fspath(name).startswith(PACKAGE_PREFIX):
        package, parts = _split_package(os.fspath(name))
        folders: tuple[str, ...] = (package, *parts[:-1])
    else:
        root = _chosen("config_root", config_root, project.config_root, DEFAULT_CONFIG_ROOT)
        folders = _folders_below_root(config, root, project)
    top = os.path.expanduser(_chosen("experiments_root", experiments_root, project.experiments_root, ""))
    result = os.path.join(top, *folders) or os.curdir
    if os.path.isabs(result) or os.path.realpath(project.root) == os.path.realpath(_working_dir()):
        return result
    return os.path.abspath(project.root / result)


def path_text(argument: str, value: Pathname) -> str:
    """The text of a path that a caller has given.

    Raises:
        TypeError: it is none; the message names the argument.
    """
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{argument} is a path, got {short_repr(value)}")
    return os.fspath(value)


def _chosen(argument: str, given: Pathname | None, of_project: str | None, default: str) -> str:
    if given is not None:
        return path_text(argument, given)
    return default if of_project is None else of_project


def _folders_below_root(config: Path, config_root: str, project: Project) -> tuple[str, ...]:
    """The folders between the config root and the config; links are followed only if the plain paths do not fit."""
    file = os.path.abspath(config)
    written = os.path.expanduser(config_root)
    roots = [os.path.abspath(base / written) for base in (project.root, _working_dir())]
    for root in roots:
        for inner, outer in ((file, root), (os.path.realpath(file), os.path.realpath(root))):
            if Path(inner).is_relative_to(outer):
                return Path(inner).relative_to(outer).parent.parts
    raise ProjectError(
        f"{short_path(file)} lies outside of the config root {short_path(roots[0])}, so no result folder mirrors it",
        "pass config_root=<a folder above the config>, set config_root in [tool.typedcat], or set cfg.rslt_dir",
    )


def auto_rslt_dir(
    file: Pathname,
    experiments_root: Pathname | None = None,
    config_root: Pathname | None = None,
    trunc_cwd: bool = False,
) -> str:
    """The result folder that `load_config` gives to the config `file`.

    Args:
        file: the config, usually its `__file__`; it need not exist.
        experiments_root: the folder that holds the result folders; by default the project's, else ''.
        config_root: the folder that they mirror; by default the project's, else './configs'.
        trunc_cwd: count relative roots from the working directory, whatever the project is.

    Returns:
        The path of the folder; nothing is created.

    Raises:
        ProjectError: the file lies outside of the config root.
        ConfigNotFoundError: `file` is a `pkg:` path and the package is not there.
    """
    project = find_project()
    if trunc_cwd:
        project = Project(_working_dir(), project.config_root, project.experiments_root)
    text = os.fspath(file)
    places = _places(text, project)
    if not places:
        raise ProjectError("an empty path has no result folder")
    path = next((place for place in places if os.path.exists(place)), places[-1])
    return result_dir(path, config_root=config_root, experiments_root=experiments_root, project=project, name=text)
