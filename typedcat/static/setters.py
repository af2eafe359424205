"""Who set a key, subtrees included."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

from ..tree.config import BaseConfig
from ..tree.origin import Place, Record, Replaced, Site, newest, place
from ..tree.walk import branches


def records(node: BaseConfig, key: Hashable) -> Iterator[Record]:
    """Who set a key; of a subtree that came to be when keys below it were set, who set those."""
    if (record := node.__origins__.get(key)) is not None:
        yield record
    value = dict.get(node, key)
    if isinstance(value, BaseConfig):
        for below in branches(value):
            yield from below.__origins__.values()


def setter(node: BaseConfig, key: Hashable) -> Place | None:
    """The place that set a key last, or the first key below it; None where nobody is known."""
    return next((place(newest(record)) for record in records(node, key)), None)


def newest_file(record: Record) -> str:
    """The file that set a value last, without looking for the line; '' for the body of a class."""
    return _file(newest(record))


def files(record: Record) -> Iterator[str]:
    """The files of all that set a value, newest first."""
    older: Record | None = record
    while older is not None:
        yield newest_file(older)
        older = older.older if isinstance(older, Replaced) else None


def _file(site: Any) -> str:
    if isinstance(site, Site):
        return site.code.co_filename
    return site.file if isinstance(site, Place) else ""
