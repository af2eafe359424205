"""What `init_env` gives back: the device, the config, and the way back."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Generic, NamedTuple, Self, TypeVar

from .distributed import leave
from .output import Capture

if TYPE_CHECKING:
    import torch

C = TypeVar("C")


class _Pair(NamedTuple, Generic[C]):
    device: torch.device
    cfg: C


class Env(_Pair[C]):
    """What `init_env` has set up: `device, cfg = init_env(...)`, or `with init_env(...) as (device, cfg):`.

    Without `with` it lasts until the process ends, or until `close()`.

    Attributes:
        device: the device of this process.
        cfg: the loaded config, or None.
        seed: of the random numbers of this process, or None.
        rank, world_size: the place of this process among those that train together; 0 of 1 when it trains alone.
        log_file: where its output is copied to, or None.
        is_debug: as passed.
        capture, is_group_ours: what copies it; whether the process group was made here.
    """

    seed: int | None = None
    rank: int = 0
    world_size: int = 1
    log_file: Path | None = None
    is_debug: bool = False
    capture: Capture | None = None
    is_group_ours: bool = False
    _undo: contextlib.ExitStack
    _pid: int

    def keep(self, undo: contextlib.ExitStack) -> None:
        """Remember what puts everything back."""
        self._undo, self._pid = undo, os.getpid()
        atexit.register(self._at_exit)

    def close(self) -> None:
        """Put everything back as it was before. A second time does nothing."""
        self._close(None)

    def _close(self, error: BaseException | None) -> None:
        if os.getpid() != self._pid:  # a forked child: all of this is its parent's
            return
        atexit.unregister(self._at_exit)
        if self.capture is not None:
            self.capture.error = error
        self._undo.pop_all().__exit__(type(error) if error is not None else None, error, None)

    def _at_exit(self) -> None:
        """What has to be done before the process ends. Descriptors stay: what is still written is to be in the log."""
        if os.getpid() != self._pid:
            return
        try:
            if self.is_group_ours and not hasattr(sys, "last_value"):  # else others may wait for this one, which must
                leave()  # not wait for them
        finally:
            if self.capture is not None:
                self.capture.sync()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close(error)


__all__ = ["Env"]
