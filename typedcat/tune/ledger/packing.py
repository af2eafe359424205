"""How a ledger keeps the metrics of a run, which may be any objects, in its columns of text and bytes."""

from __future__ import annotations

import contextlib
import json
import math
import pickle
import zlib
from collections.abc import Mapping
from typing import Any, TypeVar

from ...errors import short_repr
from ...tree.pickling import dumps

_T = TypeVar("_T")
_LARGEST = 1 << 28  # bytes that the metrics of a run take; SQLite's limit is above that
_CHECKSUM = 4  # bytes
_LONGEST_TEXT = 1_000  # characters that stand for a metric which cannot be stored


def packed(metrics: Mapping[str, Any]) -> tuple[str, bytes | None]:
    """Metrics as JSON, and pickled where JSON changes them. Of what neither can hold, the text is kept.

    Args:
        metrics: by name.

    Returns:
        What `unpacked` takes.
    """
    plain = dict(metrics)
    if (text := _json(plain)) is not None:
        return text, None
    parts = ((key if isinstance(key, str) else short_repr(key), value) for key, value in plain.items())
    text = json.dumps({key: value if _json(value) else short_repr(value, _LONGEST_TEXT) for key, value in parts})
    try:
        data = dumps(plain)
    except (Exception, SystemExit):  # noqa: BLE001 - any object may refuse to be pickled, in its own way
        return text, None
    return text, _checksum(data) + data if len(data) <= _LARGEST else None


def _checksum(data: bytes) -> bytes:
    """A pickle that is damaged may take all memory when it is loaded, or run anything."""
    return zlib.crc32(data).to_bytes(_CHECKSUM, "big")


def _json(value: Any) -> str | None:
    """A value as JSON; None where that changes it, or is too long."""
    try:
        text = json.dumps(value)
        return text if len(text) <= _LARGEST and _same(json.loads(text), value) else None
    except (TypeError, ValueError, RecursionError):
        return None


def _same(one: Any, other: Any) -> bool:
    """Whether JSON has kept the types as well; NaN is NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)


def unpacked(text: str, data: bytes | None) -> dict[str, Any]:
    """The metrics again.

    Args:
        text: as JSON.
        data: pickled, if there is anything.

    Raises:
        ValueError, TypeError: the text is none of `packed`.
    """
    if data is not None and data[:_CHECKSUM] == _checksum(data[_CHECKSUM:]):
        with contextlib.suppress(Exception, SystemExit):  # a class that is gone: then the text has to do
            loaded: dict[str, Any] = pickle.loads(data[_CHECKSUM:])
            return loaded
    return read_json(text, dict)


def read_json(text: Any, kind: type[_T]) -> _T:
    """What JSON says.

    Args:
        text: the JSON.
        kind: what it has to say.

    Raises:
        ValueError, TypeError: it says something else.
    """
    found = json.loads(text)
    if not isinstance(found, kind):
        raise TypeError(f"it has {short_repr(found)} where a {kind.__name__} should be")
    return found
