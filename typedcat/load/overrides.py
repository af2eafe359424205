"""Overrides: `opt.ini.lr=0.1` from a command line, applied after inheritance and before dependencies."""

from __future__ import annotations

import os
from collections.abc import Container, Hashable, Iterable
from dataclasses import replace
from typing import Any

from ..errors import OverrideError, short_repr, together
from ..tree.config import BaseConfig, Config
from ..tree.copying import graft
from ..tree.keys import format_path, parse_path, suggest
from ..tree.node import blank
from ..tree.origin import Place, newest, place
from ..tree.values import Drop
from ..tree.walk import named_branches, named_leaves
from .declared_types import types_at
from .override import Override, Path, parse_override, public_value
from .override_values import check_fit, value_of
from .schema_fields import allows_more, fields_at, fields_of, schema_at
from .secrets import masked

__all__ = ["apply_override", "apply_overrides"]


def apply_overrides(tree: BaseConfig, overrides: Iterable[str], chosen: Container[str] = ()) -> list[Override]:
    """Set the overridden keys of an inherited tree, in place; returns what was applied.

    Args:
        tree: the tree.
        overrides: `key=value` each.
        chosen: those that Hydra has applied already, as they choose the option of a config group.

    Raises:
        OverrideError: an unknown key without '+', or a value that cannot be read; of several, the first, with notes on
            the others.
    """
    if not isinstance(overrides, Iterable):
        raise TypeError(f"overrides is a list of strings, got {short_repr(overrides)}")
    if isinstance(overrides, str):
        raise OverrideError(overrides, "overrides is a list of strings, not one string", hint=f"write [{overrides!r}]")
    applied, errors = [], []
    for text in overrides:
        try:
            if text not in chosen:
                applied.append(_applied(tree, text))
            else:  # the folder is named after it as well
                applied.append(parse_override(text))
        except OverrideError as error:
            errors.append(error)
    if errors:
        raise together(errors)
    return applied


def _applied(tree: BaseConfig, text: str) -> Override:
    if not isinstance(text, str):
        raise OverrideError(str(text), "an override is a string", hint="write 'key=value'")
    return apply_override(tree, parse_override(text))


def apply_override(tree: BaseConfig, override: Override) -> Override:
    """Set one key of an inherited tree, in place; returns the override with its secrets masked.

    Raises:
        OverrideError: see `apply_overrides`.
    """
    override = replace(override, public=public_value(override.value, types_at(tree, override.keys)))
    _apply(tree, override)
    return override


def _apply(tree: BaseConfig, override: Override) -> None:
    node, at = _holder(tree, override)
    if override.drop:
        return _drop(tree, override, node, at)
    keys = override.keys[: at + 1]
    rest = _indices(dict.get(node, keys[-1]), override.keys[at + 1 :])
    mine = dict.get(node, keys[-1])
    old = _item(mine, *rest)
    value = value_of(tree, override, (*keys, *rest), old)
    if isinstance(value, str) and isinstance(mine, BaseConfig):
        _refuse_option(override, mine, value)
    if not rest and not _is_known(tree, node, keys) and keys != ("rslt_dir",):
        _refuse_unknown(tree, override, node, keys)
    check_fit(tree, override, (*keys, *rest), old, value)
    if rest:
        value = _inside(tree, override, dict.__getitem__(node, keys[-1]), keys, rest, value)
    place = Place(f"override '{override.shown}'", None, "override")
    if isinstance(value, dict) and type(mine) is not dict:
        _check_keys(tree, override, keys, value)
        _set_subtree(node, keys[-1], value, place)
    else:
        node.__put__(keys[-1], value, place)


def _drop(tree: BaseConfig, override: Override, node: Any, at: int) -> None:
    """Remove a key; a list or plain dict is one value, of which nothing is removed."""
    keys = override.keys[: at + 1]
    if at < len(override.keys) - 1:
        hint = f"give '{format_path(keys)}' a new value as a whole"
        raise override.error(f"'{format_path(override.keys)}' is inside of a list or dict", hint=hint)
    if dict.get(node, keys[-1], Drop) is Drop:
        if _is_known(tree, node, keys):
            raise override.error(f"'{format_path(keys)}' is not set")
        _refuse_unknown(tree, override, node, keys)
    mine = dict.__getitem__(node, keys[-1])
    if override.value and mine != (wanted := value_of(tree, override, keys, mine)):
        types = types_at(tree, keys)
        shown = f"is {short_repr(masked(mine, types))}, not {short_repr(masked(wanted, types))}"
        raise override.error(f"'{format_path(keys)}' {shown}, and stays")
    node.__put__(keys[-1], Drop, Place(f"override '{override.shown}'", None, "override"))


def _refuse_option(override: Override, group: BaseConfig, option: str) -> None:
    """An error for the option of a group, where Hydra has composed the config already; it would replace the subtree."""
    files = {place(newest(record)).file for record in group.__origins__.values()}
    for folder in {os.path.dirname(file) for file in files if file.endswith(".yaml")}:
        if os.path.basename(folder) == override.keys[-1] and os.path.isfile(os.path.join(folder, f"{option}.yaml")):
            raise override.error(
                f"'{format_path(override.keys)}' is a group of a Hydra config, which is composed already",
                hint="choose the option in a config that starts from that one: "
                f"defaults: [config, {{override {override.keys[-1]}: {option}}}, _self_]",
            )


def _holder(tree: BaseConfig, override: Override) -> tuple[Any, int]:
    """The node that holds a key of the path, and which one: the rest lies inside of a plain dict or list.

    Subtrees are made on the way where `+` or a schema allows it.
    """
    node: Any = tree
    for i, key in enumerate(override.keys[:-1]):
        value = dict.get(node, key)
        path = override.keys[: i + 1]
        if isinstance(value, BaseConfig):
            node = value
            continue
        if type(value) in (dict, list):
            return node, i
        if dict.get(node, key, Drop) is not Drop and not (value is None and schema_at(tree, path) is not None):
            raise _no_keys_below(tree, override, path, value)
        if not _is_known(tree, node, path):
            _refuse_unknown(tree, override, node, path)
        child: Any = blank(node.__child_class__(key))
        node.__put__(key, child, Place(f"override '{override.shown}'", None, "override"))
        node = dict.__getitem__(node, key)
    return node, len(override.keys) - 1


def _no_keys_below(tree: BaseConfig, override: Override, path: Path, value: Any) -> OverrideError:
    shown = short_repr(masked(value, types_at(tree, path)))
    return override.error(f"'{format_path(path)}' is {shown}, which has no keys below it")


def _is_known(tree: BaseConfig, node: Any, path: Path) -> bool:
    return dict.get(node, path[-1], Drop) is not Drop or path[-1] in (fields_at(tree, path[:-1]) or ())


def _refuse_unknown(tree: BaseConfig, override: Override, node: Any, path: Path) -> None:
    """An error for a new key, unless it was written with `+` and the schema, if there is one, is open."""
    schema = schema_at(tree, path[:-1])
    if override.new and (schema is None or allows_more(schema)):
        return
    known = [*dict.keys(node), *(fields_of(schema) if schema is not None else ())]
    rest = override.keys[len(path) :]
    suggestions = [format_path((*path[:-1], name, *rest)) for name in suggest(path[-1], known)]
    if not suggestions:  # the right name, under another subtree?
        last = max(path, override.keys, key=len)[-1]
        paths = [*(n for n, _ in named_leaves(tree)), *(n for n, _ in named_branches(tree) if n)]
        suggestions = [name for name in paths if parse_path(name)[-1] == last][:2]
    if schema is not None and not allows_more(schema):
        raise override.error(f"{schema.__name__} declares no key '{format_path(path)}'", suggestions)
    reason = f"there is no key '{format_path(path)}'"
    hint = "" if override.drop else f"to add it on purpose write +{override.shown}"
    raise override.error(reason, suggestions, hint=hint)


def _check_keys(tree: BaseConfig, override: Override, path: Path, value: dict[Any, Any]) -> None:
    """The keys of a mapping that merges into a subtree have to be known as well."""
    work = [(path, value)]
    for at, mapping in work:
        node: Any = tree
        for key in at:
            node = dict.get(node, key) if isinstance(node, BaseConfig) else None
        if not isinstance(node, BaseConfig) and schema_at(tree, at) is None:
            continue
        for key, inner in mapping.items():
            if not _is_known(tree, node if isinstance(node, BaseConfig) else {}, (*at, key)):
                _refuse_unknown(tree, override, node if isinstance(node, BaseConfig) else {}, (*at, key))
            if isinstance(inner, dict):
                work.append(((*at, key), inner))


# -- inside of plain dicts and lists


def _indices(value: Any, keys: Path) -> Path:
    """The keys with numbers for the items of lists: `steps.0` means `steps[0]`."""
    found: list[Hashable] = []
    for key in keys:
        if type(value) is list and isinstance(key, str) and key.removeprefix("-").isdigit():
            key = int(key)
        found.append(key)
        value = _item(value, key)
    return tuple(found)


def _item(value: Any, *keys: Any) -> Any:
    """What lies inside of a value; None if there is nothing."""
    for key in keys:
        if type(value) is dict:
            value = value.get(key)
        else:
            is_there = type(value) is list and isinstance(key, int) and -len(value) <= key < len(value)
            value = value[key] if is_there else None
    return value


def _inside(tree: BaseConfig, override: Override, leaf: Any, path: Path, rest: Path, new: Any) -> Any:
    """A copy of a plain dict or list with one value changed; the original may be shared with a base."""
    key, below = rest[0], rest[1:]
    at = (*path, key)
    if type(leaf) is list:
        if not isinstance(key, int) or not -len(leaf) <= key < len(leaf):
            raise override.error(f"'{format_path(path)}' is a list of {len(leaf)}, which has no [{key!r}]")
    elif type(leaf) is not dict:
        raise _no_keys_below(tree, override, path, leaf)
    elif key not in leaf and not override.new:
        suggestions = [format_path((*path, name, *below)) for name in suggest(key, leaf)]
        hint = f"to add it on purpose write +{override.shown}"
        raise override.error(f"there is no key '{format_path(at)}'", suggestions, hint)
    changed: Any = leaf.copy()
    old = _item(leaf, key)
    changed[key] = _inside(tree, override, {} if old is None else old, at, below, new) if below else new
    return changed


def _set_subtree(node: Any, key: Hashable, value: dict[Any, Any], place: Place) -> None:
    """A mapping merges into the subtree at the key, or becomes one, as a mapping in a YAML file would."""
    mine = dict.get(node, key)
    if isinstance(mine, BaseConfig):
        mine.__merge__(value, place)
        return
    child: Any = blank(Config)
    graft(child, value, place)
    node.__put__(key, child, place)
