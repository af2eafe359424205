"""Reads the pickles that AlchemyCat has written, such as the `cfg.pkl` of a child of a sweep, without AlchemyCat."""

from __future__ import annotations

import io
import math
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import ConfigContentError
from ...tree.adict import ADict
from ...tree.config import BaseConfig, Config
from ...tree.node import FROZEN, WHOLE, WHOLE_CONFIG, Cap, Node, adopt, extra_of, flag, mirror, switch
from ...tree.origin import Place
from ...tree.values import DEP, P_DEP
from ...tree.walk import branches
from ..helpers import helpers_too
from .alchemy import NAME, is_theirs


def mentions_theirs(data: bytes) -> bool:
    """Whether a pickle may hold objects of AlchemyCat."""
    return NAME.encode() in data


def unpickle(data: bytes, path: Path) -> object:
    """What a pickle holds; configs and dependencies of AlchemyCat come as ours.

    Raises:
        ConfigContentError: it holds a tune config.
        Exception: as `pickle.loads`.
    """
    with helpers_too():
        value: object = _Unpickler(io.BytesIO(data), path).load()
    if isinstance(value, BaseConfig):
        for node in branches(value):
            for key in dict.keys(node):
                node.__origins__.setdefault(key, Place(str(path), None))
    return value


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: io.BytesIO, path: Path) -> None:
        super().__init__(stream)
        self.path = path

    def find_class(self, module: str, name: str) -> Any:
        if is_theirs(module) and module.endswith((".py_cfg", ".cfg2tune")):
            if name in _STAND_INS:
                return _STAND_INS[name]
            if name in ("Cfg2Tune", "Param2Tune"):
                raise ConfigContentError(
                    self.path, f"holds a tune config of {NAME}", hints=["load the .py file that defines it"]
                )
        return super().find_class(module, name)


# -- what stands for their classes while a pickle is read: first come the items, then the state


class _Config(Config):
    __slots__ = ()
    __plain__ = Config  # what it is switched to

    if not TYPE_CHECKING:
        __setitem__ = dict.__setitem__

        def __setstate__(self, state):
            _settle(self, state)
            _settle_config(self, state)


class _ADict(ADict):
    __slots__ = ()
    __plain__ = ADict

    if not TYPE_CHECKING:
        __setitem__ = dict.__setitem__

        def __setstate__(self, state):
            _settle(self, state)


class _Lazy:
    kind: Any = DEP
    func: Any
    priority: int
    _level: float | None


class _ParamLazy(_Lazy):
    kind = P_DEP


_STAND_INS = {"Config": _Config, "ADict": _ADict, "ItemLazy": _Lazy, "ParamLazy": _ParamLazy}


def _settle(node: Node, state: dict[str, Any]) -> None:
    switch(node, type(node).__plain__)
    flag(node, WHOLE, bool(state.get("_whole")))
    flag(node, FROZEN, bool(state.get("__frozen")))
    mirror(node)


def _settle_config(node: Node, state: dict[str, Any]) -> None:
    for key, value in list(dict.items(node)):
        if isinstance(value, BaseConfig):
            adopt(node, key, value)
        elif isinstance(value, _Lazy):
            level = math.inf if value._level is None else value._level
            dict.__setitem__(node, key, value.kind(value.func, value.priority, math.isfinite(level)))
            extra_of(node).anchors[key] = (int(level), ()) if math.isfinite(level) else WHOLE_CONFIG
    bases = state.get("_cfgs_update_at_parser") or ()
    if bases and not state.get("__frozen"):  # a loaded config keeps the names of its bases there, and needs none
        extra_of(node).caps = tuple(Cap((base, "")) for base in ((bases,) if isinstance(bases, str) else bases))
    mirror(node)


__all__ = ["mentions_theirs", "unpickle"]
