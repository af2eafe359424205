"""The output of a run, shown while it is written."""

from __future__ import annotations

import codecs
import contextlib

from .streams import pass_on

_PIECE = 1 << 20


class Follower:
    """Shows what is added to a file.

    Args:
        file: its path; it need not be there yet.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self._shown = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def show(self, *, last: bool = False) -> None:
        """Show what was added since the last time; `last`: half a character is not waited for any more."""
        with contextlib.suppress(OSError), open(self.file, "rb") as stream:
            stream.seek(self._shown)
            while data := stream.read(_PIECE):
                self._shown += len(data)
                pass_on(self._decoder.decode(data))
        if last and (rest := self._decoder.decode(b"", final=True)):
            pass_on(rest)
