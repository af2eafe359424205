"""Libraries that only some formats need: imported where they are used, with one line of help where they are not."""

from __future__ import annotations

import importlib
from typing import Any

from ...errors import MissingExtraError


def needed(module: str, extra: str, what: str) -> Any:
    """Import a library that typedcat does without, unless somebody uses what needs it.

    Args:
        module: its dotted name.
        extra: the extra of typedcat that brings it: 'omegaconf'.
        what: what needs it: 'configs/base.yaml has a defaults list'.

    Returns:
        The module.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):  # it is there, but not what it needs
            raise
        raise MissingExtraError(what, module.partition(".")[0], extra) from error
