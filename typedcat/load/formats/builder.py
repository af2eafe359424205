"""Builds plain data with line numbers out of what a parser reports; nothing recurses and everything is bounded."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from typedcat.errors import ConfigContentError, ConfigFileError, ConfigFormatError
from typedcat.tree.origin import Place

__all__ = ["Document", "DocumentBuilder", "DocumentFault"]

MAX_DEPTH = 10_000  # beyond it the YAML scanner takes minutes
MAX_ALIASED = 1_000_000
MAX_PATH_PARTS = 10_000_000  # 80 MB of key paths; without a limit there are as many as keys times levels

KeyPath: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True)
class Document:
    """A YAML, JSON or TOML file as plain data.

    Attributes:
        path: the file.
        value: dicts, lists and scalars; no dict or list in it occurs twice.
        lines: the line, counted from 1, of the key at each path of dict keys. Nothing below a list has one.
        files: the file of each key that another file has set.
    """

    path: Path
    value: dict[Any, Any]
    lines: dict[KeyPath, int]
    files: dict[KeyPath, Path] = field(default_factory=dict)

    def place(self, at: KeyPath) -> Place:
        """Where the key at a path is set."""
        return Place(str(self.files.get(at, self.path)), self.lines.get(at))


class DocumentFault(Exception):
    """What is wrong with a text whose file the raiser does not know. `content`: the text itself is well-formed."""

    def __init__(
        self, reason: str, line: int | None = None, column: int | None = None, hint: str = "", content: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.column = column
        self.hint = hint
        self.content = content

    def at(self, path: Path) -> ConfigFileError:
        """The error to raise for this fault in the file `path`."""
        kind = ConfigContentError if self.content else ConfigFormatError
        return kind(path, self.reason, self.line, self.column, [self.hint])


# The nodes are no dataclasses: making those at import time would cost more than all the rest of this room.
class _Scalar:
    __slots__ = ("line", "merges", "size", "value")

    def __init__(self, value: Any, line: int, merges: bool) -> None:
        self.value = value
        self.line = line
        self.merges = merges  # the `<<` of YAML, in the place of a key
        self.size = 1


class _Sequence:
    __slots__ = ("closed", "items", "line", "shape", "size")

    def __init__(self, line: int, shape: str) -> None:
        self.line = line
        self.shape = shape  # 'list', 'tuple', or 'pairs': mappings of one key each, that become tuples
        self.items: list[_Node] = []
        self.size = 1  # all that is in it, aliases expanded
        self.closed = False


class _Mapping:
    __slots__ = ("closed", "key", "line", "merge_line", "merged", "pairs", "shape", "size")

    def __init__(self, line: int, shape: str) -> None:
        self.line = line
        self.shape = shape  # 'dict' or 'set'
        self.pairs: dict[Any, tuple[int, _Node]] = {}  # by key: its line, its value
        self.key: _Scalar | None = None  # the one whose value comes next
        self.merged: list[_Node] = []  # what `<<` names
        self.merge_line: int | None = None
        self.size = 1
        self.closed = False


_Node: TypeAlias = "_Scalar | _Sequence | _Mapping"


class DocumentBuilder:
    """Builds plain data out of a stream of scalars, opened and closed collections, and aliases.

    Neither building nor `finish` recurses, and both are bounded: `MAX_DEPTH` levels, `MAX_ALIASED` values that come
    in through aliases. That number is counted while the aliases are read, before anything is expanded.

    Raises:
        DocumentFault: from every method, when the document breaks a rule.
    """

    def __init__(self) -> None:
        self._root: _Node | None = None
        self._open: list[_Sequence | _Mapping] = []
        self._anchors: dict[str, _Node] = {}
        self._aliased = 0

    @property
    def wants_key(self) -> bool:
        """Whether what is added next is the key of a mapping."""
        return bool(self._open) and isinstance(top := self._open[-1], _Mapping) and top.key is None

    def scalar(self, value: Any, line: int, *, anchor: str | None = None, merges: bool = False) -> None:
        """Adds a hashable value; with `merges`, and as a key, it asks to take over the keys of its value."""
        self._add(_Scalar(value, line, merges), line, anchor)

    def open_mapping(self, line: int, *, shape: str = "dict", anchor: str | None = None) -> None:
        """Begins a mapping; keys and values follow in turn."""
        self._begin(_Mapping(line, shape), anchor)

    def open_sequence(self, line: int, *, shape: str = "list", anchor: str | None = None) -> None:
        """Begins a list; its items follow."""
        self._begin(_Sequence(line, shape), anchor)

    def close(self) -> None:
        """Ends the innermost open collection."""
        node = self._open.pop()
        if isinstance(node, _Mapping):
            _merge(node)
        elif node.shape == "pairs":
            _check_pairs(node)
        node.closed = True
        if self._open:
            self._open[-1].size += node.size

    def alias(self, name: str, line: int) -> None:
        """Adds what the anchor `name` marks once more."""
        node = self._anchors.get(name)
        if node is None:
            raise DocumentFault(f"there is no anchor &{name} before the alias *{name}", line)
        if not isinstance(node, _Scalar) and not node.closed:
            raise DocumentFault(f"the alias *{name} lies inside of its own anchor &{name}, so it would never end", line)
        self._aliased += node.size
        if self._aliased > MAX_ALIASED:
            raise DocumentFault(f"the aliases up to here expand to more than {MAX_ALIASED:,} values", line)
        self._add(node, line, None)

    def finish(self, document_is_mapping: bool = True) -> tuple[Any, dict[KeyPath, int]]:
        """The value built, and the line of every key.

        Args:
            document_is_mapping: whether anything else than a dict is a fault.
        """
        if self._root is None:
            raise DocumentFault("the file is empty")
        if document_is_mapping and not (isinstance(self._root, _Mapping) and self._root.shape == "dict"):
            raise DocumentFault(
                f"the top level is {_describe(self._root)}, a config has keys there", self._root.line, content=True
            )
        return _expand(self._root)

    def _begin(self, node: _Sequence | _Mapping, anchor: str | None) -> None:
        if self.wants_key:
            raise DocumentFault(f"{_describe(node)} cannot be a key", node.line, hint="put the key in quotes")
        self._add(node, node.line, anchor)
        self._open.append(node)
        if len(self._open) > MAX_DEPTH:
            raise DocumentFault(f"nested more than {MAX_DEPTH:,} levels deep", node.line)

    def _add(self, node: _Node, line: int, anchor: str | None) -> None:
        if anchor is not None:
            if anchor in self._anchors:
                first = self._anchors[anchor].line
                raise DocumentFault(f"the anchor &{anchor} is already on line {first}", line)
            self._anchors[anchor] = node
        if not self._open:
            if self._root is not None:
                raise DocumentFault("a second document begins here; a config file has one", line)
            self._root = node
            return
        parent = self._open[-1]
        if isinstance(node, _Scalar) or node.closed:
            parent.size += node.size  # an open one is added when it closes
        if isinstance(parent, _Sequence):
            parent.items.append(node)
        elif parent.key is not None:
            _add_value(parent, parent.key, node)
            parent.key = None
        elif isinstance(node, _Scalar):
            parent.key = _Scalar(node.value, line, node.merges)
        else:
            raise DocumentFault(f"{_describe(node)} cannot be a key", line, hint="put the key in quotes")


def _describe(node: _Node) -> str:
    if isinstance(node, _Sequence):
        return "a list"
    if isinstance(node, _Mapping):
        return "a set" if node.shape == "set" else "a mapping"
    return "empty" if node.value is None else f"the value {node.value!r:.80}"


_YES = "in YAML yes and on are True, no and off are False: put quotes around what is text"


def _add_value(mapping: _Mapping, key: _Scalar, value: _Node) -> None:
    if key.merges:
        if mapping.merge_line is not None:
            first_at = f"first on line {mapping.merge_line}"
            raise DocumentFault(f"duplicate key '<<', {first_at}", key.line, hint="merge several as <<: [*a, *b]")
        mapping.merge_line = key.line
        mapping.merged.append(value)
        return
    first = mapping.pairs.get(key.value)
    if first is not None:
        hint = _YES if isinstance(key.value, bool) else ""
        raise DocumentFault(f"duplicate key {key.value!r:.80}, first on line {first[0]}", key.line, hint=hint)
    mapping.pairs[key.value] = key.line, value


def _merge(mapping: _Mapping) -> None:
    """Takes over the keys of what `<<` names; own keys win, then earlier ones of a list."""
    if not mapping.merged:
        return
    named = mapping.merged[0]
    sources = named.items if isinstance(named, _Sequence) else [named]
    pairs: dict[Any, tuple[int, _Node]] = {}
    for source in sources:
        if not isinstance(source, _Mapping):
            raise DocumentFault(f"'<<' takes a mapping or a list of them, not {_describe(source)}", mapping.merge_line)
        pairs |= {key: pair for key, pair in source.pairs.items() if key not in pairs}
    mapping.pairs = pairs | mapping.pairs
    mapping.merged.clear()
    mapping.size = 1 + sum(1 + child.size for _, child in mapping.pairs.values())  # overridden keys are gone


def _check_pairs(sequence: _Sequence) -> None:
    for item in sequence.items:
        if not isinstance(item, _Mapping) or len(item.pairs) != 1:
            raise DocumentFault("each item here has to be one `key: value`", item.line)


class _KeyLines:
    """Collects the lines of keys, as long as the paths together stay below MAX_PATH_PARTS."""

    def __init__(self) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._room = MAX_PATH_PARTS

    def add(self, parent: KeyPath | None, key: Any, line: int) -> KeyPath | None:
        """Notes the line of `key` below `parent`; returns its path, or None when it has none."""
        if parent is None or self._room < 0:
            return None
        path = (*parent, key)
        self._room -= len(path)
        self.lines[path] = line
        return path


def _expand(root: _Node) -> tuple[Any, dict[KeyPath, int]]:
    """Plain data out of nodes, every alias as a copy of its own."""
    todo: list[tuple[_Sequence | _Mapping, Any, KeyPath | None]] = []

    def begin(node: _Node, path: KeyPath | None) -> Any:
        if isinstance(node, _Scalar):
            return node.value
        if isinstance(node, _Mapping) and node.shape == "set":
            return set(node.pairs)
        value: Any = {} if isinstance(node, _Mapping) else []
        todo.append((node, value, path))
        return value

    tuples: list[tuple[Any, Any]] = []  # where a list stands that becomes a tuple, when all that is in it is there

    def note(holder: Any, key: Any, node: _Node) -> None:
        if isinstance(node, _Sequence) and node.shape == "tuple":
            tuples.append((holder, key))

    key_lines = _KeyLines()
    result = [begin(root, ())]
    note(result, 0, root)
    while todo:
        node, value, path = todo.pop()
        if isinstance(node, _Mapping):
            for key, (line, child) in node.pairs.items():
                value[key] = begin(child, key_lines.add(path, key, line))
                note(value, key, child)
        elif node.shape == "pairs":
            singles = (next(iter(item.pairs.items())) for item in node.items if isinstance(item, _Mapping))
            value.extend((key, begin(child, None)) for key, (_, child) in singles)
        else:
            value.extend(begin(child, None) for child in node.items)
            for number, child in enumerate(node.items):
                note(value, number, child)
    for holder, key in reversed(tuples):  # inner ones first
        holder[key] = tuple(holder[key])
    return result[0], key_lines.lines
