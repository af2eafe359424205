"""What every tree can do: the dict API with attributes, freezing, merging, walking, printing, pickling."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from sys import _getframe
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from ..errors import FrozenError, MissingKeyError, ReservedKeyError, short_repr
from . import text, walk
from .copying import branch_copy, deep_copy, equal, graft, to_dict
from .keys import is_protocol_name, parse_path, suggest
from .merge import merge
from .node import (
    FROZEN,
    WHOLE,
    Node,
    blank,
    demount,
    flag,
    path_of,
    plain_class,
    raw_delete,
)
from .origin import Origin, Place, Site, caller, history
from .pickling import reduce, restore

V = TypeVar("V")
F = TypeVar("F", bound=Callable[..., Any])
_new_site = tuple.__new__


class Tree(Node):
    """Base of `ADict`, `Config` and `TypedConfig`."""

    __slots__ = ()
    __into_lists__: ClassVar[bool] = False

    # -- attributes and items

    if not TYPE_CHECKING:  # a checker sees it on the open classes only

        def __getattr__(self, name):
            if dict.__contains__(self, name):
                return self[name]
            if is_protocol_name(name):
                raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
            return self.__missing__(name)

        def __setattr__(self, name, value):
            if name in self.__reserved__:
                raise ReservedKeyError(name, type(self).__name__)
            if self.__state__ & FROZEN:
                self.__refuse__(name, f"set it to {short_repr(value)}")
            frame = _getframe(1)
            self.__put__(name, value, _new_site(Site, (frame.f_code, frame.f_lasti)))

        def __delattr__(self, name):
            self.__delitem__(name)

    def __setitem__(self, key: Hashable, value: Any) -> None:
        if self.__state__ & FROZEN:
            self.__refuse__(key, f"set it to {short_repr(value)}")
        frame = _getframe(1)
        self.__put__(key, value, _new_site(Site, (frame.f_code, frame.f_lasti)))

    def __delitem__(self, key: Hashable) -> None:
        self.pop(key)

    def __missing__(self, key: Hashable) -> Any:
        return self.__absent__(key)

    def __absent__(self, key: Hashable) -> Any:
        """What reading an absent key gives."""
        raise MissingKeyError(path_of(self, key), "there is no such key", suggest(key, self))

    def __refuse__(self, key: Hashable | None, action: str) -> None:
        raise FrozenError(path_of(self) if key is None else path_of(self, key), action)

    def __check_writable__(self, key: Hashable | None, action: str) -> None:
        if self.__state__ & FROZEN:
            self.__refuse__(key, action)

    def __touch__(self) -> None:
        """Make sure that the node is an item of its parent; ghosts do something here."""

    # -- the rest of the dict API

    def setdefault(self, key: Hashable, default: Any = None) -> Any:
        """As `dict.setdefault`."""
        if key not in self:
            self.__check_writable__(key, f"set it to {short_repr(default)}")
            self.__put__(key, default, caller())
        return self[key]

    def pop(self, key: Hashable, *default: Any) -> Any:
        """As `dict.pop`: a missing key without a default is a KeyError."""
        self.__check_writable__(key, "remove it")
        if len(default) > 1:
            raise TypeError(f"pop expected at most 2 arguments, got {1 + len(default)}")
        if not dict.__contains__(self, key):
            if default:
                return default[0]
            raise MissingKeyError(path_of(self, key), "there is no such key to remove", suggest(key, self))
        return _released(self, raw_delete(self, key))

    def popitem(self) -> tuple[Any, Any]:
        """As `dict.popitem`."""
        self.__check_writable__(None, "remove keys")
        if not self:
            raise MissingKeyError(path_of(self), "there is no key to remove")
        key = next(reversed(self))
        return key, _released(self, raw_delete(self, key))

    def clear(self) -> None:
        """As `dict.clear`."""
        self.__check_writable__(None, "remove keys")
        for key in list(dict.keys(self)):
            _released(self, raw_delete(self, key))

    @classmethod
    def fromkeys(cls, iterable: Iterable[Any], value: Any = None) -> Self:
        """As `dict.fromkeys`."""
        return cls.from_dict(dict.fromkeys(iterable, value))

    @classmethod
    def from_dict(cls, other: Mapping[Any, Any]) -> Self:
        """A tree with the contents of a mapping, whose dicts become subtrees."""
        tree = blank(cls.__plain__)
        graft(tree, other, caller(), into_lists=cls.__into_lists__)
        return tree  # type: ignore[no-any-return]  # `blank` makes any class

    def to_dict(self) -> dict[Any, Any]:
        """The tree as plain dicts; leaves are shared."""
        return to_dict(self, self.__into_lists__)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, dict):
            return NotImplemented
        self.__ready__()
        if isinstance(other, Node):
            other.__ready__()
        return equal(self, other, self.__into_lists__)

    def __ne__(self, other: object) -> bool:
        return not self == other if isinstance(other, dict) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # as dict: mutable

    # -- copies

    def branch_copy(self) -> Self:
        """A copy of the tree structure; leaves are shared."""
        return branch_copy(self)

    def copy(self) -> Self:
        """See `branch_copy`."""
        return branch_copy(self)

    def __copy__(self) -> Self:
        return branch_copy(self)

    def deepcopy(self) -> Self:
        """A copy of the tree with its leaves deep-copied."""
        return deep_copy(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return deep_copy(self, memo)

    def __reduce_ex__(self, protocol: Any) -> Any:
        self.__ready__()
        return reduce(self)

    def __setstate__(self, state: Any) -> None:
        restore(self, state)

    # -- merging

    def dict_update(self, other: Mapping[Any, Any], incremental: bool = False) -> None:
        """Merge a mapping into this tree, as a child merges into its base.

        Args:
            other: the mapping; it does not change.
            incremental: add only keys that are absent here.
        """
        self.__merge__(other, caller(), incremental)

    def update(self, /, *others: Any, **values: Any) -> None:
        """`dict_update` with mappings or pairs, as `dict.update` takes them, then with the keyword arguments."""
        site = caller()
        for other in others:
            self.__merge__(other if hasattr(other, "keys") else dict(other), site)
        if values:
            self.__merge__(values, site)

    def __merge__(self, other: Mapping[Any, Any], site: Site | Place, incremental: bool = False) -> None:
        self.__check_writable__(None, "merge into it")
        if not hasattr(other, "keys"):
            raise TypeError(f"a mapping is needed to update a {type(self).__name__}, got {short_repr(other)}")
        self.__touch__()
        own = blank(self.__merge_class__())
        graft(own, self.__source__(other), site, into_lists=self.__into_lists__, home=self)
        self.__check_merge__(own)
        merge(self, own, incremental)

    def __source__(self, other: Mapping[Any, Any]) -> Mapping[Any, Any]:
        """What is merged if somebody asks for a mapping."""
        return other

    def __check_merge__(self, own: Any) -> None:
        """Called with what is about to be merged, converted to a tree of its own."""

    def __merge_class__(self) -> Any:
        """The class that a mapping is converted to before it is merged into this tree."""
        return plain_class(self)

    def __or__(self, other: Any) -> Any:
        if not isinstance(other, dict):
            return NotImplemented
        new = branch_copy(self)
        new.__merge__(other, caller())
        return new

    def __ror__(self, other: Any) -> Any:
        if not isinstance(other, dict):
            return NotImplemented
        new = blank(self.__merge_class__())
        graft(new, other, caller(), into_lists=self.__into_lists__)
        merge(new, branch_copy(self))
        return new

    def __ior__(self, other: Any) -> Self:
        self.update(other)
        return self

    # -- freezing

    def freeze(self, shouldFreeze: bool = True) -> Self:
        """Make the tree read-only (or writable again); returns it."""
        for node in walk.branches(self):
            if isinstance(node, Node):
                flag(node, FROZEN, shouldFreeze)
        return self

    def unfreeze(self) -> Self:
        """Make the tree writable again; returns it."""
        return self.freeze(False)

    @property
    def is_frozen(self) -> bool:
        """Whether the tree is read-only."""
        return bool(self.__state__ & FROZEN)

    # -- subtrees that count as a whole

    def override(self, is_whole: bool = True) -> Self:
        """Make this subtree replace an inherited one instead of merging with it; returns it.

        That is how it merges, not what is in it, so a frozen tree allows it as well.
        """
        self.__touch__()
        flag(self, WHOLE, is_whole)
        return self

    def set_whole(self, is_whole: bool = True) -> Self:
        """See `override`."""
        return self.override(is_whole)

    @property
    def is_whole(self) -> bool:
        """Whether this subtree replaces an inherited one."""
        return bool(self.__state__ & WHOLE)

    def empty_leaf(self) -> Self:
        """Empty this subtree and let it override: what it would inherit is deleted. Returns it."""
        self.clear()
        return self.override()

    def empty_tree(self) -> Self:
        """Empty this subtree; returns it."""
        self.clear()
        return self.override(False)

    # -- walking

    @property
    def named_branches(self) -> Iterator[tuple[str, Any]]:
        """(path, subtree) of the tree itself and every subtree, parents first."""
        self.__ready__()
        return walk.named_branches(self)

    @property
    def named_branchs(self) -> Iterator[tuple[str, Any]]:
        """As AlchemyCat's documentation writes `named_branches`."""
        return self.named_branches

    @property
    def branches(self) -> Iterator[Any]:
        """The tree itself and every subtree, parents first."""
        return (branch for _, branch in self.named_branches)

    @property
    def named_ckl(self) -> Iterator[walk.Leaf]:
        """(path, (subtree, key, value)) of every leaf."""
        self.__ready__()
        return walk.named_leaves(self)

    @property
    def ckl(self) -> Iterator[tuple[Any, Hashable, Any]]:
        """(subtree, key, value) of every leaf."""
        return (leaf for _, leaf in self.named_ckl)

    @property
    def leaves(self) -> Iterator[Any]:
        """The value of every leaf."""
        return (value for _, (_, _, value) in self.named_ckl)

    def origin(self, path: str | tuple[Hashable, ...]) -> tuple[Origin, ...]:
        """Who set a value: its history through overwriting, inheritance, mounting and overrides, newest first.

        Args:
            path: `opt.ini.lr`, or the keys as a tuple.

        Raises:
            MissingKeyError: there is no such key.
        """
        keys = parse_path(path) if isinstance(path, str) else tuple(path)
        node: Any = self
        for key in keys[:-1]:
            child = dict.get(node, key)
            if not isinstance(child, Node):
                raise MissingKeyError(path_of(node, key), "there is no such subtree", suggest(key, dict.keys(node)))
            node = child
        if not dict.__contains__(node, keys[-1]):
            raise MissingKeyError(path_of(node, keys[-1]), "there is no such key", suggest(keys[-1], dict.keys(node)))
        return tuple(history(node.__origins__.get(keys[-1]), dict.__getitem__(node, keys[-1])))

    # -- functions as values

    def set_func(self, name: str | None = None) -> Callable[[F], F]:
        """A decorator that puts a function into the tree, under `name` or its own name."""

        def decorator(func: F) -> F:
            self[func.__name__ if name is None else name] = func
            return func

        return decorator

    # -- text

    def to_txt(self, prefix: str = "dic.", print_empty_leaf: bool = False, color: bool = False) -> str:
        """The tree as Python that builds an equal one, when all leaves have such a form.

        Args:
            prefix: what the tree is called, with or without the dot.
            print_empty_leaf: accepted as in AlchemyCat; empty subtrees are always printed.
            color: with terminal colours.
        """
        self.__ready__()
        return text.to_txt(self, prefix, color)

    def __repr__(self) -> str:
        self.__ready__()
        return text.to_repr(self)

    def _repr_html_(self) -> str:
        self.__ready__()
        return text.to_html(self)


def _released(parent: Node, value: Any) -> Any:
    if isinstance(value, Node) and parent.__one_parent__:
        demount(value)
    return value
