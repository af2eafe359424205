"""Pickles of trees: flat, so that depth is no limit; what a config file defines goes in by value.

A plain pickle stores functions and classes by name, and what a config file defines has no name that another process
knows. So a tree whose leaves are not all plain data is pickled by cloudpickle inside the pickle.
"""

from __future__ import annotations

import dataclasses
import functools
import io
import os
import sys
import threading
from collections import ChainMap
from collections.abc import Callable, Hashable
from types import CodeType, FunctionType
from typing import Any, ClassVar

from .node import (
    CONTAINERS,
    Extra,
    Node,
    adopt,
    blank,
    mirror,
    plain_class,
    set_extra,
    set_origins,
    set_state,
)
from .origin import Record, Replaced, settled

_OWN = __name__.partition(".")[0] + "."
_PLAIN = (str, int, float, complex, bool, bytes, type(None))
_NO_FILE = "<dynamic-code>"  # what cloudpickle from 3.1.2 on writes for the file of every function
_DEEP = 100  # below this, an ADict with shared subtrees is pickled by plain recursion

before_cloudpickle: list[Callable[[], None]] = []
"""Called before cloudpickle runs; loading tells it here which modules are config files."""

before_state: list[Callable[[Node], None]] = []
"""Called with each node that is about to be pickled."""

_inside = threading.local()
_TOKEN = os.urandom(16).hex()

NodeState = tuple[type, Any, int, int, Any, dict[Hashable, Record], dict[Any, Any]]


def reduce(node: Node) -> tuple[Any, ...]:
    """What `__reduce_ex__` returns for a node: pickled alone, it is the root of its own tree."""
    if not node.__one_parent__ and not _is_plain_tree(node):
        state = (node.__state__, _settled_origins(node, {}))
        return blank, (plain_class(node),), state, None, iter(dict.items(node))
    if getattr(_inside, "busy", False) or all(_is_plain_node(at) for at in _nodes(node)):
        return blank, (plain_class(node),), flat_state(node)
    return _load, (dumps(node),)


def dumps(value: Any, replace: Callable[[Any], Any] | None = None) -> bytes:
    """`cloudpickle.dumps`, with what config files define by value.

    Args:
        value: anything.
        replace: asked for each object that is no plain value: what `__reduce__` would return instead, or
            `NotImplemented`.
    """
    for prepare in before_cloudpickle:
        prepare()
    _inside.busy, before = True, getattr(_inside, "busy", False)
    try:
        stream = io.BytesIO()
        pickler = _pickler_class()(stream)
        pickler.replace = replace
        pickler.dump(value)
        return stream.getvalue()
    finally:
        _inside.busy = before


@functools.cache
def _pickler_class() -> Any:
    """The class that pickles, made when cloudpickle is first needed."""
    import cloudpickle  # heavy

    reducers: Any = cloudpickle.Pickler.dispatch_table

    def reduce_code(code: CodeType) -> Any:
        make, fields, *rest = reducers[CodeType](code)
        return make, tuple(code.co_filename if field == _NO_FILE else field for field in fields), *rest

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
        """Keeps the file of a function, which messages name, the function itself, and the one `dataclasses.MISSING`."""

        dispatch_table: ClassVar[Any] = ChainMap(
            {type(dataclasses.MISSING): lambda _: "MISSING", CodeType: reduce_code}, reducers
        )
        replace: Callable[[Any], Any] | None = None

        def reducer_override(self, obj: Any) -> Any:
            if self.replace is not None and (found := self.replace(obj)) is not NotImplemented:
                return found
            reduced = super().reducer_override(obj)
            return _reduce_function(obj, reduced) if type(obj) is FunctionType else reduced

    return Pickler


def _reduce_function(func: FunctionType, reduced: Any) -> Any:
    """What cloudpickle makes of a function that goes by value, so that in this process it comes back as itself."""
    name = _this_process(), func.__module__, func.__qualname__
    if not isinstance(reduced, tuple) or _live(name) is not func:
        return reduced
    make, arguments, state, *items, set_state = reduced
    return _make_function, (name, make, arguments), (name, set_state, state), *items, _set_function_state


def _this_process() -> str:
    return f"{_TOKEN}{os.getpid()}"  # what a fork runs after it, its parent does not know


def _live(name: tuple[str, str, str]) -> Any:
    """What a module of this process has under a name; None in another process, where it may be another file."""
    process, module, attribute = name
    return getattr(sys.modules.get(module), attribute, None) if process == _this_process() else None


def _make_function(name: tuple[str, str, str], make: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    live = _live(name)
    return make(*arguments) if live is None else live


def _set_function_state(func: Any, state: tuple[Any, Callable[..., Any], Any]) -> None:
    name, set_state, of_function = state
    if _live(name) is not func:
        set_state(func, of_function)


def _load(data: bytes) -> Any:
    import cloudpickle  # heavy

    return cloudpickle.loads(data)


def _is_plain_node(node: Node) -> bool:
    return (
        plain_class(node).__module__.startswith(_OWN)
        and (node.__extra__ is None or (node.__extra__.schema is None and node.__extra__.tune is None))
        and all(_is_plain(value) for value in dict.values(node))
    )


def _is_plain(value: Any) -> bool:
    if isinstance(value, Node) or type(value) in _PLAIN:
        return True
    if type(value) in CONTAINERS:
        return all(not isinstance(item, Node) and _is_plain(item) for item in value)
    return type(value) is dict and all(not isinstance(v, Node) and _is_plain(v) for kv in value.items() for v in kv)


def _nodes(node: Node) -> list[Node]:
    found = [node]
    for at in found:
        found.extend(v for v in dict.values(at) if isinstance(v, Node) and isinstance(v, at.__branch_type__))
    return found


def _is_plain_tree(node: Node) -> bool:
    """Whether an ADict has no subtree twice, and is too deep for recursion."""
    seen = {id(node)}
    level, depth = [node], 0
    while level:
        depth += 1
        level = [v for at in level for v in dict.values(at) if isinstance(v, Node)]
        for value in level:
            if id(value) in seen:
                return False
            seen.add(id(value))
    return depth > _DEEP


def flat_state(node: Node) -> list[NodeState]:
    """Every node of the tree as (class, key, parent's index, flags, extra, origins, leaves), parents first."""
    nodes = _nodes(node)
    for settle in before_state:
        for at in nodes:
            settle(at)
    index = {id(at): i for i, at in enumerate(nodes)}
    places: dict[int, Any] = {}
    parents: dict[int, tuple[Hashable, int]] = {}
    for at in nodes:
        for key, value in dict.items(at):
            if id(value) in index and value is not node:
                parents[id(value)] = key, index[id(at)]
    return [
        (
            plain_class(at),
            *parents.get(id(at), (None, -1)),
            at.__state__,
            _extra_state(at),
            _settled_origins(at, places),
            {k: _Child if id(v) in index else v for k, v in dict.items(at)},
        )
        for at in nodes
    ]


class _Child:
    """Stands for a subtree in the leaves of a flat state: it keeps the order of the keys."""


def _settled_origins(node: Node, places: dict[int, Any]) -> dict[Hashable, Record]:
    return {key: settled(record, places) for key, record in node.__origins__.items()}


def settle_origins(tree: Node) -> None:
    """Let values that replaced none know their lines now, so that pickling copies has not to find them each time."""
    places: dict[int, Any] = {}
    for at in _nodes(tree):
        records = at.__origins__.items()
        set_origins(at, {key: one if isinstance(one, Replaced) else settled(one, places) for key, one in records})


def _extra_state(node: Node) -> Any:
    extra = node.__extra__
    if extra is None:
        return None
    return {name: getattr(extra, name) for name in Extra.__slots__ if name not in ("ghosts", "resolver")}


def restore(node: Node, state: Any) -> None:
    """What `__setstate__` does: the inverse of `reduce`."""
    if isinstance(state, tuple):  # an ADict whose items are pickled as items
        set_state(node, state[0])
        set_origins(node, state[1])
        return
    nodes: list[Node] = []
    for cls, key, parent, flags, extra, origins, leaves in state:
        at = blank(cls) if nodes else node
        nodes.append(at)
        set_state(at, flags)
        set_origins(at, dict(origins))
        if extra is not None:
            made = Extra()
            for name, value in extra.items():
                setattr(made, name, value)
            set_extra(at, made)
        dict.update(at, leaves)
        if parent >= 0:
            dict.__setitem__(nodes[parent], key, at)
            adopt(nodes[parent], key, at)
    for at in nodes:
        mirror(at)
