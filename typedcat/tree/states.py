"""What a node is before it is there: the answers to reading an absent key, as classes that a node is switched out of.

`Ghost` hangs below its parent without being an item; the first write below it mounts it. `Pending` is the ghost of a
config that inherits and is not loaded: the key may well be in a base, so it must not be used as a value.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from typing import Any, NoReturn

from ..errors import FrozenError, MissingValueError, MountError, NotLoadedError, short_repr
from .keys import suggest
from .node import FROZEN, Node, adopt, blank, extra_of, path_of, plain_class, raw_set, set_key, set_parent, switch
from .origin import Place, Site

_MANY_GHOSTS = 64
_OF_ALCHEMYCAT: dict[Hashable, tuple[str, ...]] = {
    "compute_item_lazy": ("load",),
    "merge_from_file": ("update",),
    "update_at_parser": ("parse",),
}
"""Methods that AlchemyCat's configs have and ours do not, and what does the same."""


class Ghost:
    """Mixed in before the class of an absent node."""

    __slots__ = ()

    def __put__(self: Any, key: Hashable, value: Any, site: Site | Place) -> None:
        mount(self)
        self.__put__(key, value, site)

    def __touch__(self: Any) -> None:
        mount(self)


class Absent(Ghost):
    """The ghost of a config: falsy and empty, and never a number, a function or an index by mistake."""

    __slots__ = ()

    def __format__(self: Any, spec: str) -> str:
        return str(self.__no_value__("making it part of a text"))

    def __no_value__(self: Any, use: str) -> NoReturn:
        parent: Node = self.__parent__
        similar = _OF_ALCHEMYCAT.get(self.__key__) or suggest(self.__key__, dict.keys(parent) if parent else ())
        raise MissingValueError(path_of(self), use, "there is no such key", similar)


class Pending(Ghost):
    """The ghost of a config whose bases are not read yet: nothing is known about its value."""

    __slots__ = ()

    def __no_value__(self: Any, use: str) -> NoReturn:
        raise NotLoadedError(path_of(self), use)

    def __ready__(self) -> None:
        self.__no_value__("reading its contents")

    def __repr__(self: Any) -> str:
        return f"<{path_of(self)}: not loaded yet>"

    __str__ = __repr__

    def to_txt(self: Any, prefix: str = "cfg.", print_empty_leaf: bool = False, color: bool = False) -> str:
        return repr(self)


def _refuse(name: str, use: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any) -> Any:
        self.__no_value__(use)

    method.__name__ = name
    return method


_ARITHMETIC = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**", "matmul": "@",
    "lshift": "<<", "rshift": ">>", "and": "&", "xor": "^", "divmod": "divmod()",
}  # fmt: skip
_UNARY = {"neg": "-", "pos": "+", "abs": "abs()", "invert": "~", "round": "round()", "trunc": "trunc()",
          "floor": "floor()", "ceil": "ceil()"}  # fmt: skip
_ORDER = {"lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_CONVERSION = {"int": "int()", "float": "float()", "complex": "complex()", "index": "using it as an integer"}

for _name, _sign in _ARITHMETIC.items():
    for _form in (f"__{_name}__", f"__r{_name}__"):
        setattr(Absent, _form, _refuse(_form, _sign))
        setattr(Pending, _form, _refuse(_form, _sign))
    if _name != "divmod":
        setattr(Pending, f"__i{_name}__", _refuse(f"__i{_name}__", _sign + "="))
for _name, _sign in {**_UNARY, **_ORDER, **_CONVERSION}.items():
    setattr(Absent, f"__{_name}__", _refuse(f"__{_name}__", _sign))
    setattr(Pending, f"__{_name}__", _refuse(f"__{_name}__", _sign))
for _kind in (Absent, Pending):
    setattr(_kind, "__call__", _refuse("__call__", "calling it"))  # noqa: B010 - the name is data here, as above
for _name, _use in {
    "__bool__": "a truth test", "__eq__": "a comparison", "__ne__": "a comparison", "__len__": "len()",
    "__iter__": "iteration", "__contains__": "a test with 'in'", "__format__": "formatting it",
    "__or__": "|", "__ror__": "|", "__ior__": "|=", "__reversed__": "iteration",
    "keys": "iteration", "values": "iteration", "items": "iteration", "get": "get()",
    "pop": "pop()", "popitem": "popitem()", "to_dict": "to_dict()",
}.items():  # fmt: skip
    setattr(Pending, _name, _refuse(_name, _use))
Pending.__hash__ = None  # type: ignore[assignment]  # as dict; defining __eq__ outside the class body does not clear it

_classes: dict[tuple[type, type], type] = {}


def switched(kind: type, cls: type[Node]) -> type[Any]:
    """The subclass of `cls` that behaves as `kind`; made once."""
    found = _classes.get((kind, cls))
    if found is None:
        body = {"__slots__": (), "__module__": cls.__module__, "__qualname__": cls.__qualname__, "__plain__": cls}
        found = type.__new__(type(cls), cls.__name__, (kind, cls), body)
        _classes[kind, cls] = found
    return found


def ghost(parent: Node, key: Hashable, kind: type, cls: type[Node]) -> Any:
    """The node that reading the absent `parent[key]` gives; the same one for as long as somebody holds it."""
    handles = extra_of(parent).ghosts
    if (reference := handles.get(key)) is not None and (held := reference()) is not None:
        return held
    node = blank(switched(kind, cls))
    set_parent(node, parent)
    set_key(node, key)
    if len(handles) > _MANY_GHOSTS:
        for name in [name for name, ref in handles.items() if ref() is None]:
            del handles[name]
    handles[key] = weakref.ref(node)
    return node


def mount(node: Node) -> None:
    """Make a ghost an item of its parent, and so for every ghost above it.

    Raises:
        FrozenError: the tree is frozen.
        MountError: something else was put there since the ghost was read.
    """
    chain = [node]
    while isinstance(chain[-1], Ghost) and chain[-1].__parent__ is not None:
        chain.append(chain[-1].__parent__)
    if chain[-1].__state__ & FROZEN:
        raise FrozenError(path_of(node), "add keys below it")
    for at in reversed([one for one in chain if isinstance(one, Ghost)]):
        parent, key = at.__parent__, at.__key__
        if parent is None:
            continue
        if dict.__contains__(parent, key):
            raise MountError(
                path_of(at),
                f"was set to {short_repr(dict.__getitem__(parent, key))} after this handle to it was read",
                "read it again from the config before writing below it",
            )
        parent.__make_room__(key)
        switch(at, plain_class(at))
        extra_of(parent).ghosts.pop(key, None)
        raw_set(parent, key, at)
        set_parent(at, None)
        set_key(at, None)
        adopt(parent, key, at)
