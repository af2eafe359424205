"""The names of `alchemy_cat.dl_config`."""

from __future__ import annotations

from typing import Any

from typedcat.compat.absent import absent
from typedcat.compat.names import *
from typedcat.compat.names import __all__ as __all__


def __getattr__(name: str) -> Any:
    return absent(__name__, name)
