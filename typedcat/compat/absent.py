"""What AlchemyCat has beside its config system: used from there where it is installed, else an error that says so."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

from typedcat.errors import NoCounterpartError, NoCounterpartNameError
from typedcat.load.formats.alchemy import COUNTERPART, NAME, is_ours


def absent(module: str, name: str) -> Any:
    """What a module of `typedcat.compat.alchemy_cat` gives for a name that it does not define.

    Args:
        module: the `__name__` of the module.
        name: what was asked for.

    Raises:
        NoCounterpartNameError: there is no such thing here, and AlchemyCat is not installed.
        AttributeError: nor has AlchemyCat got it.
    """
    if name.startswith("__"):
        raise AttributeError(f"module '{module}' has no attribute '{name}'")
    if (own := _module(f"{module}.{name}")) is not None:
        return own
    original = NAME + module.removeprefix(COUNTERPART).removeprefix(NAME)
    theirs = _module(original) if module.startswith(COUNTERPART) else None
    if theirs is None or is_ours(theirs):
        raise NoCounterpartNameError(f"{original}.{name}")
    if not hasattr(theirs, name) and (found := _module(f"{original}.{name}")) is not None:
        return found
    return getattr(theirs, name)


def _module(name: str) -> ModuleType | None:
    """A module, if there is one."""
    try:
        return importlib.import_module(name)
    except NoCounterpartError:
        return None
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):  # it is there, but not what it needs
            raise
        return None
