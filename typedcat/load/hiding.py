"""Takes secrets out of what is written: out of copies of configs, and out of texts that have them in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from types import FunctionType, ModuleType
from typing import Any

from ..tree.config import BaseConfig
from ..tree.copying import branch_copy
from ..tree.keys import join
from ..tree.node import raw_set
from ..tree.origin import Shown, newest, rewritten
from ..tree.pickling import dumps
from ..tree.walk import named_branches
from .schema_fields import MASK
from .secrets import masker

_SHORTEST = 4  # characters: a shorter secret stands everywhere by chance
_DEEPEST = 50
_NOTHING_INSIDE = (type, FunctionType, ModuleType, str, bytes, int, float, complex, type(None))


class Hidden:
    """A config without its secrets.

    Args:
        cfg: a loaded config; it does not change.

    Attributes:
        copy: the same, as a tree of its own and not frozen, with a mask in place of each value that is declared as a
            secret and does not hide itself, as pydantic's do.
        keys: which keys hold a secret, as far as can be seen.
    """

    def __init__(self, cfg: BaseConfig) -> None:
        self.copy = branch_copy(cfg)
        self.keys: list[str] = []
        self._plain: set[str] = set()
        self._seen: set[int] = set()
        mask = masker(cfg)
        for (path, node), (_, original) in zip(named_branches(self.copy), named_branches(cfg), strict=True):
            for key, value in list(dict.items(node)):
                if isinstance(value, BaseConfig):
                    continue
                shown = mask(original, key, value)
                self._note(value, shown)
                if self._look_into(value, 0) or shown is not value:
                    self.keys.append(join(path, key))
                    _put(node, key, shown)
        if self._plain:
            self._clean_histories()

    @property
    def texts(self) -> list[str]:
        """The plain texts of the secrets that were seen, longest first; without those that may stand anywhere."""
        return sorted((text for text in self._plain if len(text) >= _SHORTEST), key=len, reverse=True)

    def pickled(self) -> bytes:
        """A pickle of the config in which each of pydantic's secrets is masked, wherever it is."""
        return dumps(self.copy, self._replace)

    def _replace(self, value: Any) -> Any:
        if isinstance(value, type) or not hasattr(type(value), "get_secret_value"):
            return NotImplemented
        self._collect(value)
        secret = value.get_secret_value()
        return type(value), (MASK.encode() if isinstance(secret, bytes) else MASK if secret else secret,)

    def clean(self, text: str) -> str:
        """A text without the plain texts of the secrets."""
        for secret in self.texts:
            text = text.replace(secret, MASK)
        return text

    def is_in(self, data: bytes) -> bool:
        """Whether the plain text of a secret is in these bytes."""
        return any(secret.encode("utf-8", "surrogatepass") in data for secret in self.texts)

    def _look_into(self, value: Any, depth: int) -> bool:
        """Whether there is one of pydantic's secrets in a value: in a container, or an attribute of an object."""
        if hasattr(type(value), "get_secret_value"):
            self._collect(value)
            return bool(value.get_secret_value())
        if isinstance(value, _NOTHING_INSIDE) or depth > _DEEPEST or id(value) in self._seen:
            return False
        inside = value if isinstance(value, (list, tuple, set, frozenset)) else getattr(value, "__dict__", None)
        if isinstance(value, dict):
            inside = dict.values(value)
        elif isinstance(inside, dict):
            inside = inside.values()
        self._seen.add(id(value))
        found = [self._look_into(item, depth + 1) for item in list(inside or ())]
        self._seen.remove(id(value))
        return any(found)

    def _note(self, value: Any, shown: Any) -> None:
        """Remember the plain texts of what is shown as something else."""
        if value is shown:
            return
        if isinstance(value, dict) and isinstance(shown, dict):
            for key, item in dict.items(value):
                self._note(item, dict.get(shown, key))
        elif isinstance(value, (list, tuple)) and isinstance(shown, (list, tuple)):
            for item, other in zip(value, shown, strict=True):
                self._note(item, other)
        elif type(value) is type(shown) and hasattr(value, "__dict__"):
            for name, item in vars(value).items():
                self._note(item, vars(shown).get(name))
        else:  # a set is masked as a whole
            self._collect(value)

    def _collect(self, value: Any, depth: int = 0) -> None:
        """Remember all plain texts in a value."""
        if hasattr(type(value), "get_secret_value"):
            value = value.get_secret_value()
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if isinstance(value, str) and value != MASK:
            self._plain |= {value, repr(value)[1:-1], json.dumps(value)[1:-1]}  # as it stands in code, and in JSON
        elif depth < _DEEPEST and isinstance(value, (dict, list, tuple, set, frozenset)):
            for item in dict.values(value) if isinstance(value, dict) else value:
                self._collect(item, depth + 1)

    def _clean_histories(self) -> None:
        """A history holds what was there before: raw input, and what it overrode."""
        for _, node in named_branches(self.copy):
            for key, record in node.__origins__.items():
                node.__origins__[key] = rewritten(record, self._clean_value)

    def _clean_value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.clean(value)
        text = repr(value)
        return value if self.clean(text) == text else Shown(self.clean(text))


def _put(node: BaseConfig, key: Any, value: Any) -> None:
    """Set a key of a copy as if it had never been another value."""
    raw_set(node, key, value)
    if key in node.__origins__:
        node.__origins__[key] = newest(node.__origins__[key])
    if node.__extra__ is not None:
        node.__extra__.forget(key)


def cleaned(data: Any, clean: Callable[[str], str]) -> Any:
    """Plain data with each text in it cleaned."""
    if isinstance(data, str):
        return clean(data)
    if isinstance(data, Mapping):
        return {key: cleaned(value, clean) for key, value in data.items()}
    if isinstance(data, Iterable):
        return [cleaned(item, clean) for item in data]
    return data


__all__ = ["Hidden", "cleaned"]
