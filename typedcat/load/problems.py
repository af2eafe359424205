"""What pydantic finds wrong, as problems of a config: the key, who set it, what it overrode, what would be right."""

from __future__ import annotations

import re
import typing
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..errors import Problem, ValidationError, as_config, short_path, short_repr
from ..tree.config import BaseConfig, Config
from ..tree.fields import classes_in, may_be_subtree
from ..tree.keys import format_path, suggest
from ..tree.merge import schema_of
from ..tree.node import path_to, plain_class
from ..tree.origin import history
from ..tree.values import Deferred
from ..tree.walk import named_leaves
from .declared_types import Types, alternatives, own_types, slot_types, types_below
from .schema_fields import (
    MASK,
    allows_more,
    annotation_below,
    fields_of,
    is_schema,
    nested_schema,
    outermost,
)
from .secrets import masked
from .validators import WRONG_CLASS

Path = tuple[Hashable, ...]


class _Spot:
    """Where pydantic's location leads in a tree: a node, a key in it, and the way on inside the value of that key."""

    def __init__(self, node: BaseConfig, declared: Any, loc: Iterable[Any], missing: bool) -> None:
        self.path: Path = path_to(node)
        self.holder: Any = node
        self.key: Hashable = None
        self.has_key = False
        self.rest: list[Hashable] = []
        self.declared = declared  # the type of what the location leads to
        self.around: Any = None  # the type of what holds that
        self.types = [declared]  # all that it may be declared as, which tells secrets
        parts = list(loc)
        value: Any = node
        for i, part in enumerate(parts):
            value = self._step(value, part, missing and i == len(parts) - 1)

    def _step(self, value: Any, part: Any, is_missing: bool) -> Any:
        """Go down by one part, if it is a key: pydantic also puts the members of unions into its locations."""
        schema = nested_schema(self.declared)
        field = fields_of(schema).get(part) if schema is not None and isinstance(part, str) else None
        known = isinstance(value, dict) and dict.__contains__(value, part)
        if isinstance(value, (list, tuple)):
            if not isinstance(part, int) or part >= len(value):
                return value
            below = value[part]
        elif isinstance(value, dict) and (known or field is not None or is_missing):
            part = part if known or field is None else field.name
            below = dict.get(value, part)
        else:
            return value
        self.path = (*self.path, part)
        if isinstance(value, BaseConfig):
            self.holder, self.key, self.has_key = value, part, True
            self.rest.clear()
        else:
            self.rest.append(part)
        self.around = self.declared
        own = schema_of(below) if isinstance(below, BaseConfig) else None
        self.types = [own] if own is not None else types_below(self.types, part)
        self.declared = own or annotation_below(self.declared, part)
        return below

    @property
    def is_unknown_yet(self) -> bool:
        return self.has_key and unknown_yet(dict.get(self.holder, self.key))


def unknown_yet(value: Any) -> bool:
    """Whether a value is, or contains, one that is not computed or chosen yet."""
    work = [value]
    for one in work:
        if isinstance(one, Deferred):
            return True
        if isinstance(one, dict):
            work.extend(dict.values(one))
        elif type(one) in (list, tuple):
            work.extend(one)
    return False


def problems_of(node: BaseConfig, declared: Any, errors: Iterable[Any]) -> list[Problem]:
    """The errors of pydantic about a node, or about the value of a key if `loc` begins with it."""
    found: list[tuple[Path, str, Problem]] = []
    for error in errors:
        spot = _Spot(node, declared, error["loc"], error["type"] == "missing")
        if not spot.is_unknown_yet:
            found.append((spot.path, error["type"], _problem(spot, error)))
    return [problem for path, kind, problem in found if not _is_beside_the_point(path, kind, found)]


def _is_beside_the_point(path: Path, kind: str, found: list[tuple[Path, str, Problem]]) -> bool:
    """Whether it only says that a subtree is none of the other members of a union: there is a problem inside of it."""
    if kind in ("unknown_key", "extra_forbidden", "missing"):
        return False
    return any(
        (len(other) > len(path) and other[: len(path)] == path)
        or (other == path and kind == WRONG_CLASS and its != WRONG_CLASS)
        for other, its, _ in found
    )


def _problem(spot: _Spot, error: Any) -> Problem:
    path = format_path(spot.path) or "cfg"
    kind, value = error["type"], error["input"]
    if kind == "missing":
        return Problem(path, None, "is required, and nothing has set it", "", "missing")
    place, overrode = _story(spot.holder, spot.key) if spot.has_key else ("", ())
    if kind == "extra_forbidden":
        schema = nested_schema(spot.around)
        known = fields_of(schema) if schema is not None else ()
        return _unknown(path, spot.rest[-1] if spot.rest else spot.key, value, place, overrode, known)
    if kind in ("value_error", "assertion_error") and isinstance(value, Mapping):
        return Problem(path, None, _in_words(error, spot), place, "conflict", overrode)
    shown = masked(value, spot.types)
    hint = _hint_for(shown, spot, place)
    return Problem(path, shown, _in_words(error, spot), place, kind, overrode, hint=hint)


def _hint_for(value: Any, spot: _Spot, place: str) -> str:
    """A way out for a value of another kind than the declared one."""
    kinds = [typing.get_origin(one) or one for one in alternatives([spot.declared])]
    if (
        type(value) is dict
        and not spot.rest
        and any(isinstance(one, type) and issubclass(one, Config) for one in kinds)
    ):
        return f"a dict that is assigned is one value; a subtree is written {as_config(value)}"
    is_name = isinstance(value, str) and DOTTED_NAME.fullmatch(value)
    if is_name and type in kinds and place.startswith(("override ", "-p ")):  # files have imports of their own
        return f"write {format_path(spot.path)}=@{value} to import it"
    return ""


DOTTED_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")  # of something in a module


def _unknown(
    path: str, key: Hashable, value: Any, place: str, overrode: tuple[str, ...], known: Iterable[str]
) -> Problem:
    return Problem(path, value, "is an unknown key", place, "unknown_key", overrode, suggest(key, known))


def _in_words(error: Any, spot: _Spot) -> str:
    classes = classes_in(spot.declared)
    if error["type"] == "dict_type" and classes:
        return f"should be a subtree with the keys of {' or '.join(cls.__name__ for cls in classes)}"
    text: str = re.sub(r"^(Input|Value) should", "should", error["msg"])
    text = re.sub(r"^(Value error|Assertion failed), ", "", text)
    text = re.sub(r" for <class '[^']*'>$", "", text)
    return text[:1].lower() + text[1:]


def unknown_keys(top: BaseConfig, declared: Any) -> list[Problem]:
    """Keys that a model would silently ignore, wherever it stands, and those that are given under two names."""
    problems = []
    work: list[tuple[Any, Types, Path, tuple[Any, Hashable]]] = [(top, [declared], path_to(top), (top, None))]
    for value, types, path, slot in work:
        if not isinstance(value, dict):
            for i, item in enumerate(value):
                if isinstance(item, _HOLDERS):
                    work.append((item, types_below(types, i), (*path, i), slot))
            continue
        schema = schema_for(value, types)
        node = value if isinstance(value, BaseConfig) else None
        is_closed = node is not None and plain_class(node).__typed__  # which has refused such keys itself
        for key, item in dict.items(value):
            inside = (node, key) if node is not None else slot
            if isinstance(item, _HOLDERS):
                work.append((item, types_below(types if schema is None else [schema], key), (*path, key), inside))
            is_ours = key == "rslt_dir" and node is not None and node.__parent__ is None
            if schema is not None and not is_closed and not is_ours:
                problems += _misnamed(value, key, schema, (*path, key), inside)
    return problems


_HOLDERS = (dict, list, tuple)


def schema_for(value: dict[Any, Any], types: Types) -> Any:
    """The schema, out of what a mapping may be declared as, that its keys and `Literal` values speak for.

    Returns:
        None where any key may stand.
    """
    if own := own_types(value):
        return own[0]
    found = list(alternatives(types))
    if any(not is_schema(one) and may_be_subtree(one) for one in found):
        return None
    schemas = [one for one in found if is_schema(one)]
    fitting = [one for one in schemas if _literals_fit(value, one)] or schemas
    return min(fitting, key=lambda one: sum(key not in fields_of(one) for key in dict.keys(value)), default=None)


def _literals_fit(value: dict[Any, Any], schema: Any) -> bool:
    for name, field in fields_of(schema).items():
        kinds = [one for one in alternatives([field.annotation]) if typing.get_origin(one) is typing.Literal]
        if kinds and name in value and not any(dict.get(value, name) in typing.get_args(one) for one in kinds):
            return False
    return True


def _misnamed(
    holder: dict[Any, Any], key: Hashable, schema: Any, path: Path, slot: tuple[Any, Hashable]
) -> list[Problem]:
    """The problem with the name of a key of a mapping, if there is one; `slot` is where the mapping was set."""
    fields: Any = fields_of(schema)
    field = fields.get(key)
    if field is None and not allows_more(schema):
        return [_unknown(format_path(path), key, holder[key], *_story(*slot), fields)]
    if field is not None and field.name != key and dict.__contains__(holder, field.name):
        expected = f"is another name of '{field.name}', which is set as well"
        place, overrode = _story(*slot)
        return [Problem(format_path(path), None, expected, place, "conflict", overrode)]
    return []


def _story(holder: Any, key: Any) -> tuple[str, tuple[str, ...]]:
    """Where a value was set, and what it overrode."""
    if not dict.__contains__(holder, key):
        return "", ()
    value = dict.__getitem__(holder, key)
    steps = list(history(holder.__origins__.get(key), value))
    if not steps and isinstance(value, BaseConfig):  # a subtree that came to be when a key below it was set
        below = next((_story(at, inner) for _, (at, inner, _) in named_leaves(value)), ("", ()))
        return below[0], ()
    types = slot_types(holder, key)
    older = [f"{_text(masked(step.value, types))} ({step})" for step in steps[1:]]
    return (str(steps[0]) if steps else ""), tuple(older)


def _text(value: Any) -> str:
    return MASK if value is MASK else short_repr(value)


def united(problems: Iterable[Problem]) -> list[Problem]:
    """One problem per value: the members of a union are alternatives of one expectation."""
    found: dict[tuple[str, str, str], Problem] = {}
    for problem in problems:
        identity = problem.key, problem.place, short_repr(problem.value)
        had = found.get(identity)
        if had is None:
            found[identity] = problem
        elif problem.expected not in had.expected:
            expected = f"{had.expected}, or {problem.expected}"
            found[identity] = replace(had, expected=expected, hint=had.hint or problem.hint)
    return list(found.values())


def refusal(root: BaseConfig, problems: Iterable[Problem], source: str = "", name: str = "") -> ValidationError:
    """The error that lists the problems of a tree.

    Args:
        root: the tree.
        problems: what was found.
        source: the config, if it is not the file that the tree was read from.
        name: of the schema that it does not fit, if it is not the one of the tree.
    """
    where = source or (root.__extra__.source if root.__extra__ is not None else "") or "config"
    names = dict.fromkeys(schema_of(node).__name__ for node in outermost(root))
    return ValidationError(short_path(where), name or ", ".join(names), united(problems))


__all__ = ["DOTTED_NAME", "problems_of", "refusal", "united", "unknown_keys", "unknown_yet"]
