"""Grids without a tune config: any config, with some values for some of its keys."""

from __future__ import annotations

import os
from collections.abc import Hashable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import OverrideError, TuneError
from ...load.inherit import RESULT_DIR
from ...load.override import parse_override
from ...load.overrides import apply_override
from ...load.pipeline import parse_config
from ...load.project import Root
from ...tree.config import BaseConfig
from ...tree.copying import branch_copy
from ...tree.keys import format_path
from ...tree.node import extra_of
from ...tree.origin import Place
from ...tree.values import Parameter
from .settings import TuneSettings

_USUAL_NAME = "cfg"  # of a config that has a folder of its own


def grid_of(
    path: str | os.PathLike[str], parameters: Sequence[str], experiments_root: Root = None, config_root: Root = None
) -> BaseConfig:
    """A tune config made of any config.

    Args:
        path: a config, tuned or not.
        parameters: `opt.ini.lr=0.1,0.01` each: a key, and what it can be, as in overrides.
        experiments_root, config_root: see `load_config`.

    Returns:
        It, with a result folder beside that of the config; below it if the config is one of several in its folder.

    Raises:
        OverrideError: an unknown key, one that is named twice, or values that cannot be read.
    """
    tree = parse_config(path, experiments_root, config_root, create_rslt_dir=False)
    extra = extra_of(tree)
    extra.tune = TuneSettings() if extra.tune is None else extra.tune
    tuned: list[tuple[Hashable, ...]] = []
    for text in parameters:
        keys, values = _values(tree, text)
        for other in tuned:
            if other[: len(keys)] == keys[: len(other)]:
                raise OverrideError(text, f"changes {format_path(other)}, which another -p tunes", what="-p")
        tuned.append(keys)
        node: Any = tree
        for key in keys[:-1]:
            node = dict.__getitem__(node, key)
        node.__put__(keys[-1], Parameter(values), Place(f"-p {text}", None, "override"))
    folder = dict.get(tree, RESULT_DIR)
    if parameters and isinstance(folder, str):
        names = ",".join(format_path(keys[-1:]) for keys in tuned)
        tree.__put__(RESULT_DIR, _sweep_folder(folder, path, f"tune={names}"), Place("-p", None, "folder"))
    return tree


def _sweep_folder(folder: str, path: str | os.PathLike[str], name: str) -> str:
    """Beside the result folder of a config that has one to itself; else below it, and so never beside all results."""
    file = Path(path)
    if file.stem != _USUAL_NAME:  # others in its folder have the same result folder
        return os.path.join(folder, f"{file.stem},{name}")
    is_own = os.path.basename(folder) == file.absolute().parent.name
    return f"{folder},{name}" if is_own else os.path.join(folder, name)


def _values(tree: BaseConfig, text: str) -> tuple[tuple[Any, ...], list[Any]]:
    """The key of `key=v1,v2`, and its values as overrides would set them."""
    override = replace(parse_override(text), what="-p")
    parts = split(override.value)
    if parts == [""]:
        raise override.error("gives no values", hint="write key=value,value, for example opt.ini.lr=0.1,0.01")
    if "" in parts:
        raise override.error("has a comma without a value", hint="write null for None, '' for an empty text")
    values = []
    for part in parts:
        tried = branch_copy(tree)
        apply_override(tried, replace(override, value=part))
        node: Any = tried
        for key in override.keys:
            if not isinstance(node, dict) or not dict.__contains__(node, key):
                raise TuneError(
                    f"-p {text}: tune the whole value of {format_path(override.keys[:1])}, not an item of it"
                )
            node = dict.__getitem__(node, key)
        values.append(node)
    return override.keys, values


def split(text: str) -> list[str]:
    """The parts between commas that are in no brackets and no quotes."""
    parts, start, depth, quote = [], 0, 0, ""
    for i, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"" and text[start:i].strip() == "":
            quote = char
        elif char == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
        else:
            depth += (char in "[{(") - (char in ")}]")
    return [*parts, text[start:].strip()]
