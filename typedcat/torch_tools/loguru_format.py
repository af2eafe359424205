"""loguru, where it is installed, with a readable format: one handler of ours at a time, however often it is set up."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from ..errors import EnvError, short_repr
from ..load.formats.extras import needed

_FORMAT = (
    "<green>{time:YYYY-MM-DD HH:mm:ss.SSS}</green> | <level>{level: <8}</level> | "
    "<cyan>{name}:{function}:{line}</cyan> - <level>{message}</level>"
)


class _Handlers:
    """Those of ours, the last one of which is in use, and the one that loguru begins with, which is aside meanwhile."""

    def __init__(self) -> None:
        self.ours: list[_Handler] = []
        self.first = 0  # its number, which loguru gives away only once
        self.has_first = True

    def add(self, one: _Handler) -> None:
        one.add()  # first of all: it may refuse its arguments
        if self.ours:
            self.ours[-1].remove()
        self.ours.append(one)
        if self.has_first:
            self.has_first = not _removed(one.logger, self.first)

    def remove(self, one: _Handler) -> None:
        is_in_use = self.ours[-1] is one
        self.ours.remove(one)
        one.remove()
        if self.ours:
            if is_in_use:
                self.ours[-1].add()
        elif not self.has_first:
            self.first, self.has_first = one.logger.add(sys.stderr), True


class _Handler:
    def __init__(self, logger: Any, arguments: dict[str, Any]) -> None:
        self.logger = logger
        self.arguments = arguments
        self.number = -1

    def add(self) -> None:
        self.number = self.logger.add(**{"sink": sys.stdout, "format": _FORMAT, **self.arguments})

    def remove(self) -> None:
        _removed(self.logger, self.number)


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
        EnvError: `ini` is something else.
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
    _handlers.add(handler)
    return lambda: _handlers.remove(handler)


__all__ = ["set_loguru"]
