"""OmegaConf's interpolations (`${a.b}`), computed in a typedcat config.

The grammar is OmegaConf's own, from its parser; what a text names is looked up in the typedcat config, so that it is
computed anew when what it reads is overridden or inherited. A name counts from the root of the file that it stands in,
wherever that file is mounted, and, if it is not there, from the root of the whole config.
"""

from __future__ import annotations

import contextvars
import copy
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...errors import DependencyCycleError, InterpolationError, MissingKeyError, short_repr
from ...tree.anchors import climb
from ...tree.config import BaseConfig, Config
from ...tree.copying import to_dict
from ...tree.keys import format_path, suggest
from ...tree.node import WHOLE_CONFIG, level_of, path_of, root_of
from ...tree.origin import newest, place
from ...tree.values import Dependency, dependencies_in
from .builder import KeyPath
from .extras import needed
from .resolvers import as_omegaconf, call_resolver

__all__ = ["KEEP_TEXT", "Interpolation", "visited"]

KEEP_TEXT = r"for text that has '${' in it write '\${'"
_LITERALS = (dict, list, tuple)


class Interpolation:
    """The function of a dependency that stands for a text with interpolations.

    Args:
        text: as it is written.
        at: the path of keys and indices from the root of its file to the text.
        in_list: whether it stands somewhere inside of a list, where dicts are no subtrees.
        hydra: what Hydra knows of the job, for `${hydra:...}`; None outside of Hydra.
    """

    def __init__(self, text: str, at: KeyPath, in_list: bool = False, hydra: Mapping[str, Any] | None = None) -> None:
        self.text = text
        self.at = at
        self.in_list = in_list
        self.hydra = hydra if hydra is not None and "hydra:" in text else None
        self.__qualname__ = repr(text)  # what messages call it

    def __call__(self, top: Any) -> Any:
        """The value, in the tree whose root, or the root of whose file, is `top`."""
        parser = needed("omegaconf.grammar_parser", "omegaconf", f"{format_path(self.at)} = {self.text!r}")
        tree = parser.parse(self.text)
        lookup = Lookup(self, top, _is_one_name(tree))
        return self._as_value(visited(tree, lookup.named, lookup.resolved))

    def _as_value(self, value: Any) -> Any:
        """What may stand in a config: subtrees where there can be some, plain containers elsewhere."""
        value = without_nodes(value)
        if isinstance(value, BaseConfig):
            return to_dict(value) if self.in_list else value
        if type(value) is dict and not self.in_list:
            return Config(value)
        return copy.copy(value) if type(value) in (dict, list) else value


def without_nodes(value: Any) -> Any:
    """A plain value instead of one of OmegaConf's."""
    omegaconf = needed("omegaconf", "omegaconf", "an interpolation")
    if isinstance(value, omegaconf.Container):
        return omegaconf.OmegaConf.to_container(value, resolve=True)
    return value._value() if isinstance(value, omegaconf.Node) else value


def visited(tree: Any, named: Callable[..., Any], resolved: Callable[..., Any]) -> Any:
    """The value of a parsed text: `named` is asked for `${name}`, `resolved` for `${name:arguments}`."""
    from omegaconf.grammar_visitor import GrammarVisitor

    return GrammarVisitor(named, resolved, memo=None).visit(tree)


def _is_one_name(tree: Any) -> bool:
    """Whether a parsed text is nothing but `${a.b}`, so that its value is what is there, of any type."""
    text = tree.getChild(0)
    only = text.getChild(0) if text.getChildCount() == 1 else None
    return only is not None and only.getChildCount() == 1 and "NodeContext" in type(only.getChild(0)).__name__


class Lookup:
    """Answers what one interpolation asks while it is computed."""

    def __init__(self, of: Interpolation, top: BaseConfig, whole: bool) -> None:
        self.text = of.text
        self.at = of.at
        self.hydra = of.hydra
        self.top = top
        self.whole = whole  # the text is nothing but one name

    def named(self, name: str, memo: object = None) -> Any:
        """What the grammar asks for `${name}`."""
        value = self.find(name)
        return value if self.whole else as_omegaconf(value)

    def resolved(self, name: str, args: tuple[Any, ...], args_str: tuple[str, ...]) -> Any:
        """What the grammar asks for `${name:args}`."""
        return call_resolver(self, name, args, args_str)

    def parsed(self, text: str) -> Any:
        """The value of one element of the grammar (`oc.decode`)."""
        from omegaconf.grammar_parser import parse

        tree = parse(text, parser_rule="singleElement", lexer_mode="VALUE_MODE")
        return visited(tree, lambda name, memo=None: as_omegaconf(self.find(name)), self.resolved)

    def find(self, name: str) -> Any:
        """The value of a name, absolute or relative, computed.

        Raises:
            MissingKeyError: there is none.
            InterpolationError: something on the way has no keys.
        """
        from omegaconf._utils import split_key

        rest = name.lstrip(".")
        steps = split_key(rest)
        dots = len(name) - len(rest)
        if not dots:
            return _walk(self.top if _has(self.top, steps[0]) else root_of(self.top), steps)
        start: Any = self.top
        above = self.at[:-1]
        for _ in range(dots - 1):
            if above:
                above = above[:-1]
            elif start.__parent__ is not None:
                start = start.__parent__
            else:
                raise InterpolationError(f"'{name}' begins above the root of the config")
        return _walk(start, [*above, *steps])


# -- the way down to a value


def _has(node: Any, step: Any) -> bool:
    return dict.__contains__(node, _key(node, step))


def _key(holder: Any, step: Any) -> Any:
    """The key of a dict that a step means: `${a.1}` reads an int, if that is what is there."""
    if isinstance(step, str) and not dict.__contains__(holder, step) and step.removeprefix("-").isdigit():
        return int(step)
    return step


class _Slot:
    """The key of a node whose value is on the way, and where its dependencies start."""

    def __init__(self, node: BaseConfig, key: Any) -> None:
        self.node = node
        self.key = key

    def start(self, dependency: Any) -> Any:
        anchors = self.node.__extra__.anchors if self.node.__extra__ is not None else {}
        up, down = anchors.get(self.key, (level_of(self.node), ()))
        return climb(self.node, (up, (*down, *dependency.down)) if dependency.rel else WHOLE_CONFIG)

    @property
    def place(self) -> str:
        record = self.node.__origins__.get(self.key)
        return str(place(newest(record))) if record is not None else "an unknown place"


def _walk(start: Any, steps: Sequence[Any]) -> Any:
    """The computed value at the end of some steps.

    A list with dependencies in it is not computed as a whole when one of its items is asked for: another item may be
    what asks.
    """
    value, slot = start, None
    for i, step in enumerate(steps):
        if isinstance(value, BaseConfig):
            key = _key(value, step)
            if not dict.__contains__(value, key):
                raise _missing(path_of(value, key), key, dict.keys(value))
            raw = dict.__getitem__(value, key)
            is_last = i == len(steps) - 1
            if type(raw) in _LITERALS and not is_last and next(dependencies_in(raw), None) is not None:
                value, slot = raw, _Slot(value, key)
            else:
                value = value[key]
            continue
        value = _item(value, step, steps[:i])
        if isinstance(value, Dependency) and slot is not None:
            value = _computed_item(value, slot)
    return value if slot is None else _computed(value, slot)


def _item(value: Any, step: Any, before: Sequence[Any]) -> Any:
    path = format_path(tuple(before))
    if isinstance(value, dict):
        key = _key(value, step)
        if key not in value:
            raise _missing(format_path((*before, key)), key, value)
        return value[key]
    if not isinstance(value, (list, tuple)):
        raise InterpolationError(f"reads '{step}' of '{path}', which is {short_repr(value)} and has no keys")
    try:
        return value[int(step)]
    except ValueError:
        raise InterpolationError(f"reads '{step}' of '{path}', which is a list: write {path}[0]") from None
    except IndexError:
        raise InterpolationError(f"reads item {step} of '{path}', which has {len(value)}") from None


def _missing(path: str, key: Any, known: Any) -> MissingKeyError:
    suggestions = suggest(key, known)
    if isinstance(key, str) and path == key and (key in os.environ or key.isupper()):
        way_out = f" (the environment variable is '${{oc.env:{key}}}'; {KEEP_TEXT})"
    else:
        way_out = "" if suggestions else f" ({KEEP_TEXT})"
    return MissingKeyError(path, f"there is no such key{way_out}", suggestions)


_computing: contextvars.ContextVar[tuple[tuple[Any, ...], ...]] = contextvars.ContextVar("computing", default=())


def _computed_item(dependency: Any, slot: _Slot) -> Any:
    """The value of a dependency inside of a list."""
    mark = (id(slot.node), slot.key, id(dependency))
    if mark in _computing.get():
        raise DependencyCycleError([(path_of(slot.node, slot.key), slot.place)])
    token = _computing.set((*_computing.get(), mark))
    try:
        return dependency(slot.start(dependency))
    finally:
        _computing.reset(token)


def _computed(value: Any, slot: _Slot) -> Any:
    """A container with every dependency in it computed."""
    if isinstance(value, Dependency):
        return _computed_item(value, slot)
    if type(value) is dict:
        return {key: _computed(item, slot) for key, item in value.items()}
    return type(value)(_computed(item, slot) for item in value) if type(value) in (list, tuple) else value
