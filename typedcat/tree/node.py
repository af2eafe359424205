"""The node: a dict that mirrors its keys as attributes, knows its parent, and who set each key.

Here is only the state and the primitives that every other module of the tree builds on. Three decisions carry it:

* Keys are mirrored in the instance `__dict__`, so that reading an attribute costs what it costs on a plain object.
  Names of methods are not mirrored; they live as items only.
* The state lives in slots with names like `__parent__`: Python's protocol names, which are never keys that reading
  creates.
* What a node does differently for a while (an absent key, a tree that is being resolved) is a subclass that it is
  switched to, so that ordinary reads pay nothing for it; `plain_class` gives the class underneath.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, ClassVar

from .keys import ROOT, format_path
from .origin import Place, Record, Site, replace
from .sameness import equal_values
from .values import Deferred

FROZEN = 1
WHOLE = 2
STRICT = 4
LOADED = 8

Anchor = tuple[int, tuple[Hashable, ...]]
"""Where the function of a dependency starts: levels up from the node that holds it, then a path down."""

WHOLE_CONFIG: Anchor = (-1, ())
CONTAINERS = (list, tuple, set, frozenset)


class Extra:
    """The part of a node's state that most nodes do not need; made on first use."""

    __slots__ = ("anchors", "caps", "defaults", "ghosts", "reads", "resolver", "rivals", "schema", "source", "tune")

    def __init__(self) -> None:
        self.caps: tuple[Cap, ...] = ()
        self.anchors: dict[Hashable, Anchor] = {}  # of the dependencies among the values
        self.defaults: dict[Hashable, Any] = {}  # keys that nobody has set, and the value that their class declares
        self.ghosts: dict[Hashable, Any] = {}  # absent keys somebody holds a handle to; weak references
        self.schema: Any = None  # a pydantic model, dataclass or TypedDict given as `schema=`
        self.rivals: tuple[Any, ...] = ()  # schemas met in inheritance, one of which must derive from all others
        self.source: str = ""  # the file that this tree was read from
        self.reads: dict[str, Any] = {}  # of a loaded root: each dependency and what it read
        self.tune: Any = None  # of the root of a tune config: its settings
        self.resolver: Any = None  # while dependencies are being computed

    def forget(self, key: Hashable) -> None:
        """Drop what is known about the value of a key that is about to get another one."""
        self.anchors.pop(key, None)
        self.defaults.pop(key, None)
        self.ghosts.pop(key, None)

    def copy(self) -> Extra:
        """What a copy of the node takes along: everything about its contents, nothing about handles and loading."""
        new = Extra()
        new.caps, new.schema, new.rivals, new.source, new.tune = (
            self.caps, self.schema, self.rivals, self.source, self.tune,
        )  # fmt: skip
        new.anchors, new.defaults, new.reads = dict(self.anchors), dict(self.defaults), self.reads
        return new


class Cap(tuple[Any, str]):
    """A base to inherit from: a path or a tree, and the file that names it (to look for relative paths from)."""

    __slots__ = ()

    @property
    def base(self) -> Any:
        return self[0]

    @property
    def named_by(self) -> str:
        return str(self[1])


class Node(dict[Any, Any]):
    """State and primitives of a node; see `Tree` for what users call."""

    __slots__ = ("__dict__", "__extra__", "__key__", "__origins__", "__parent__", "__state__", "__weakref__")

    __reserved__: ClassVar[frozenset[str]] = frozenset()
    __plain__: ClassVar[type[Node]]
    __branch_type__: ClassVar[type] = dict  # which values are subtrees
    __one_parent__: ClassVar[bool] = False
    __typed__: ClassVar[bool] = False  # whether the class declares which keys there are

    __parent__: Node | None
    __key__: Hashable
    __state__: int
    __extra__: Extra | None
    __origins__: dict[Hashable, Record]

    if not TYPE_CHECKING:  # constructors are declared by the classes below

        def __new__(cls, /, *args, **kwargs):
            return blank(cls)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__plain__" in cls.__dict__:  # a class that nodes are switched to for a while
            return
        cls.__plain__ = cls
        cls.__reserved__ = frozenset(dir(cls))

    @classmethod
    def __child_class__(cls, key: Hashable) -> type[Node]:
        """The class of a subtree at `key`."""
        return cls.__plain__

    def __admit__(self, key: Hashable, value: Any) -> Any:
        """Called for a value that is a dict, a list or a stand-in before it is put; gives what is put."""
        return value

    def __make_room__(self, key: Hashable) -> None:
        """Called before an absent subtree that somebody wrote below becomes an item."""

    def __ready__(self) -> None:
        """Called before the contents are read behind the back of the class, as copies do."""

    def __put__(self, key: Hashable, value: Any, site: Site | Place) -> None:
        """Set a key; every write of a user ends here. The caller has checked that the node may be written."""
        extra = self.__extra__
        if extra is not None:
            extra.forget(key)
        if isinstance(value, _ADMITTED):
            value = self.__admit__(key, value)
        origins = self.__origins__
        if key in self:
            old = _get(self, key)
            origins[key] = replace(origins.get(key), old, site)
            if isinstance(old, Node) and old is not value:
                demount(old)
        else:
            origins[key] = site
        _set(self, key, value)
        if type(key) is str and key not in self.__reserved__:
            self.__dict__[key] = value


_ADMITTED = (dict, *CONTAINERS, Deferred)
_get = dict.__getitem__
_set = dict.__setitem__


def _slot(name: str) -> Callable[[Node, Any], None]:
    setter: Callable[[Node, Any], None] = Node.__dict__[name].__set__
    return setter


set_parent = _slot("__parent__")
set_key = _slot("__key__")
set_state = _slot("__state__")
set_extra = _slot("__extra__")
set_origins = _slot("__origins__")


def blank(cls: type[Any]) -> Any:
    """An empty node of the class, without running its constructor."""
    self = dict.__new__(cls)
    set_parent(self, None)
    set_key(self, None)
    set_state(self, 0)
    set_extra(self, None)
    set_origins(self, {})
    return self


def plain_class(node: Node) -> Any:
    """The class of a node, whatever it is switched to for the moment."""
    return type(node).__plain__


def switch(node: Node, cls: type[Node]) -> None:
    """Give a node another class; nodes of every class have one layout."""
    object.__setattr__(node, "__class__", cls)


def extra_of(node: Node) -> Extra:
    """The extra state of a node, made if there is none yet."""
    extra = node.__extra__
    if extra is None:
        extra = Extra()
        set_extra(node, extra)
    return extra


def flag(node: Node, bit: int, on: bool) -> None:
    """Set or clear one bit of the state."""
    set_state(node, node.__state__ | bit if on else node.__state__ & ~bit)


def mirror(node: Node) -> None:
    """Make the attributes of a node agree with its items."""
    own = node.__dict__
    own.clear()
    if node.__reserved__.isdisjoint(node) and all(key.__class__ is str for key in dict.keys(node)):
        own.update(dict.items(node))
    else:
        reserved = node.__reserved__
        own.update((k, v) for k, v in dict.items(node) if k.__class__ is str and k not in reserved)


def raw_set(node: Node, key: Hashable, value: Any) -> None:
    """Set a key without asking anything: the caller looks after parents, origins and anchors."""
    _set(node, key, value)
    if type(key) is str and key not in node.__reserved__:
        node.__dict__[key] = value


def raw_delete(node: Node, key: Hashable) -> Any:
    """Take a key out with everything that is known about it; returns the value."""
    value = dict.pop(node, key)
    node.__dict__.pop(key, None)  # type: ignore[call-overload]  # any key may be asked for; only strings are there
    node.__origins__.pop(key, None)
    if node.__extra__ is not None:
        node.__extra__.forget(key)
    return value


def adopt(parent: Node, key: Hashable, child: Node) -> None:
    """Tell a child where it hangs."""
    if parent.__one_parent__:
        set_parent(child, parent)
        set_key(child, key)


def demount(child: Node) -> None:
    """Tell a child that it hangs nowhere."""
    set_parent(child, None)
    set_key(child, None)


def root_of(node: Node) -> Node:
    """The root of the tree."""
    while node.__parent__ is not None:
        node = node.__parent__
    return node


def level_of(node: Node) -> int:
    """How many levels below the root a node is."""
    level = 0
    while node.__parent__ is not None:
        node = node.__parent__
        level += 1
    return level


def path_to(node: Node) -> tuple[Hashable, ...]:
    """The keys from the root to the node."""
    keys: list[Hashable] = []
    while node.__parent__ is not None:
        keys.append(node.__key__)
        node = node.__parent__
    return tuple(reversed(keys))


def path_of(node: Node, *keys: Hashable) -> str:
    """The path of a node, or of a key below it, for messages; the root is called `cfg`."""
    return format_path((*path_to(node), *keys)) or ROOT


def is_default(node: Node, key: Hashable) -> bool:
    """Whether the value of a key is what its class declares: nobody has set it, nor changed it in place."""
    extra = node.__extra__
    if extra is None or key not in extra.defaults:
        return False
    value, declared = dict.get(node, key), extra.defaults[key]
    if isinstance(value, Node):
        return not value.__state__ & WHOLE and all(is_default(value, name) for name in dict.keys(value))
    return value is declared or (isinstance(value, _COMPARED) and equal_values(value, declared))


_COMPARED = (str, int, float, bytes, list, dict, set, tuple, frozenset)


def is_lazy(node: Node | None) -> bool:
    """Whether the node, or one above it, waits for its bases to be read."""
    while node is not None:
        if node.__extra__ is not None and node.__extra__.caps:
            return True
        node = node.__parent__
    return False
