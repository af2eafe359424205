"""Values as bytes that say what a value is: the same in every process, whatever its addresses, hashes and folders.

Pickles are no such bytes: they tell two equal strings from one string twice, write sets in the order of their hashes,
and name config files by the folder of the project. So values are walked here, and of an object what pickle would ask it
for (`__reduce_ex__`) is walked in turn.

What is by value (numbers, texts, lists, dicts, trees) is written again wherever it stands. Objects and functions have
an identity: the second time a number stands for one, so that any graph of them takes linear time.
"""

from __future__ import annotations

import copyreg
import functools
import os
import re
import struct
from collections.abc import Callable, Collection, Hashable, Iterable
from typing import Any

from ...errors import readable
from ...tree.keys import format_path, parse_path
from ...tree.merge import caps_of
from ...tree.node import Node, path_to
from .function_code import written_name

Write = Callable[["Writer", Any], None]

WRITERS: dict[type, Write] = {}
"""How the values of a class are written, by the class; see `value_kinds`."""

finders: list[Callable[[type], Write]] = []
"""Finds the writer of a class that is not in WRITERS; `value_kinds` puts it here."""

MOST_KNOWN = 4_000  # things that are remembered about values; classes of config files are made anew with every load
ROOTS = frozenset({"rslt_dir", "config_root", "experiments_root", "experiment_root"})
_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{6,}")


class Writer:
    """Writes values one after the other; what cannot be written is noted under its key.

    Args:
        folder: a result folder: of texts and paths that begin with it only the rest counts.
        left_out: keys that do not count, by their name or their whole path.

    Attributes:
        problems: (key, reason) of each value that has no such bytes.
    """

    def __init__(self, folder: str = "", left_out: Collection[str] = ()) -> None:
        self.out: list[bytes] = []
        self.put = self.out.append
        self.problems: dict[str, str] = {}
        self.path: list[Hashable] = []
        self.folders = _folders(folder)
        names, paths = _names_and_paths(left_out) if left_out else (_NONE, _NONE)
        self.names, self.paths = names, paths
        self.numbers: dict[int, tuple[int, Any]] = {}  # of objects; each is kept alive, or its id may be another's
        self.refused: dict[int, tuple[str, Any]] = {}  # why an object, which has a number, cannot be written
        self.last_reason = ""
        self.open: dict[int, int] = {}  # the containers around what is being written
        self.object_at = -1  # how long the path to the outermost object is that is being written

    def result(self) -> bytes:
        """All that was written."""
        return b"".join(self.out)

    def value(self, value: Any) -> None:
        """Write any value."""
        (WRITERS.get(type(value)) or finders[0](type(value)))(self, value)

    def refuse(self, reason: str) -> None:
        """Note that the value here cannot be written."""
        self.last_reason = reason
        path = self.path if self.object_at < 0 else self.path[: self.object_at]
        self.problems.setdefault(format_path(path) or "cfg", reason)

    # -- plain values

    def text(self, text: str) -> None:
        """Write a text as it is."""
        data = text.encode("utf-8", "surrogatepass")
        self.put(b"s%d:%b" % (len(data), data))

    def string(self, text: str) -> None:
        """Write a text that is a value: a result folder in it does not count, and an address has no place in it."""
        if self.folders and text.startswith(self.folders):
            rest = text[len(next(filter(text.startswith, self.folders))) :]
            if rest[:1] in ("", os.sep):
                self.put(b"/")
                text = rest
        if "at 0x" in text and _ADDRESS.search(text):
            self.refuse("the text has a memory address in it, which another process does not have")
        data = text.encode("utf-8", "surrogatepass")
        self.put(b"s%d:%b" % (len(data), data))

    def data(self, data: bytes) -> None:
        """Write bytes."""
        self.put(b"b%d:%b" % (len(data), data))

    def number(self, number: float) -> None:
        """Write a float: nan is nan, whatever its bits; 0.0 is not -0.0."""
        self.put(b"n" if number != number else b"f" + _pack(number))  # noqa: PLR0124 - so is nan told

    # -- containers

    def items(self, items: Iterable[Any], tag: bytes) -> None:
        """Write a list or tuple; one that contains itself ends where it begins again."""
        if not self.enter(items):
            return
        self.put(tag)
        self.path.append(0)
        for i, item in enumerate(items):
            self.path[-1] = i
            self.value(item)
        self.path.pop()
        self.put(b"]")
        self.open.popitem()

    def pairs(self, pairs: dict[Any, Any]) -> None:
        """Write a plain dict, in the order of its keys: what reads it may depend on it."""
        if not self.enter(pairs):
            return
        self.put(b"<")
        for key, value in pairs.items():
            if (self.names or self.paths) and self.is_left_out(key, (*self.path, key)):
                continue
            self.key(key)
            self.path.append(key)
            self.value(value)
            self.path.pop()
        self.put(b">")
        self.open.popitem()

    def members(self, items: Iterable[Any], tag: bytes) -> None:
        """Write a set: the order of its items is not the same in another process."""
        self.put(tag)
        numbers = self.numbers
        pieces = []
        for item in items:
            self.numbers = dict(numbers)  # which item comes first is chance
            pieces.append(self.piece(item))
        self.numbers = numbers
        self.out.extend(sorted(pieces))
        self.put(b"]")

    def piece(self, value: Any) -> bytes:
        """What would be written of a value."""
        start = len(self.out)
        self.value(value)
        piece = b"".join(self.out[start:])
        del self.out[start:]
        return piece

    def enter(self, container: Any) -> bool:
        """Whether a container is not being written already; if it is, say how far out it begins."""
        around = self.open
        if id(container) in around:
            self.put(b"^%d;" % (len(around) - around[id(container)]))
            return False
        around[id(container)] = len(around)
        return True

    # -- trees

    def tree(self, root: Node) -> None:
        """Write a tree; neither the order of its keys nor the classes of its nodes count, and depth is no limit."""
        path, put, around, object_at = self.path, self.put, len(self.open), self.object_at
        top = len(path)
        stack = [(root, iter(self.begin(root)))] if self.enter_node(root) else []
        while stack:
            node, keys = stack[-1]
            for key in keys:
                if type(key) is str and (known := _keys.get(key)) is not None:
                    put(known)
                else:
                    self.key(key)
                path[-1] = key
                value = dict.__getitem__(node, key)
                if isinstance(value, Node):
                    if self.enter_node(value):
                        stack.append((value, iter(self.begin(value))))
                        break
                    continue
                try:
                    (WRITERS.get(type(value)) or finders[0](type(value)))(self, value)
                except RecursionError:
                    entered = around + sum(not one.__one_parent__ for one, _ in stack)
                    self.give_up(top + len(stack), entered, object_at)
            else:
                put(b"}")
                if not node.__one_parent__:
                    self.open.popitem()
                path.pop()
                stack.pop()

    def give_up(self, depth: int, entered: int, object_at: int) -> None:
        """Note that the value of a key is nested too deeply, and go on with the next key."""
        del self.path[depth:]
        while len(self.open) > entered:
            self.open.popitem()
        self.object_at = object_at
        self.refuse("it is nested too deeply")

    def key(self, key: Hashable) -> None:
        """Write a key."""
        if type(key) is not str:
            self.value(key)
            return
        self.text(key)
        if len(_keys) < MOST_KNOWN:
            _keys[key] = self.out[-1]

    def enter_node(self, node: Node) -> bool:
        """As `enter`. A config cannot contain itself but through a container or object, where it is seen."""
        return node.__one_parent__ or self.enter(node)

    def begin(self, node: Node) -> list[Any]:
        """The keys of a node in their order; what is inherited by it is written first."""
        self.put(b"{" if node.__one_parent__ else b"a{")
        for cap in caps_of(node) if node.__extra__ is not None else ():
            self.put(b"+")
            self.value(cap.base)
        keys = list(dict.keys(node))
        only_texts = len(node.__dict__) == len(keys) or {*map(type, keys)} <= _ONLY_TEXT  # attributes are
        if node.__parent__ is None and not ROOTS.isdisjoint(keys):
            keys = [key for key in keys if key not in ROOTS]
        if self.names or self.paths:
            at = path_to(node) if self.paths else ()
            keys = [key for key in keys if not self.is_left_out(key, (*at, key))]
        keys.sort(key=None if only_texts else self.piece)
        self.path.append(None)  # the key that is being written
        return keys

    def is_left_out(self, key: Hashable, path: tuple[Hashable, ...]) -> bool:
        """Whether a key was said not to count."""
        return key in self.names or (bool(self.paths) and path in self.paths)

    # -- objects

    def once(self, write: Write, value: Any) -> None:
        """Write an object that has an identity; if it was written before, only its number."""
        known = self.numbers.get(id(value))
        if known is not None:
            self.put(b"#%d;" % known[0])
            if id(value) in self.refused:
                self.refuse(self.refused[id(value)][0])
            return
        self.numbers[id(value)] = len(self.numbers), value
        before, self.last_reason = self.last_reason, ""
        self.inside(write, value)
        if self.last_reason:
            self.refused[id(value)] = self.last_reason, value
        self.last_reason = self.last_reason or before

    def object(self, value: Any) -> None:
        """Write an object of any class."""
        self.once(Writer.reduced, value)

    def inside(self, write: Write, value: Any) -> None:
        """Write an object, in which there are no keys that the user knows."""
        outer = self.object_at
        if outer < 0:
            self.object_at = len(self.path)
        write(self, value)
        self.object_at = outer

    def reduced(self, value: Any) -> None:
        """Write an object by what pickle would store of it."""
        try:
            parts = _stored(value)
        except Exception as error:  # noqa: BLE001 - what a user's __reduce__ raises can be anything
            self.refuse(readable(f"what a {type(value).__name__} holds cannot be stored: {error!r}"))
            return
        if isinstance(parts, str):
            self.put(b"g")
            self.text(written_name(getattr(value, "__module__", None) or type(value).__module__, parts))
            self.value(getattr(value, "__wrapped__", None))
            return
        make, arguments, state, items, pairs = parts
        self.put(b"o")
        self.value(make)
        self.value(arguments)
        self.state(state, type(value))
        for item in items or ():
            self.value(item)
        self.put(b";")
        for key, item in pairs or ():
            self.value(key)
            self.value(item)
        self.put(b"]")

    def state(self, state: Any, cls: type) -> None:
        """Write the attributes of an object, in any order; without those that are computed from others and kept."""
        if type(state) is dict:
            self.attributes(state, cls)
        elif type(state) is tuple and len(state) == 2 and type(state[1]) is dict and type(state[0]) in _NO_OR_DICT:
            self.attributes({**(state[0] or {}), **state[1]}, cls)  # in __dict__ or in __slots__
        else:
            self.value(state)

    def attributes(self, attributes: dict[Any, Any], cls: type) -> None:
        """See `state`."""
        self.put(b"<")
        for name in sorted(attributes, key=str):
            if not isinstance(getattr(cls, str(name), None), functools.cached_property):
                self.value(name)
                self.value(attributes[name])
        self.put(b">")


_keys: dict[str, bytes] = {}  # what is written for keys: there are few of them, in many configs
_ONLY_TEXT = {str}
_NONE: frozenset[Any] = frozenset()
_NO_OR_DICT = (dict, type(None))
_pack = struct.Struct("<d").pack


def _names_and_paths(keys: Collection[str]) -> tuple[frozenset[Hashable], frozenset[tuple[Hashable, ...]]]:
    """Keys that are given by their last name, and by their whole path."""
    paths = {parse_path(key) for key in keys}
    return frozenset(path[0] for path in paths if len(path) == 1), frozenset(path for path in paths if len(path) > 1)


def _folders(folder: str) -> tuple[str, ...]:
    """How texts may begin that have a result folder in them; none for one such as 'out', which may be any text."""
    plain = folder.rstrip(os.sep)
    return (plain, os.path.join(os.getcwd(), plain)) if os.sep in plain else ()


def _stored(value: Any) -> str | tuple[Any, ...]:
    """What pickle would store of an object: a name, or (function, arguments, state, items, pairs)."""
    reducer = copyreg.dispatch_table.get(type(value))
    parts: Any = reducer(value) if reducer is not None else value.__reduce_ex__(4)
    if isinstance(parts, str):
        return parts
    return tuple([*parts, None, None, None][:5])


__all__ = ["MOST_KNOWN", "ROOTS", "WRITERS", "Write", "Writer", "finders"]
