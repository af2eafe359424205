"""Old metrics never count as new: which files were in a result folder before an attempt, and which of them are read.

A gather function reads whatever files it likes. So its opens are watched, and a file that is still the one from before
the attempt is no result of it. Files are compared by what the file system knows of them, never with a clock.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..errors import TuneError, short_path

_Stat = tuple[int, int, int]
Files = dict[str, _Stat]

_CHECKPOINTS = (
    ".ckpt",
    ".pt",
    ".pth",
    ".bin",
    ".safetensors",
    ".onnx",
    ".h5",
)  # an attempt may go on from an older one
STALE = "is older than this run, which has not written it"
_MOST_FILES = 20_000  # of a folder that are looked at: more are no metrics
_EVENTS = ("open", "sqlite3.connect")


@dataclass
class _Watch:
    """What is opened, in whatever thread, while metrics are gathered."""

    before: Files
    opened: list[str] = field(default_factory=list)


_watches: list[_Watch] = []
_hooked = False


def files_in(folder: str) -> Files:
    """What is in a folder now, for a comparison later; empty if there is none."""
    found: Files = {}
    for at, _, names in os.walk(os.path.realpath(folder)):
        for name in names:
            path = os.path.join(at, name)
            if name.endswith(_CHECKPOINTS):
                continue
            with contextlib.suppress(OSError):
                found[os.path.realpath(path) if os.path.islink(path) else path] = _stat(path)
        if len(found) > _MOST_FILES:
            break
    return found


def _stat(path: str) -> _Stat:
    found = os.stat(path)
    return found.st_ino, found.st_mtime_ns, found.st_size


@contextlib.contextmanager
def only_fresh(before: Files) -> Iterator[None]:
    """While this lasts, files that are as they were before must not be what metrics come from.

    Args:
        before: what `files_in` found before the attempt.

    Raises:
        TuneError: at the end, if one of them was read.
    """
    if not before:
        yield
        return
    _hook()
    watch = _Watch(before)
    _watches.append(watch)
    try:
        yield
    finally:
        _watches.remove(watch)
    for path in watch.opened:
        with contextlib.suppress(OSError):
            if before.get(path) == _stat(path):
                raise TuneError(
                    f"{short_path(path)} {STALE}\n"
                    "  it is of an earlier attempt: let the run write its metrics, or remove the file"
                )


def _hook() -> None:
    global _hooked  # noqa: PLW0603 - an audit hook cannot be removed: it is added once
    if not _hooked:
        sys.addaudithook(_on_event)
        _hooked = True


def _on_event(event: str, arguments: tuple[object, ...]) -> None:
    if event not in _EVENTS or not _watches:
        return
    name = arguments[0]
    if isinstance(name, (str, bytes)):
        path = os.path.realpath(os.fsdecode(name))
        for watch in list(_watches):
            if path in watch.before:
                watch.opened.append(path)
