"""The config that a constraint sees: the values chosen so far stand in it, and what is not known yet raises."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

from ...errors import TuneError
from ...tree.config import BaseConfig
from ...tree.copying import branch_copy
from ...tree.node import adopt, path_of, plain_class, raw_set, switch
from ...tree.states import switched
from ...tree.values import Deferred, Parameter
from ...tree.walk import branches


class Draft:
    """A read-only copy of the config that follows a walk over its grid.

    Args:
        tree: the config with its parameters.
    """

    def __init__(self, tree: BaseConfig) -> None:
        self.root = branch_copy(tree)
        self.root.freeze()
        _watch(self.root)

    def put(self, keys: tuple[Hashable, ...], value: Any) -> None:
        """Let a value, or the parameter that is not chosen yet, stand at the path `keys`."""
        node: Any = self.root
        for key in keys[:-1]:
            node = dict.__getitem__(node, key)
        if isinstance(value, BaseConfig):
            value = branch_copy(value)
            value.freeze()
            _watch(value)
            adopt(node, keys[-1], value)
        raw_set(node, keys[-1], value)
        if isinstance(value, Deferred):
            _hide(node, keys[-1])


def _watch(tree: BaseConfig) -> None:
    for node in branches(tree):
        deferred = [key for key, value in dict.items(node) if isinstance(value, Deferred)]
        if deferred:
            switch(node, switched(_Drafted, plain_class(node)))
        for key in deferred:
            _hide(node, key)


def _hide(node: Any, key: Hashable) -> None:
    """Let reading an attribute fall through to `__getitem__`."""
    node.__dict__.pop(key, None)


class _Drafted:
    """Mixed in before the class of each node with a value that is not known yet."""

    __slots__ = ()

    def __getitem__(self: Any, key: Hashable) -> Any:
        value = dict.get(self, key)
        if isinstance(value, Parameter):
            raise TuneError(
                f"{path_of(self, key)} is not chosen yet. Check if the former param call later param in its "
                "subject_to: a constraint sees only parameters that vary more slowly than its own"
            )
        if isinstance(value, Deferred):
            raise TuneError(
                f"{path_of(self, key)} is a dependency, which is computed when every value is chosen\n"
                "  let the constraint read what the dependency reads"
            )
        return super().__getitem__(key)  # type: ignore[misc]  # the class that this one is mixed into has it

    def get(self: Any, key: Hashable, default: Any = None) -> Any:
        return self[key] if dict.__contains__(self, key) else default

    def __iter__(self: Any) -> Iterator[Any]:  # overridden, so that `**node` and `dict(node)` come through __getitem__
        return dict.__iter__(self)

    def values(self: Any) -> Any:
        return [self[key] for key in self]

    def items(self: Any) -> Any:
        return [(key, self[key]) for key in self]
