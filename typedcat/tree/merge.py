"""Merging one tree into another: what inheritance, `update` and `|` do."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from ..errors import InheritanceError, short_path
from .copying import branch_copy, graft
from .node import (
    WHOLE,
    Anchor,
    Cap,
    Node,
    adopt,
    blank,
    demount,
    extra_of,
    is_default,
    mirror,
    path_of,
    plain_class,
    raw_delete,
    raw_set,
    root_of,
    set_state,
    switch,
)
from .origin import caller, newest, place, stack
from .values import Dependency, Drop, Extend, Extension, Parameter


def merge(into: Node, other: Node, incremental: bool = False) -> None:
    """Merge `other` into `into`, in place.

    Subtrees merge recursively unless the newer one is marked as a whole (`override`); everything else replaces.
    `Extend` and `Drop` act on what `into` has; where it has nothing they stay, for a later merge to act.

    Args:
        into: the tree that changes.
        other: a tree that belongs to the caller alone; its nodes move over.
        incremental: add only what is absent.

    Raises:
        InheritanceError: `Extend` on something that is no list.
    """
    work = [(into, other)]
    while work:
        old, new = work.pop()
        if not incremental:
            unite_classes(old, new)
        for key, value in list(dict.items(new)):
            mine = _as_node(old, key) if isinstance(value, Node) else dict.get(old, key, _ABSENT)
            if _both_branches(old, mine, value) and not (value.__state__ & WHOLE):
                work.append((mine, value))
            elif is_default(new, key):
                continue
            elif incremental:
                if mine is _ABSENT and value is not Drop:
                    _move(old, new, key, value)
            elif mine is _ABSENT:
                _move(old, new, key, value)
            elif value is Drop:
                _demount_if_node(old, mine)
                raw_delete(old, key)
            elif isinstance(value, Extend):
                _extend(old, new, key, mine, value)
            else:
                _demount_if_node(old, mine)
                if _both_branches(old, mine, value) and not schemas_of(value) and (schema := schema_of(mine)):
                    set_schema(value, schema)  # overriding a subtree does not strip it of its class
                _move(old, new, key, value, mine)


class _Absent:
    """Stands for no value where None is one."""


_ABSENT = _Absent()


def _both_branches(old: Node, mine: Any, value: Any) -> bool:
    kind = old.__branch_type__
    return all(isinstance(one, Node) and isinstance(one, kind) for one in (mine, value))


def _as_node(old: Node, key: Hashable) -> Any:
    """The value of `old[key]`; a plain dict that counts as a subtree there is made a node first."""
    mine = dict.get(old, key, _ABSENT)
    if isinstance(mine, dict) and not isinstance(mine, Node) and old.__branch_type__ is dict:
        node = blank(old.__child_class__(key))
        graft(node, mine, caller(), into_lists=True)
        raw_set(old, key, node)
        return node
    return mine


def _demount_if_node(parent: Node, value: Any) -> None:
    if isinstance(value, Node) and parent.__one_parent__:
        demount(value)


def _move(old: Node, new: Node, key: Hashable, value: Any, replaced: Any = _ABSENT) -> None:
    """Put the value of `new[key]` into `old[key]`, with everything that is known about it."""
    record = new.__origins__.get(key)
    if replaced is not _ABSENT:
        record = stack(record, old.__origins__.get(key), replaced)
    anchor = new.__extra__.anchors.get(key) if new.__extra__ is not None else None
    _place(old, key, value, record, anchor)


def _place(old: Node, key: Hashable, value: Any, record: Any, anchor: Anchor | None) -> None:
    if old.__extra__ is not None:
        old.__extra__.forget(key)
    raw_set(old, key, value)
    if record is not None:
        old.__origins__[key] = record
    if anchor is not None:
        extra_of(old).anchors[key] = anchor
    if isinstance(value, Node) and isinstance(value, old.__branch_type__):
        adopt(old, key, value)


def extended(mine: Any, value: Any) -> Any:
    """A value with the items of an `Extend` appended; the `Extend` itself if that cannot be appended to."""
    if isinstance(mine, Extend):
        return Extension((*mine.items, *value.items), mine.base)
    if isinstance(mine, Dependency):
        return Extension(value.items, mine)
    if isinstance(mine, (list, tuple)):
        return type(mine)([*mine, *value.items]) if type(mine) in (list, tuple) else [*mine, *value.items]
    return value


def _extend(old: Node, new: Node, key: Hashable, mine: Any, value: Extend[Any]) -> None:
    record = stack(new.__origins__.get(key), old.__origins__.get(key), mine)
    anchor = old.__extra__.anchors.get(key) if old.__extra__ is not None else None
    whole = extended(mine, value)
    if whole is value:
        what = "a parameter to tune" if isinstance(mine, Parameter) else f"of type {type(mine).__name__}"
        at = f", set at {place(newest(older))}" if (older := old.__origins__.get(key)) is not None else ""
        here = f" at {place(newest(newer))}" if (newer := new.__origins__.get(key)) is not None else ""
        raise InheritanceError(
            f"{path_of(old, key)}: the Extend{here} appends to a list, but the inherited value is {what}{at}\n"
            "  assign a whole list instead"
        )
    _place(old, key, whole, record, anchor)


def unite_classes(old: Node, new: Node) -> None:
    """Give `old` the schema that the merge of both has: the most derived one; a node without one never strips it."""
    if not old.__one_parent__:
        return
    mine, theirs = schemas_of(old), schemas_of(new)
    if theirs and mine != theirs:
        extra = extra_of(old)
        extra.rivals = tuple(dict.fromkeys((*mine, *theirs)))
        best = next((one for one in reversed(extra.rivals) if all(derives(one, s) for s in extra.rivals)), theirs[-1])
        set_schema(old, best)
    if new.__extra__ is not None and new.__extra__.caps:
        extra_of(old).caps = (*(old.__extra__.caps if old.__extra__ else ()), *new.__extra__.caps)


def schemas_of(node: Node) -> tuple[Any, ...]:
    """The schemas that a node has met: its class or the `schema=` it was given, and those it merged with."""
    rivals: tuple[Any, ...] = node.__extra__.rivals if node.__extra__ is not None else ()
    own = schema_of(node)
    return rivals or (() if own is None else (own,))


def schema_of(node: Node) -> Any:
    """The schema of a node: its typed class, the model given as `schema=`, or None."""
    cls = plain_class(node)
    if cls.__typed__:
        return cls
    return node.__extra__.schema if node.__extra__ is not None else None


def set_schema(node: Node, schema: Any) -> None:
    """Make `schema` the schema of a node: a typed class becomes its class, anything else is kept beside it.

    The defaults of the class that it was of are no longer its own.
    """
    if isinstance(schema, type) and issubclass(schema, Node):
        if plain_class(node) is not schema:
            unset_defaults(node)
            switch(node, schema)
            mirror(node)
    else:
        extra_of(node).schema = schema


def unset_defaults(node: Node) -> None:
    """Take out what nobody has set."""
    if node.__extra__ is not None:
        for key in list(node.__extra__.defaults):
            if is_default(node, key):
                raw_delete(node, key)


def derives(schema: Any, other: Any) -> bool:
    """Whether a config of `schema` is one of `other` as well."""
    if _same_definition(schema, other) or any(_same_definition(one, other) for one in getattr(schema, "__mro__", ())):
        return True
    try:
        return issubclass(schema, other)
    except TypeError:  # a TypedDict has no subclasses; what counts is what it declares
        mine, theirs = getattr(schema, "__annotations__", {}), getattr(other, "__annotations__", {})
        return bool(theirs) and mine.keys() >= theirs.keys()


def _same_definition(one: Any, other: Any) -> bool:
    """Whether two classes are one: each run of a config file (`...cfg@3`) makes its classes anew."""
    return one is other or (
        _module(one) == _module(other) and getattr(one, "__qualname__", None) == getattr(other, "__qualname__", "")
    )


def _module(definition: Any) -> str:
    name = str(getattr(definition, "__module__", ""))
    return name.rpartition("@")[0] or name


def check_classes(node: Node) -> None:
    """After the last merge: the schema of a node must derive from all that it met.

    Raises:
        InheritanceError: unrelated schemas met at this node.
    """
    extra = node.__extra__
    if extra is None or not extra.rivals:
        return
    schema = schema_of(node)
    strangers = [one for one in extra.rivals if not derives(schema, one)]
    if strangers:
        names = [_name(one) for one in (*strangers, schema)]
        raise InheritanceError(
            f"{_file_of(node)}{path_of(node)}: {' and '.join(names)} do not derive from each other, "
            "so their configs cannot be merged\n"
            f"  declare a class that derives from both and give it to the child: schema=...({', '.join(names)})",
            chain=names,
        )
    extra.rivals = ()


def _file_of(node: Node) -> str:
    extra = root_of(node).__extra__
    return f"{short_path(extra.source)}: " if extra is not None and extra.source else ""


def _name(schema: Any) -> str:
    return str(getattr(schema, "__qualname__", schema))


def merged(base: Node, other: Node) -> Node:
    """A new tree: `base` with `other` merged into it; neither changes."""
    result = branch_copy(base)
    merge(result, branch_copy(other))
    return result


def take_over(target: Node, source: Node) -> None:
    """Make `target` have the contents of `source`, keeping the nodes of `target` where both have one.

    Whoever holds a subtree of a config that is loaded in place sees it loaded.
    """
    work = [(target, source)]
    while work:
        old, new = work.pop()
        if plain_class(old) is not plain_class(new):
            switch(old, plain_class(new))
        for key in [key for key in dict.keys(old) if not dict.__contains__(new, key)]:
            _demount_if_node(old, raw_delete(old, key))
        had = dict(dict.items(old))
        dict.clear(old)
        for key, value in dict.items(new):
            mine = had.get(key)
            if isinstance(mine, Node) and isinstance(value, Node) and isinstance(mine, old.__branch_type__):
                dict.__setitem__(old, key, mine)
                work.append((mine, value))
            else:
                dict.__setitem__(old, key, value)
                if isinstance(value, Node) and isinstance(value, old.__branch_type__):
                    adopt(old, key, value)
        old.__origins__.clear()
        old.__origins__.update(new.__origins__)
        extra_of(old).__init__()  # type: ignore[misc]  # back to nothing known, then what the other knows
        if new.__extra__ is not None:
            mine_extra = extra_of(old)
            for name in ("caps", "anchors", "defaults", "schema", "rivals", "source", "reads", "tune"):
                setattr(mine_extra, name, getattr(new.__extra__, name))
        set_state(old, new.__state__)
        mirror(old)


def caps_of(node: Node) -> tuple[Cap, ...]:
    """The bases that a node still has to inherit from."""
    return node.__extra__.caps if node.__extra__ is not None else ()
