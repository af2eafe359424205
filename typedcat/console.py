"""The terminal: the two streams that the library writes to. Colours appear on a terminal only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["console", "status", "write"]


def console() -> Console:
    """What was asked for: tables, configs. It follows `sys.stdout`, whatever that is when something is printed."""
    return _console(stderr=False)


def status() -> Console:
    """What goes on meanwhile: progress and warnings, to `sys.stderr`."""
    return _console(stderr=True)


def write(text: str) -> None:
    """Print text to standard output as it is: nothing wrapped, coloured or taken for markup."""
    console().print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)


def _console(*, stderr: bool) -> Console:
    from rich.console import Console  # heavy

    return Console(stderr=stderr)
