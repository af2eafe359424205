"""Whether a config can stand for another one: `load_config(path, like=other)`."""

from __future__ import annotations

import numbers
from collections.abc import Hashable, Iterator
from typing import Any

from ..errors import LikenessError, Unlike
from ..tree.config import BaseConfig
from ..tree.node import path_of
from ..tree.values import Deferred
from ..tree.walk import named_leaves
from .inherit import RESULT_DIR
from .schema_fields import schema_of_slot

_SUBTREE = "a subtree"
_OBJECT = "an object"  # classes and functions too: a factory may stand for a class, one transform for another
_KINDS: tuple[tuple[Any, str], ...] = (
    (BaseConfig, _SUBTREE),
    (type(None), "None"),
    (bool, "a bool"),
    (numbers.Number, "a number"),  # 0.5 over 1 is what stubs let a child write; the numbers of numpy are among them
    (str, "a str"),
    (bytes, "bytes"),
    ((list, tuple), "a list or tuple"),
    ((set, frozenset), "a set"),
    (dict, "a dict"),
)


def check_like(tree: BaseConfig, model: BaseConfig, name: str, model_name: str) -> None:
    """Who reads a config relies on the keys of another one, and on what kind of value stands there.

    Args:
        tree: the config.
        model: what it has to be like.
        name, model_name: what messages call them.

    Raises:
        LikenessError: a key is missing, or its value is of another kind.
    """
    missing: list[str] = []
    unlike: list[Unlike] = []
    work: list[tuple[BaseConfig, BaseConfig]] = [(tree, model)]
    for mine, theirs in work:
        for key, value in dict.items(theirs):
            own = dict.get(mine, key, ...)
            if (key == RESULT_DIR and theirs is model) or isinstance(own, Deferred):
                continue
            if own is ...:
                missing.append(path_of(theirs, key))
            elif not isinstance(value, BaseConfig):
                unlike += _differences(mine, key, own, theirs, value)
            elif isinstance(own, BaseConfig):
                work.append((own, value))
            else:
                below = [path_of(node, name) for _, (node, name, _) in named_leaves(value)]
                missing += below
                unlike += [] if below else [_unlike(mine, key, own, theirs, _SUBTREE)]
    if missing or unlike:
        raise LikenessError(name, model_name, missing, unlike)


def _differences(mine: BaseConfig, key: Hashable, own: Any, theirs: BaseConfig, value: Any) -> Iterator[Unlike]:
    """The value of a key, if it is of another kind; what a schema declares is left to the schema."""
    if value is None or isinstance(value, Deferred) or schema_of_slot(theirs, key) is not None:
        return
    wanted, got = _kind(value), _kind(own)
    if got != wanted and (got, wanted) not in ((_SUBTREE, "a dict"), ("a bool", "a number")):
        yield _unlike(mine, key, own, theirs, wanted)


def _unlike(mine: BaseConfig, key: Hashable, own: Any, theirs: BaseConfig, wanted: str) -> Unlike:
    origin = mine.origin((key,))
    return Unlike(path_of(theirs, key), _kind(own), wanted, str(origin[0]) if origin else "")


def _kind(value: Any) -> str:
    """What sort of value it is; of objects of other classes not which."""
    return next((kind for types, kind in _KINDS if isinstance(value, types)), _OBJECT)


__all__ = ["check_like"]
