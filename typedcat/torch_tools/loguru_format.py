"""loguru, where it is installed, with a readable format: one handler of ours at a time, however often it is set up."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from ..errors import EnvError, short_repr
from ..load.formats.extras import needed

_FORMAT = (
    "<green>{time:YYYY-MM-DD HH:mm:ss.SSS}</green> | <level>{level: <8}</level> | "
    "<cyan>{name}:{function}:{line}</cyan> - <level>{message}</level>"
)
_NO = {"0", "false", "no", "n", "nok", "off"}  # as loguru reads its variables


class _Handlers:
    """Those of ours, the last one of which is in use, and the one that loguru begins with, which is aside meanwhile."""

    def __init__(self) -> None:
        self.ours: list[_Handler] = []
        self.first = 0  # its number, which loguru gives away only once
        self.is_aside = False

    def add(self, one: _Handler) -> None:
        one.add()  # first of all: it may refuse its arguments
        if self.ours:
            self.ours[-1].remove()
        self.ours.append(one)
        if not self.is_aside and self.first < one.number and _begins_with_one():
            self.is_aside = _removed(one.logger, self.first)

    def remove(self, one: _Handler) -> None:
        is_in_use = self.ours[-1] is one
        self.ours.remove(one)
        one.remove()
        if self.ours:
            if is_in_use:
                self.ours[-1].add()
        elif self.is_aside:
            self.first, self.is_aside = one.logger.add(sys.stderr), False


class _Handler:
    def __init__(self, logger: Any, arguments: dict[str, Any]) -> None:
        self.logger = logger
        self.arguments = arguments
        self.number = -1

    def add(self) -> None:
        self.number = self.logger.add(**{"sink": sys.stdout or sys.stderr, "format": _FORMAT, **self.arguments})

    def remove(self) -> None:
        _removed(self.logger, self.number)


def _begins_with_one() -> bool:
    """Whether loguru has a handler from the start; else its first number is that of somebody else's."""
    return os.environ.get("LOGURU_AUTOINIT", "").lower() not in _NO


def _removed(logger: Any, number: int) -> bool:
    try:
        logger.remove(number)
    except ValueError:  # it is not there: the user has removed it, or all
        return False
    return True


_handlers = _Handlers()


def set_loguru(ini: object) -> Callable[[], None]:
    """Give loguru, where it is installed, a readable format on standard output. Handlers of others stay as they are.

    What an earlier call has set up is put aside: in a notebook whose cells are run again, and in a tuner's worker that
    does one run after the other, each line would else come twice.

    Args:
        ini: arguments of its `logger.add`; True for none, False to leave loguru alone.

    Returns:
        What undoes it.

    Raises:
        EnvError: `ini` is something else, or loguru does not take it.
        MissingExtraError: there are arguments, and it is not installed.
    """
    if ini is False:
        return lambda: None
    if not isinstance(ini, (bool, dict)):
        raise EnvError("loguru_ini", f"should be True, False or a dict of arguments, got {short_repr(ini)}")
    try:
        logger: Any = needed("loguru", "loguru", "init_env(loguru_ini={...})").logger
    except ImportError:
        if ini is True:
            return lambda: None
        raise
    handler = _Handler(logger, ini if isinstance(ini, dict) else {})
    if not (sys.stdout or sys.stderr or "sink" in handler.arguments):  # both are closed
        return lambda: None
    try:
        _handlers.add(handler)
    except (TypeError, ValueError) as error:
        raise EnvError("loguru_ini", f"loguru does not take {short_repr(ini)}: {error}") from error
    return lambda: _handlers.remove(handler)


__all__ = ["set_loguru"]
