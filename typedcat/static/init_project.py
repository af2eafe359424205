"""What a project needs so that checkers and editors know its configs, and how much of it is there already."""

from __future__ import annotations

import configparser
import json
import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from ..errors import ProjectError, short_path
from ..load.project import find_project
from .cache import FOLDER as CACHE

STUBS = "stubs"
State = Literal["create", "add", "there", "tell"]
"""A file to create, one to add lines to, nothing to do, or lines that only the user can put where they belong."""


@dataclass(frozen=True)
class Step:
    """One thing that a project needs.

    Attributes:
        file: where it stands.
        state: what is to be done.
        part: what of the file it is; '' for the whole.
        text: what is to be appended to the file, or what the user has to add.
    """

    file: Path
    state: State
    part: str = ""
    text: str = ""


def plan(folder: Path) -> list[Step]:
    """What has to be done in a project; nothing is written.

    Raises:
        ProjectError: a file cannot be read.
    """
    if folder.exists() and not folder.is_dir():
        raise ProjectError(
            f"{short_path(folder)} is a file", "name the folder of the project: typedcat init path/to/it"
        )
    try:
        project = find_project(folder)
        root = project.config_root if project.root == folder and project.config_root else "configs"
        return [
            _project(folder),
            _first_config(folder, root),
            _mypy(folder, root),
            _pyright(folder),
            _pre_commit(folder),
            _gitignore(folder, root, project.experiments_root or _RESULTS),
        ]
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(f"cannot read {short_path(getattr(error, 'filename', None) or folder)}: {error}") from error


def carry_out(steps: list[Step]) -> None:
    """Write what is to be created or added; what stands in a file stays as it is.

    Raises:
        ProjectError: a file cannot be written.
    """
    for step in steps:
        if step.state not in ("create", "add"):
            continue
        try:
            step.file.parent.mkdir(parents=True, exist_ok=True)
            with step.file.open("a", encoding="utf-8", newline="") as stream:
                stream.write(step.text)
        except OSError as error:
            raise ProjectError(f"cannot write {short_path(step.file)}: {error.strerror}") from error


def _appended(file: Path, text: str, part: str) -> Step:
    """The step that puts a paragraph at the end of a file."""
    before = _text(file)
    if before is None:
        return Step(file, "create", part, text)
    gap = "" if not before or before.endswith("\n") else "\n"
    return Step(file, "add", part, gap + text)


def _text(file: Path) -> str | None:
    """The contents of a file; None if it is not there."""
    return file.read_text(encoding="utf-8") if file.exists() else None


# -- the project, and its first config

_RESULTS = "experiment"
_TABLE = f'[tool.typedcat]\nconfig_root = "configs"\nexperiments_root = "{_RESULTS}"\n'


def _project(folder: Path) -> Step:
    file, part = folder / "pyproject.toml", "[tool.typedcat]"
    if _tool(file, "typedcat") is not None:
        return Step(file, "there", part)
    return _appended(file, f"\n{_TABLE}" if _text(file) else _TABLE, part)


def _tool(file: Path, name: str) -> dict[str, Any] | None:
    """The table of a tool in a pyproject.toml; None if there is none."""
    try:
        tool = tomllib.loads(_text(file) or "").get("tool")
    except tomllib.TOMLDecodeError as error:
        raise ProjectError(f"{short_path(file)} is not valid TOML: {error}", "correct it first") from error
    table = tool.get(name) if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ProjectError(f"{short_path(file)}: [tool.{name}] has to be a table")
    return table


_CONFIG = '''\
"""The base of all configs. `typedcat show configs/base/cfg.py` prints it as a run gets it."""

from typedcat_catalog import Config

cfg = Config()

cfg.rand_seed = 0
cfg.loader.ini.batch_size = 128
cfg.opt.ini.lr = cfg.DEP(lambda c: c.loader.ini.batch_size / 128 * 0.1)  # follows the batch size
'''


def _first_config(folder: Path, root: str) -> Step:
    if (folder / root).exists():
        return Step(folder / root, "there")
    return Step(
        folder / root / "base" / "cfg.py", "create", "", _CONFIG.replace("configs/", f"{Path(root).as_posix()}/")
    )


# -- mypy

_MYPY_HEAD = """\
[mypy]
# The stubs that `typedcat stubs` writes say what is in a config. The configs themselves are left out: each, as a module
# of the same name, would stand in front of its stub, and mypy refuses folders such as `base,2xbs`. `typedcat check`
# has mypy check them.
"""


def _mypy(folder: Path, root: str) -> Step:
    excluded = _mypy_exclude(folder, root)
    path = ":".join(
        f"$MYPY_CONFIG_FILE_DIR/{name}" for name in (STUBS, "src") if name == STUBS or (folder / name).is_dir()
    )
    for file, section, table in _mypy_tables(folder):
        toml = file.suffix == ".toml"
        lines = {
            "mypy_path": f'"{path}"' if toml else path,
            "explicit_package_bases": "true" if toml else "True",
            "exclude": f"['{excluded}']" if toml else excluded,
        }
        missing = [f"{name} = {line}\n" for name, line in lines.items() if not _mypy_has(table, name, root)]
        return Step(file, "tell" if missing else "there", f"[{section}]", "".join(missing))
    lines = {"mypy_path": path, "namespace_packages": "True", "explicit_package_bases": "True", "exclude": excluded}
    text = _MYPY_HEAD + "".join(f"{name} = {line}\n" for name, line in lines.items())
    return Step(folder / "mypy.ini", "create", "", text)


def _mypy_exclude(folder: Path, root: str) -> str:
    """A pattern for the paths of stubs and configs, and of environments, which mypy takes for the user's own code."""
    environments = sorted(file.parent.name for file in folder.glob("[!.]*/pyvenv.cfg"))
    below = _below(folder, root)
    folders = [STUBS, *([] if below == "." else [below]), *environments]
    return f"^({'|'.join(map(re.escape, folders))})/" + (r"|(^|/)cfg\.py$" if below == "." else "")


def _below(folder: Path, path: str) -> str:
    """A path of the project as settings have it: from its folder on, with slashes."""
    return os.path.relpath(folder / os.path.expanduser(path), folder).replace(os.sep, "/")


def _mypy_tables(folder: Path) -> Iterator[tuple[Path, str, dict[str, Any]]]:
    """(file, section, settings) of each configuration of mypy, in its order; the first one counts."""
    for name in ("mypy.ini", ".mypy.ini", "pyproject.toml", "setup.cfg"):
        file = folder / name
        if file.suffix == ".toml":
            if (table := _tool(file, "mypy")) is not None:
                yield file, "tool.mypy", table
        elif (text := _text(file)) is not None:
            parser = configparser.RawConfigParser()
            try:
                parser.read_string(text)
            except configparser.Error as error:
                raise ProjectError(f"{short_path(file)} cannot be read: {error}", "correct it first") from error
            if parser.has_section("mypy") or name != "setup.cfg":
                yield file, "mypy", dict(parser["mypy"]) if parser.has_section("mypy") else {}


def _mypy_has(table: dict[str, Any], name: str, root: str) -> bool:
    """Whether a setting does what is needed, in whichever way it is written."""
    value = table.get(name, "")
    if name == "explicit_package_bases":
        return str(value).lower() in ("true", "yes", "on", "1")
    parts = [str(part) for part in value] if isinstance(value, list) else [str(value)]
    if name == "mypy_path":
        paths = [path.strip() for part in parts for path in re.split("[,:]", part)]
        return STUBS in [os.path.normpath(path.removeprefix("$MYPY_CONFIG_FILE_DIR/")) for path in paths]
    needed = (f"{STUBS}/typedcat_catalog.pyi", os.path.normpath(f"{root}/base/cfg.py").replace(os.sep, "/"))
    return all(any(part and _matches(part, path) for part in parts) for path in needed)


def _matches(pattern: str, path: str) -> bool:
    try:
        return re.search(pattern, path) is not None
    except re.error:
        return False


# -- pyright

_PYRIGHT_EXCLUDE = [STUBS, "**/node_modules", "**/__pycache__", "**/.*"]
"""The stubs, and what pyright leaves out by itself as long as nobody says what to leave out."""
_JSON_EXTRA = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/|,(?=\s*[}\]])', re.DOTALL)
"""Comments and last commas, which pyright allows; strings are matched as well, so that nothing in them is."""


def _pyright(folder: Path) -> Step:
    file, part = folder / "pyrightconfig.json", ""
    settings: dict[str, Any] | None = None
    if (text := _text(file)) is not None:
        settings = _json(file, text)
    elif (table := _tool(folder / "pyproject.toml", "pyright")) is not None:
        file, part, settings = folder / "pyproject.toml", "[tool.pyright]", table
    if settings is None:
        wanted = {"stubPath": STUBS, "exclude": _PYRIGHT_EXCLUDE}
        return Step(file, "create", "", json.dumps(wanted, indent=2) + "\n")
    missing: dict[str, Any] = {}
    if os.path.normpath(str(settings.get("stubPath", "typings"))) != STUBS:
        missing["stubPath"] = STUBS
    if not _leaves_out_stubs(settings):
        missing["exclude"] = [STUBS] if "exclude" in settings else _PYRIGHT_EXCLUDE
    toml = file.suffix == ".toml"
    lines = [
        f"{key} = {json.dumps(one)}\n" if toml else f'"{key}": {json.dumps(one)},\n' for key, one in missing.items()
    ]
    return Step(file, "tell" if missing else "there", part, "".join(lines))


def _json(file: Path, text: str) -> dict[str, Any]:
    for _ in range(2):  # a last comma may be followed by a comment
        text = _JSON_EXTRA.sub(lambda found: found[1] or "", text)
    try:
        settings = json.loads(text)
    except ValueError as error:
        raise ProjectError(f"{short_path(file)} is not valid JSON: {error}", "correct it first") from error
    return settings if isinstance(settings, dict) else {}


def _leaves_out_stubs(settings: dict[str, Any]) -> bool:
    """Whether pyright does not check the stubs as if they were the user's own code."""
    included, excluded = (
        [os.path.normpath(str(one)) for one in settings.get(key) or ()] for key in ("include", "exclude")
    )
    everything = not included or {".", STUBS, "**"} & set(included)
    return not everything or bool({STUBS, f"**/{STUBS}", f"{STUBS}/**"} & set(excluded))


# -- git

_CHILD = "cfg.pkl"  # of a tune config, made by each sweep
_HOOKS = """\
  - repo: local
    hooks:
      - id: typedcat-stubs
        name: typedcat stubs --check
        entry: typedcat stubs --check
        language: system  # configs are loaded for it, so it runs where your own packages are
        types_or: [python, pyi, yaml, json]
        pass_filenames: false
      - id: typedcat-check
        name: typedcat check
        entry: typedcat check
        language: system
        types_or: [python, yaml, json]
        pass_filenames: false
"""


def _pre_commit(folder: Path) -> Step:
    file = folder / ".pre-commit-config.yaml"
    text = _text(file)
    if text is None:
        return Step(file, "create", "", f"repos:\n{_HOOKS}")
    if "typedcat-stubs" in text or "typedcat stubs" in text:
        return Step(file, "there")
    return Step(file, "tell", "repos", _HOOKS)


def _gitignore(folder: Path, root: str, results: str) -> Step:
    file = folder / ".gitignore"
    lines = [one.strip() for one in (_text(file) or "").splitlines()]
    wanted = {  # what git should say of each: it is ignored
        f"{CACHE}/": CACHE,
        f"{_below(folder, results)}/": _below(folder, results),
        f"{_below(folder, root)}/**/{_CHILD}".removeprefix("./"): f"{_below(folder, root)}/tune/lr=1/{_CHILD}",
    }
    inside = {line: path for line, path in wanted.items() if path != os.curdir and not path.startswith(os.pardir)}
    missing = [line for line, path in inside.items() if not any(_ignores(one, path) for one in lines)]
    if not missing:
        return Step(file, "there", ", ".join(inside))
    return _appended(file, "".join(f"{line}\n" for line in missing), ", ".join(missing))


def _ignores(line: str, path: str) -> bool:
    """Whether a line of a .gitignore means a path, roughly: a name that is given without a folder means it anywhere."""
    pattern = line.strip("/").removesuffix("/*").removesuffix("/**")
    return fnmatchcase(path, pattern) or fnmatchcase(os.path.basename(path), pattern)
