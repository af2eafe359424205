"""The record of a run, in its result folder: the config, and what it ran in. `load_config(folder)` loads it again.

| file | what is in it |
|---|---|
| `run.json` | everything of `Surroundings`; where the config comes from, its overrides; the other files of the record |
| `config.txt` | the config as text, to be read and compared |
| `cfg.pkl` | the config itself |
| `uncommitted.diff` | changes that were not committed, if there were any |

Secrets are in none of them. An earlier record moves to `earlier/<when it was made>/`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import OverrideError, ProjectError, short_path, short_repr
from ..tree.config import BaseConfig
from ..tree.origin import newest, place
from ..tree.walk import branches
from .declared_types import types_at
from .hiding import Hidden, cleaned
from .inherit import RESULT_DIR
from .open import open_tree
from .override import parse_override, public_value
from .project import RECORD, RECORDED_CONFIGS, find_project
from .result_folder import check_result_dir
from .save import write_whole
from .surroundings import Surroundings, local_time

TEXT = "config.txt"
DIFF = "uncommitted.diff"
EARLIER = "earlier"
RECORDED_RUN = "TYPEDCAT_RECORDED_RUN"
"""The variable that tells a run of the tuner, and the programs it starts, that this result folder has its record."""

_OVERRIDE = re.compile(r"override '(.*)'", re.DOTALL)
_ARGUMENT = re.compile(r"(--?[\w-]+=|-o)?(\+?[^=]+=.*)", re.DOTALL)


def record_run(cfg: BaseConfig, *, surroundings: Surroundings | None = None) -> Path:
    """Write the record of a run into its result folder. Call it when the config is loaded, before the work.

    Of several processes that torchrun started, only the one with rank 0 writes.

    Args:
        cfg: the loaded config.
        surroundings: what it runs in, if that was found out already: in a sweep it is the same for all runs. By default
            it is found out now, for the project that the config lies in.

    Returns:
        The path of `run.json`.

    Raises:
        ProjectError: the config has no result folder.
        TypeError: it is no config.
        OSError: the folder cannot be written, so that the run could not write its results either. What git does, and
            a config that cannot be pickled, are no errors: they are said in the record.
    """
    _check(cfg)
    folder = Path(os.path.abspath(os.fspath(dict.__getitem__(cfg, RESULT_DIR))))
    if os.environ.get("RANK", "0").strip() not in ("", "0"):
        return folder / RECORD
    source = cfg.__extra__.source if cfg.__extra__ is not None else ""
    if surroundings is None:
        surroundings = Surroundings.now(find_project(Path(source).parent if source else None).root)
    hidden = Hidden(cfg)
    _set_aside(folder)
    file, data, problem = _pickle_for(folder, source, hidden)
    contents = {
        TEXT: (hidden.clean(hidden.copy.to_txt()) + "\n").encode("utf-8", "backslashreplace"),
        DIFF: hidden.clean(surroundings.git.diff).encode("utf-8", "surrogateescape"),
        file: data,
    }
    contents = {name: content for name, content in contents.items() if content}
    for name, content in contents.items():
        write_whole(folder / name, content)
    overrides = overrides_of(cfg)
    config = {"source": source, "overrides": overrides, "file": file, "problem": problem, "masked": hidden.keys}
    record = {"recorded": local_time(), "config": config, **_plain(surroundings, cfg), "files": list(contents)}
    write_whole(folder / RECORD, _json(cleaned(record, hidden.clean)))
    return folder / RECORD


def _check(cfg: Any) -> None:
    """That it is a config with a result folder."""
    if not isinstance(cfg, BaseConfig):
        raise TypeError(f"record_run takes a loaded config, got {short_repr(cfg)}\n  cfg = load_config(...)")
    source = cfg.__extra__.source if cfg.__extra__ is not None else ""
    if dict.get(cfg, RESULT_DIR) is None:
        reason = f"{short_path(source)} lies outside of the config root" if source else "this config comes from no file"
        hint = f"pass rslt_dir=...{' or config_root=...' if source else ''} to load_config, or set cfg.rslt_dir"
        raise ProjectError(f"{reason}, so it has no result folder for the record", hint)
    check_result_dir(cfg, True)


def _plain(surroundings: Surroundings, cfg: BaseConfig) -> dict[str, Any]:
    git = {name: value for name, value in vars(surroundings.git).items() if name != "diff"}
    return {**vars(surroundings), "git": git, "command": public_command(surroundings.command, cfg)}


def _json(data: Any) -> bytes:
    text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "backslashreplace")  # names of files may be no text; JSON has the same escape


def overrides_of(cfg: BaseConfig) -> list[str]:
    """The overrides that are in force in a config, as they were written; of secrets only the mask."""
    found: dict[str, None] = {}
    for node in branches(cfg):
        for key in dict.keys(node):
            record = node.__origins__.get(key)
            at = None if record is None else place(newest(record))
            if at is not None and at.how == "override" and (match := _OVERRIDE.fullmatch(at.file)):
                found[match[1]] = None
    return list(found)


def public_command(command: Sequence[str], cfg: BaseConfig) -> list[str]:
    """A command without the values that are secrets in a config: of `-o login.key=x` and `--override=login.key=x`."""
    return [_public_argument(argument, cfg) for argument in command]


def _public_argument(argument: str, cfg: BaseConfig) -> str:
    match = _ARGUMENT.fullmatch(argument)
    if match is None:
        return argument
    try:
        override = parse_override(match[2])
    except OverrideError:
        return argument
    shown = public_value(override.value, types_at(cfg, override.keys))
    return argument if shown is None else f"{match[1] or ''}{match[2].partition('=')[0]}={shown}"


# -- the config itself


def _pickle_for(folder: Path, source: str, hidden: Hidden) -> tuple[str, bytes, str]:
    """(name of the file with the config, what is to be written there, why there is none)."""
    beside, file = RECORDED_CONFIGS
    if (folder / file).exists():  # not from a record: one that the tuner wrote
        if _is_same(folder / file, source, hidden):
            return file, b"", ""
        file = beside
    try:
        data = hidden.pickled()
    except Exception as error:  # noqa: BLE001 - what a user's __reduce__ raises can be anything, and the run can go on
        return "", b"", f"it cannot be pickled: {type(error).__name__}: {error}"
    if hidden.is_in(data):
        return (
            "",
            b"",
            "a secret stands in it where it cannot be masked: in another value, or in a class of a config file",
        )
    return file, data, ""


def _is_same(file: Path, source: str, hidden: Hidden) -> bool:
    """Whether the config was loaded from this file, and nothing overrode it."""
    return bool(source) and Path(source) == file and overrides_of(hidden.copy) == overrides_of(open_tree(file))


# -- earlier records


def _set_aside(folder: Path) -> None:
    """Move the files of the record that is there into a folder of their own."""
    try:
        text = (folder / RECORD).read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    recorded, files = _named_in(text)
    aside = _free(folder / EARLIER / (recorded or "unknown"))
    aside.mkdir(parents=True)
    for name in (*files, RECORD):
        try:
            os.replace(folder / name, aside / name)
        except FileNotFoundError:  # somebody removed it; or another process is doing the same
            continue


def _named_in(text: str) -> tuple[str, list[str]]:
    """When a record was made, as a name of a folder, and its files."""
    try:
        record = json.loads(text)
        recorded, files = str(record["recorded"]), set(record["files"])
    except (ValueError, KeyError, TypeError):  # cut off, or written by somebody else
        recorded, files = "", {TEXT, DIFF}
    return re.sub(r"[^\w+-]", "", recorded), sorted(files & {TEXT, DIFF, *RECORDED_CONFIGS})


def _free(folder: Path) -> Path:
    candidates: Iterator[Path] = (folder.with_name(f"{folder.name}-{n}") for n in range(2, 1_000_000))
    return folder if not folder.exists() else next(one for one in candidates if not one.exists())


__all__ = ["RECORDED_RUN", "Surroundings", "overrides_of", "public_command", "record_run"]
