"""From one config format to another: the loaded form of a config, as a file of its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..errors import ConfigFileError, ConfigFormatError, TuneError, short_path
from ..tree.config import BaseConfig
from ..tree.copying import branch_copy
from ..tree.keys import suggest
from ..tree.node import extra_of, raw_delete
from ..tree.origin import history
from .inherit import RESULT_DIR
from .open import Opened, recorded
from .pipeline import is_tune, load_config
from .save import save

ENDINGS: dict[str, tuple[str, ...]] = {
    "typedcat": (".py",),
    "mmcv": (".py",),
    "yaml": (".yaml", ".yml"),
    "json": (".json",),
    "pkl": (".pkl",),
    "alchemy-cat": (".py",),
}
"""The formats that are written, and how their files end; of two with the same ending the first is meant."""

_TARGETS = {"typedcat": "py", "alchemy-cat": "py"}  # as `save` calls them, where it has another name
_GIVEN = {"folder", "point"}  # how loading and the tuner set the result folder


def convert(
    x: str | os.PathLike[str],
    y: str | os.PathLike[str],
    y_type: str | None = None,
    *,
    overrides: Sequence[str] = (),
    experiments_root: str | None = None,
    config_root: str | None = None,
    strict: bool = False,
) -> BaseConfig:
    """Write the loaded form of a config to a file: nothing is inherited any more, all dependencies are computed.

    No result folder is made, and the one that loading gives a config is left out: `rslt_dir` is written only if the
    config sets it itself.

    Args:
        x: a config of any format that `load_config` reads.
        y: where to; its folder is made, what is there is overwritten unless `x` is made of it.
        y_type: 'typedcat' (or 'alchemy-cat', the same), 'mmcv', 'yaml', 'json' or 'pkl'; by default what the ending
            of `y` says, typedcat for '.py'.
        overrides, experiments_root, config_root, strict: see `load_config`.

    Returns:
        The config as it was written, writable.

    Raises:
        ConfigFileError: `x` is missing, broken or no config; `y` has the wrong ending, cannot be written, or is `x` or
            one of its bases.
        TuneError: `x` is a tune config, of which only a pickle can be made.
        SaveError: values that the format cannot express, all of them.
        ValueError: there is no such format.
    """
    path = Path(y)
    kind = format_of(path, y_type)
    with recorded() as opened:
        tree = load_config(
            x, experiments_root, config_root, create_rslt_dir=False, overrides=overrides, strict=strict
        )  # fmt: skip
    if is_tune(tree) and kind != "pkl":
        raise TuneError(
            f"{short_path(x)} is a tune config: it stands for many configs, and {kind} for one\n"
            "  convert its base, one of its children, or the best one (`typedcat best` names it); a .pkl can hold it"
        )
    _refuse_sources(path, tree, opened)
    config = without_given_folder(tree)
    try:
        save(config, path, _TARGETS.get(kind, kind))
    except OSError as error:
        raise ConfigFileError(path, f"cannot be written: {error.strerror or error}") from error
    return config


def format_of(path: Path, y_type: str | None) -> str:
    """The format in which a file is to be written.

    Raises:
        ConfigFormatError: no format goes with the ending, or not the one that is asked for.
        ValueError: there is no such format.
    """
    ending = path.suffix.lower()
    if y_type is None:
        found = next((kind for kind, endings in ENDINGS.items() if ending in endings), None)
        if found is None:
            known = ", ".join(dict.fromkeys(one for endings in ENDINGS.values() for one in endings))
            what = f"the ending '{path.suffix}'" if path.suffix else "a name without an ending"
            raise ConfigFormatError(path, f"no config format has {what}; configs are written as {known}")
        return found
    if y_type not in ENDINGS:
        close = suggest(y_type, ENDINGS)
        raise ValueError(f"there is no format {y_type!r}; did you mean {' or '.join(close or ENDINGS)}?")
    if ending not in ENDINGS[y_type]:
        endings = " or ".join(ENDINGS[y_type])
        hint = f"write to {path.with_suffix(ENDINGS[y_type][0]).name}" if path.name else ""
        raise ConfigFormatError(path, f"{y_type} configs end in {endings}, or no reader would take them", hints=[hint])
    return y_type


def _refuse_sources(path: Path, tree: BaseConfig, opened: list[Opened]) -> None:
    """What a config is made of must not be overwritten by it."""
    if not path.exists():
        return
    for source in [Path(extra_of(tree).source), *(one.path for one in opened)]:
        if source.exists() and path.samefile(source):
            what = "the config itself" if str(source) == extra_of(tree).source else "a part of the config"
            raise ConfigFileError(path, f"is {what}, which would be lost", hints=["write to another file"])


def without_given_folder(tree: BaseConfig) -> BaseConfig:
    """A writable copy of a loaded config, without the result folder that nobody has written into a config."""
    config = branch_copy(tree)
    if dict.__contains__(config, RESULT_DIR):
        steps = list(history(config.__origins__.get(RESULT_DIR), dict.__getitem__(config, RESULT_DIR)))
        if steps and all(step.how in _GIVEN for step in steps):
            raw_delete(config, RESULT_DIR)
    return config


__all__ = ["ENDINGS", "convert", "format_of", "without_given_folder"]
