"""The name of `alchemy_cat.torch_tools` that belongs to its config system. PyTorch is not imported."""

from __future__ import annotations

from typing import Any

from typedcat.compat.absent import absent
from typedcat.torch_tools import init_env

__all__ = ["init_env"]


def __getattr__(name: str) -> Any:
    return absent(__name__, name)
