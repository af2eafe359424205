"""Grids without a tune config: any config, with some values for some of its keys."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from ...errors import OverrideError, TuneError
from ...load.inherit import RESULT_DIR
from ...load.overrides import apply_overrides, parse_override
from ...load.pipeline import Root, parse_config
from ...tree.config import BaseConfig
from ...tree.copying import branch_copy
from ...tree.keys import format_path
from ...tree.node import extra_of
from ...tree.origin import Place
from ...tree.values import Parameter
from .settings import TuneSettings


def grid_of(
    path: str | os.PathLike[str], parameters: Sequence[str], experiments_root: Root = None, config_root: Root = None
) -> BaseConfig:
    """A tune config made of any config.

    Args:
        path: a config, tuned or not.
        parameters: `opt.ini.lr=0.1,0.01` each: a key, and what it can be, as in overrides.
        experiments_root, config_root: see `load_config`.

    Returns:
        It, with a result folder beside that of the config.

    Raises:
        OverrideError: an unknown key, or values that cannot be read.
    """
    tree = parse_config(path, experiments_root, config_root, create_rslt_dir=False)
    extra = extra_of(tree)
    extra.tune = TuneSettings() if extra.tune is None else extra.tune
    names = []
    for text in parameters:
        keys, values = _values(tree, text)
        node: Any = tree
        for key in keys[:-1]:
            node = dict.__getitem__(node, key)
        node.__put__(keys[-1], Parameter(values), Place(f"-p {text}", None, "override"))
        names.append(format_path(keys[-1:]))
    folder = dict.get(tree, RESULT_DIR)
    if parameters and isinstance(folder, str):
        tree.__put__(RESULT_DIR, f"{folder},tune={','.join(names)}", Place("-p", None, "folder"))
    return tree


def _values(tree: BaseConfig, text: str) -> tuple[tuple[Any, ...], list[Any]]:
    """The key of `key=v1,v2`, and its values as overrides would set them."""
    override = parse_override(text)
    prefix = text[: len(text) - len(override.value)] if override.value else text
    parts = split(override.value)
    if parts == [""]:
        raise OverrideError(text, "gives no values", hint="write key=value,value, for example opt.ini.lr=0.1,0.01")
    values = []
    for part in parts:
        tried = branch_copy(tree)
        (applied,) = apply_overrides(tried, [f"{prefix}{part}"])
        node: Any = tried
        for key in applied.keys:
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
