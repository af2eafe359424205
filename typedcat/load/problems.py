"""What pydantic finds wrong, as problems of a config: the key, who set it, what it overrode, what would be right."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..errors import Problem, ValidationError, short_path, short_repr
from ..tree.config import BaseConfig
from ..tree.fields import classes_in, members
from ..tree.keys import format_path, suggest
from ..tree.merge import schema_of
from ..tree.node import path_to, plain_class
from ..tree.origin import history
from ..tree.values import Deferred
from ..tree.walk import named_leaves
from .schema_fields import (
    MASK,
    allows_more,
    annotation_below,
    declared_nodes,
    fields_of,
    is_secret_type,
    nested_schema,
    outermost,
    schema_of_slot,
)
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
    return Problem(path, masked(value, [spot.declared]), _in_words(error, spot), place, kind, overrode)


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


def unknown_keys(node: BaseConfig, declared: Any) -> list[Problem]:
    """Keys that a model would silently ignore, and those that are given under two names."""
    problems = []
    for at, kind in declared_nodes(node, declared):
        schema = nested_schema(kind)
        if schema is None or plain_class(at).__typed__:
            continue
        fields = fields_of(schema)
        for key, value in dict.items(at):
            field = fields.get(key)
            if field is not None and (field.name == key or not dict.__contains__(at, field.name)):
                continue
            if field is None and (allows_more(schema) or (key == "rslt_dir" and at.__parent__ is None)):
                continue
            path = format_path((*path_to(at), key))
            place, overrode = _story(at, key)
            if field is None:
                problems.append(_unknown(path, key, value, place, overrode, fields))
            else:
                expected = f"is another name of '{field.name}', which is set as well"
                problems.append(Problem(path, None, expected, place, "conflict", overrode))
    return problems


def _story(holder: Any, key: Any) -> tuple[str, tuple[str, ...]]:
    """Where a value was set, and what it overrode."""
    if not dict.__contains__(holder, key):
        return "", ()
    annotation = schema_of_slot(holder, key)
    value = dict.__getitem__(holder, key)
    steps = list(history(holder.__origins__.get(key), value))
    if not steps and isinstance(value, BaseConfig):  # a subtree that came to be when a key below it was set
        below = next((_story(at, inner) for _, (at, inner, _) in named_leaves(value)), ("", ()))
        return below[0], ()
    older = [f"{_text(masked(step.value, [annotation]))} ({step})" for step in steps[1:]]
    return (str(steps[0]) if steps else ""), tuple(older)


def _text(value: Any) -> str:
    return MASK if value is MASK else short_repr(value)


_DEEPEST = 8  # a message has room for less


def masked(value: Any, declared: list[Any], depth: int = 0) -> Any:
    """A value for a message: of each secret in it only that there is one.

    Args:
        value: the value.
        declared: its type, or several that it may be of.
        depth: how deep it lies in what is shown.
    """
    if depth > _DEEPEST:
        return ...
    if any(is_secret_type(one) for one in declared):
        return MASK
    kinds = [one for annotation in declared for one in members(annotation)]
    if isinstance(value, dict):
        own = schema_of(value) if isinstance(value, BaseConfig) else None
        kinds = kinds if own is None else [own]
        items = dict.items(value)
        return {key: masked(item, [annotation_below(one, key) for one in kinds], depth + 1) for key, item in items}
    if type(value) in (list, tuple):
        return type(value)(masked(item, [annotation_below(one, 0) for one in kinds], depth + 1) for item in value)
    return value


def united(problems: Iterable[Problem]) -> list[Problem]:
    """One problem per value: the members of a union are alternatives of one expectation."""
    found: dict[tuple[str, str, str], Problem] = {}
    for problem in problems:
        identity = problem.key, problem.place, short_repr(problem.value)
        had = found.get(identity)
        if had is None:
            found[identity] = problem
        elif problem.expected not in had.expected:
            found[identity] = replace(had, expected=f"{had.expected}, or {problem.expected}")
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


__all__ = ["masked", "problems_of", "refusal", "united", "unknown_keys", "unknown_yet"]
