"""Overrides: `opt.ini.lr=0.1` from a command line, applied after inheritance and before dependencies."""

from __future__ import annotations

import pkgutil
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from ..errors import OverrideError, short_repr
from ..tree.config import BaseConfig, Config
from ..tree.copying import graft
from ..tree.keys import format_path, parse_path, suggest
from ..tree.node import adopt, blank
from ..tree.origin import Place
from ..tree.walk import named_branches, named_leaves
from .schema_fields import MASK, Fields, annotation_at, fields_at, is_secret_type, takes_text_only
from .yaml_text import parse_scalar

_UNSAFE = str.maketrans({"/": "-", "\\": "-", "\0": "-", "\n": " "})


@dataclass(frozen=True)
class Override:
    """One `key=value`.

    Attributes:
        text: as the user wrote it.
        keys: the path.
        value: the part after the '='.
        new: whether the key may be a new one (`+key=value`).
        secret: whether the key is declared as a secret, which is written nowhere.
    """

    text: str
    keys: tuple[Hashable, ...]
    value: str
    new: bool
    secret: bool = False

    @property
    def folder_suffix(self) -> str:
        """What it appends to the name of the result folder."""
        return f",{format_path(self.keys)}={'hidden' if self.secret else self.value}".translate(_UNSAFE)


def parse_override(text: str) -> Override:
    """The parts of an override.

    Raises:
        OverrideError: it has no '=' or no path before it.
    """
    path, equals, value = _split(text)
    new = path.startswith("+")
    if not equals:
        raise OverrideError(text, "has no '='", hint="write key=value, for example opt.ini.lr=0.1")
    try:
        keys = parse_path(path.removeprefix("+").strip())
    except ValueError as error:
        raise OverrideError(text, str(error), hint="write key=value, for example opt.ini.lr=0.1") from error
    return Override(text, keys, value.strip(), new)


def _split(text: str) -> tuple[str, str, str]:
    """At the first '=' that is not inside brackets: keys may have one in their name."""
    depth = 0
    for i, char in enumerate(text):
        depth += (char == "[") - (char == "]")
        if char == "=" and depth <= 0:
            return text[:i].strip(), "=", text[i + 1 :]
    return text.strip(), "", ""


def apply_overrides(tree: BaseConfig, overrides: Iterable[str]) -> list[Override]:
    """Set the overridden keys of an inherited tree, in place; returns what was applied.

    Raises:
        OverrideError: an unknown key without '+', or a value that cannot be read.
    """
    if isinstance(overrides, str):
        raise OverrideError(overrides, "overrides is a list of strings, not one string", hint=f"write [{overrides!r}]")
    applied = []
    for text in overrides:
        override = parse_override(text)
        override = replace(override, secret=is_secret_type(annotation_at(tree, override.keys)))
        _apply(tree, override)
        applied.append(override)
    return applied


def _apply(tree: BaseConfig, override: Override) -> None:
    node = _holder(tree, override)
    key = override.keys[-1]
    declared = fields_at(tree, override.keys[:-1])
    known = dict.__contains__(node, key) or (declared is not None and key in declared) or override.keys == ("rslt_dir",)
    if not known and not override.new:
        raise _unknown(tree, override, len(override.keys) - 1, node, declared)
    shown = f"{format_path(override.keys)}={MASK}" if override.secret else override.text
    place = Place(f"override '{shown}'", None, "override")
    value = _value(tree, override)
    if isinstance(value, dict):
        _set_subtree(node, key, value, place)
    else:
        node.__put__(key, value, place)


def _holder(tree: BaseConfig, override: Override) -> Any:
    """The node that holds the key, made where `+` or a schema allows it."""
    node: Any = tree
    for i, key in enumerate(override.keys[:-1]):
        value = dict.get(node, key)
        if isinstance(value, BaseConfig):
            node = value
            continue
        declared = fields_at(tree, override.keys[:i])
        if dict.__contains__(node, key) and not isinstance(value, BaseConfig):
            path = format_path(override.keys[: i + 1])
            raise OverrideError(override.text, f"'{path}' is {short_repr(value)}, which has no keys below it")
        if not override.new and not (declared is not None and key in declared):
            raise _unknown(tree, override, i, node, declared)
        child = blank(node.__child_class__(key))
        dict.__setitem__(node, key, child)
        node.__dict__[key] = child
        adopt(node, key, child)
        node = child
    return node


def _unknown(tree: BaseConfig, override: Override, at: int, node: Any, declared: Fields | None) -> OverrideError:
    known = [*dict.keys(node), *(declared or ())]
    prefix = override.keys[:at]
    suggestions = [format_path((*prefix, name, *override.keys[at + 1 :])) for name in suggest(override.keys[at], known)]
    if not suggestions:  # the right name, under another subtree?
        last = override.keys[-1]
        paths = [*(n for n, _ in named_leaves(tree)), *(n for n, _ in named_branches(tree) if n)]
        suggestions = [path for path in paths if parse_path(path)[-1] == last][:2]
    return OverrideError(
        override.text,
        f"there is no key '{format_path(override.keys[: at + 1])}'",
        suggestions,
        hint=f"to add it on purpose write +{override.text}",
    )


def _value(tree: BaseConfig, override: Override) -> Any:
    text = override.value
    if text.startswith("@"):
        return _imported(override, text[1:])
    annotation = annotation_at(tree, override.keys)
    if annotation is not None and takes_text_only(annotation):
        unquoted = parse_scalar(text) if text[:1] in ("'", '"') else text
        return None if text in ("", "null", "~") else unquoted
    try:
        return parse_scalar(text)
    except ValueError as error:
        raise OverrideError(
            override.text, f"its value cannot be read: {error}", hint="quote it to mean text"
        ) from error


def _imported(override: Override, name: str) -> Any:
    try:
        return pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise OverrideError(
            override.text, f"cannot import '{name}': {error}", hint="write @package.module.Name"
        ) from error


def _set_subtree(node: Any, key: Hashable, value: dict[Any, Any], place: Place) -> None:
    """A mapping merges into the subtree at the key, or becomes one, as a mapping in a YAML file would."""
    mine = dict.get(node, key)
    if isinstance(mine, BaseConfig):
        mine.__merge__(value, place)
        return
    child: Any = blank(Config)
    graft(child, value, place)
    node.__put__(key, child, place)
