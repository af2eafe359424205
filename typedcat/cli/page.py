"""What a command answers: text in pieces, whose styles only a terminal shows."""

from __future__ import annotations

import os
import sys

from ..console import console, status

ANSI = "ansi"
"""The style of a piece that brings its own colour codes."""

KEY, PLACE, HEAD, GONE, NEW, ERROR = "cyan", "dim", "bold", "red", "green", "bold red"


class Page:
    """Text that is written at once, when the command knows its whole answer.

    Attributes:
        pieces: (text, style) each, in order; '' is no style.
        code: the exit code that goes with it.
    """

    def __init__(self, code: int = 0) -> None:
        self.pieces: list[tuple[str, str]] = []
        self.code = code

    def add(self, text: str, style: str = "") -> Page:
        """Append a piece; returns the page."""
        self.pieces.append((text, style))
        return self

    def line(self, *pieces: str | tuple[str, str]) -> Page:
        """Append one line, in pieces with or without a style; returns the page."""
        self.pieces += [(piece, "") if isinstance(piece, str) else piece for piece in pieces]
        return self.add("\n")

    def __str__(self) -> str:
        return "".join(text for text, _ in self.pieces)

    def write(self, error: bool = False) -> None:
        """Write to standard output, or standard error: as it is, or with colours to a terminal."""
        stream = sys.stderr if error else sys.stdout
        if not on_terminal(error):
            stream.write(str(self))
            return
        from rich.text import Text

        text = Text()
        for piece, style in self.pieces:
            text.append_text(Text.from_ansi(piece)) if style == ANSI else text.append(piece, style)
        (status() if error else console()).print(text, soft_wrap=True, end="")


def on_terminal(error: bool = False) -> bool:
    """Whether output is read by a person who wants colours; see https://no-color.org."""
    stream = sys.stderr if error else sys.stdout
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
