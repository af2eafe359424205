"""Overrides: `opt.ini.lr=0.1` from a command line, applied after inheritance and before dependencies."""

from __future__ import annotations

import ast
import inspect
import numbers
import os
import pkgutil
import re
import typing
import zlib
from collections.abc import Container, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from ..errors import OverrideError, short_repr, together
from ..tree.config import BaseConfig, Config
from ..tree.copying import graft
from ..tree.fields import members
from ..tree.keys import format_path, parse_path, suggest
from ..tree.node import blank
from ..tree.origin import Place, newest, place
from ..tree.values import Deferred, Drop
from ..tree.walk import named_branches, named_leaves
from .declared_types import types_at
from .formats.omegaconf_texts import override_dependencies
from .formats.yaml_text import parse_scalar
from .problems import DOTTED_NAME
from .schema_fields import (
    MASK,
    allows_more,
    allows_none,
    annotation_at,
    fields_at,
    fields_of,
    schema_at,
    takes_text_only,
)
from .secrets import masked

_UNSAFE = str.maketrans({"/": "-", "\\": "-", **dict.fromkeys(map(chr, range(32)), " ")})


Path: TypeAlias = tuple[Hashable, ...]


@dataclass(frozen=True)
class Override:
    """One `key=value`.

    Attributes:
        text: as the user wrote it.
        keys: the path.
        value: the part after the '='.
        new: whether the key may be a new one (`+key=value`).
        drop: whether the key is removed (`~key`, or `~key=value` if that is what it has).
        public: the value with its secrets masked, if there are some: they are written nowhere.
        what: what messages call it.
    """

    text: str
    keys: tuple[Hashable, ...]
    value: str
    new: bool
    public: str | None = None
    drop: bool = False
    what: str = "override"

    @property
    def shown(self) -> str:
        """The whole of it, for messages."""
        sign = "+" * self.new + "~" * self.drop
        return self.text if self.public is None else f"{sign}{format_path(self.keys)}={self.public}"

    @property
    def folder_suffix(self) -> str:
        """What it appends to the name of the result folder."""
        value = self.value if self.public is None else self.public.replace(MASK, "hidden")
        plain = f",~{format_path(self.keys)}" if self.drop else f",{format_path(self.keys)}={value}"
        safe = plain.translate(_UNSAFE)
        return safe if safe == plain else f"{safe}~{zlib.crc32(plain.encode()):08x}"  # 'a/b' is not 'a-b'

    def error(self, reason: str, suggestions: Sequence[str] = (), hint: str = "") -> OverrideError:
        """The error to raise when it cannot be applied."""
        return OverrideError(self.shown, reason, suggestions, hint, what=self.what)


def parse_override(text: str) -> Override:
    """The parts of an override.

    Raises:
        OverrideError: it has no '=' or no path before it.
    """
    path, equals, value = _split(text)
    new, drop = path.startswith("+"), path.startswith("~")
    if not equals and not drop:
        raise OverrideError(text, "has no '='", hint="write key=value, for example opt.ini.lr=0.1")
    try:
        keys = parse_path(path.removeprefix("~" if drop else "+").removeprefix("+").strip())
    except ValueError as error:
        raise OverrideError(text, str(error), hint="write key=value, for example opt.ini.lr=0.1") from error
    return Override(text, keys, value.strip(), new, drop=drop)


def _split(text: str) -> tuple[str, str, str]:
    """At the first '=' that is not inside brackets: keys may have one in their name."""
    depth = 0
    for i, char in enumerate(text):
        depth += (char == "[") - (char == "]")
        if char == "=" and depth <= 0:
            return text[:i].strip(), "=", text[i + 1 :]
    return text.strip(), "", ""


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


def public_value(text: str, types: list[Any]) -> str | None:
    """The text of a value without the secrets in it; None if there are none."""
    try:
        value = parse_scalar(text)
    except ValueError:
        value = text
    shown = masked(value, types)
    return None if shown is value else str(shown)


def _apply(tree: BaseConfig, override: Override) -> None:
    node, at = _holder(tree, override)
    if override.drop:
        return _drop(tree, override, node, at)
    keys = override.keys[: at + 1]
    rest = _indices(dict.get(node, keys[-1]), override.keys[at + 1 :])
    mine = dict.get(node, keys[-1])
    old = _item(mine, *rest)
    value = _value(tree, override, (*keys, *rest), old)
    if isinstance(value, str) and isinstance(mine, BaseConfig):
        _refuse_option(override, mine, value)
    _check_fit(tree, override, (*keys, *rest), old, value)
    if rest:
        value = _inside(tree, override, dict.__getitem__(node, keys[-1]), keys, rest, value)
    elif not _is_known(tree, node, keys) and keys != ("rslt_dir",):
        _refuse_unknown(tree, override, node, keys)
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
    if override.value and mine != (wanted := _value(tree, override, keys, mine)):
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


# -- values


def _value(tree: BaseConfig, override: Override, keys: Path, old: Any) -> Any:
    """The value, in the place of the old one: where that is a tuple or a list, what Python reads as a tuple is one."""
    text = override.value
    if text.startswith("@"):
        return _imported(override, text[1:])
    annotation = annotation_at(tree, keys)
    quoted = text[:1] in ("'", '"')
    if annotation is not None and takes_text_only(annotation) and not quoted:
        return None if text in ("", "null", "~") and allows_none(annotation) else text
    try:
        value = _computed(override, parse_scalar(text), keys)
        return _as_tuple(text) if value == text and _is_sequence(old, annotation) else value
    except OverrideError:
        raise
    except ValueError as error:
        reason = "its value cannot be read" if override.public else f"its value cannot be read: {error}"
        raise override.error(reason, hint=_hint_for_unreadable(override)) from error


def _hint_for_unreadable(override: Override) -> str:
    opened, closed = (sum(map(override.value.count, brackets)) for brackets in ("[{(", "]})"))
    if opened <= closed:
        return "quote it to mean text"
    option = "-o" if override.what == "override" else override.what
    whole = f"{option} '{format_path(override.keys)}=[a, b]'"
    return f"its brackets are not closed; in a shell put all of it in quotes: {whole}"


# -- what is replaced


def _check_fit(tree: BaseConfig, override: Override, path: Path, old: Any, new: Any) -> None:
    """Refuse a value that is hardly meant in the place of the old one; what a schema declares is for it to say."""
    if annotation_at(tree, path) is not None or override.value.startswith("@") or isinstance(new, Deferred):
        return
    types = types_at(tree, path)
    if isinstance(old, dict) and dict.__len__(old) and not isinstance(new, dict) and override.value not in _NULLS:
        name = format_path(path)
        what = short_repr(masked(new, types)) if override.value else "nothing"
        removal = f"~{name} removes it, " if isinstance(old, BaseConfig) else ""
        hint = f"name a key below it, or write {name}={{...}}; {removal}{name}=null makes it None"
        raise override.error(f"{what} would replace '{name}' and all that is below it", hint=hint)
    if isinstance(new, str) and new == override.value and _is_misread(old, new):  # as it stands: nobody has quoted it
        reason = f"{short_repr(masked(new, types))} would be text, where {short_repr(masked(old, types))} stands"
        raise override.error(reason, hint=_hint_for_text(override, path, old, new))


_NULLS = ("null", "Null", "NULL", "~")  # as YAML writes it on purpose
_OF_PYTHON = {"None": "null", "inf": ".inf", "-inf": "-.inf", "nan": ".nan"}
_OF_NUMBERS = re.compile(r"(?=.*\d)[-+\d\s.,;:eE()\[\]{}]+")


def _is_misread(old: Any, text: str) -> bool:
    """Whether a text was hardly meant as one: numbers with a slip, a value of Python, a misspelt `true`, a class.

    Words are meant: `devices=auto` in the place of 1.
    """
    if isinstance(old, type) or inspect.isroutine(old):
        return True
    if isinstance(old, bool) and suggest(text.lower(), ("true", "false")):
        return True
    is_of_python = text in _OF_PYTHON or _OF_NUMBERS.fullmatch(text) is not None
    return isinstance(old, (numbers.Number, list, tuple)) and is_of_python


def _is_sequence(old: Any, annotation: Any) -> bool:
    """Whether a list or tuple stands at a key, or is the only thing that its schema can read a text as."""
    if annotation is None:
        return isinstance(old, (list, tuple))
    kinds = [typing.get_origin(one) or one for one in members(annotation)]
    sequences = [one for one in kinds if isinstance(one, type) and issubclass(one, Sequence)]
    return bool(sequences) and not any(issubclass(one, (str, bytes)) for one in sequences)


def _as_tuple(text: str) -> Any:
    """The tuple that a text is in Python, else the text."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text
    return value if isinstance(value, tuple) else text


def _hint_for_text(override: Override, path: Path, old: Any, new: str) -> str:
    if override.public is not None:
        return ""
    name = format_path(path)
    quoted = f'text is quoted: "{name}={new!r}"'
    if new in _OF_PYTHON:
        return f"YAML writes it {_OF_PYTHON[new]}; {quoted}"
    if isinstance(old, (list, tuple)):
        return f"a list is written [1, 2]; {quoted}"
    is_name = not isinstance(old, numbers.Number) and DOTTED_NAME.fullmatch(new)
    return f"a class is imported: {name}=@{new}; {quoted}" if is_name else quoted


def _computed(override: Override, value: Any, keys: Path) -> Any:
    """The value, with dependencies in the place of OmegaConf's interpolations: `wd=${lr}`."""
    if "${" not in override.value:
        return value

    def refuse(at: Path, reason: str, hint: str) -> OverrideError:
        return override.error(reason, hint=hint)

    return override_dependencies(value, keys, any(isinstance(key, int) for key in keys), refuse)


def _imported(override: Override, name: str) -> Any:
    try:
        return pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        hint = "write @package.module.Name, or quote the value to mean text"
        why = f"cannot import '{name}': {error}" if name else "names nothing to import"
        reason = why if override.public is None else "its value cannot be imported"
        raise override.error(reason, hint=hint) from error


def _set_subtree(node: Any, key: Hashable, value: dict[Any, Any], place: Place) -> None:
    """A mapping merges into the subtree at the key, or becomes one, as a mapping in a YAML file would."""
    mine = dict.get(node, key)
    if isinstance(mine, BaseConfig):
        mine.__merge__(value, place)
        return
    child: Any = blank(Config)
    graft(child, value, place)
    node.__put__(key, child, place)
