"""`ADict`: a nested dict with attributes, in place of `addict.Dict`."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import MissingKeyError
from .copying import graft
from .keys import suggest
from .merge import merge
from .node import FROZEN, blank, path_of, plain_class
from .origin import caller
from .states import Ghost, ghost
from .tree import Tree


class ADict(Tree):
    """A dict whose string keys are attributes; every dict below it is a subtree, in lists too.

    Circular references are kept. Reading an absent key gives an empty, falsy node, which becomes an item when something
    is assigned below it; on a frozen tree it is an error.

    Args:
        *mappings: mappings, iterables of pairs, or single pairs, merged from left to right.
        **values: more items.
    """

    __slots__ = ()
    __into_lists__: ClassVar[bool] = True

    if TYPE_CHECKING:

        def __init__(self, /, *mappings: Any, **values: Any) -> None: ...
        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...
        def __delattr__(self, name: str) -> None: ...

    else:

        def __init__(self, /, *mappings, **values):
            site = caller()
            for mapping in mappings:
                if mapping is None:  # addict skips it
                    continue
                source = mapping if hasattr(mapping, "keys") else dict(_pairs(mapping))
                if dict.__len__(self) == 0:
                    graft(self, source, site, into_lists=True)
                else:
                    own = blank(plain_class(self))
                    graft(own, source, site, into_lists=True)
                    merge(self, own)
            if values:
                self.__merge__(values, site)

    def __absent__(self, key: Hashable) -> Any:
        if self.__state__ & FROZEN:
            raise MissingKeyError(path_of(self, key), "there is no such key in this frozen tree", suggest(key, self))
        return ghost(self, key, Ghost, plain_class(self))

    def __add__(self, other: Any) -> Any:
        """An empty node counts as nothing, so that `d.count += 1` starts at 1."""
        return other if not self else NotImplemented


def _pairs(mapping: Any) -> Any:
    """addict takes a single pair as well: `ADict(('a', 1), ('b', 2))`."""
    return (mapping,) if isinstance(mapping, tuple) and mapping and not isinstance(mapping[0], tuple) else mapping
