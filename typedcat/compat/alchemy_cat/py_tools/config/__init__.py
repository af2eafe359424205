"""The names of AlchemyCat's configs."""

from __future__ import annotations

from typing import Any

from typedcat.compat.absent import absent
from typedcat.load.open import open_config
from typedcat.load.pipeline import load_config, parse_config
from typedcat.load.project import auto_rslt_dir
from typedcat.tree.adict import ADict
from typedcat.tree.config import Config
from typedcat.tree.values import DEP, IL, ItemLazy

__all__ = [
    "DEP",
    "IL",
    "ADict",
    "Config",
    "ItemLazy",
    "auto_rslt_dir",
    "load_config",
    "open_config",
    "parse_config",
]


def __getattr__(name: str) -> Any:
    return absent(__name__, name)
