"""The parameters of a tune config: where they stand, what they can be, and in which order they vary."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import TuneError, TypedcatError, short_repr
from ...load.inherit import inherit
from ...load.project import DEFAULT_CONFIG_ROOT, Project
from ...tree.config import BaseConfig
from ...tree.merge import caps_of
from ...tree.node import path_of, path_to
from ...tree.origin import Place, newest, place
from ...tree.values import Parameter
from ...tree.walk import branches
from .naming import Name, name_parameters, name_values


@dataclass(frozen=True)
class Slot:
    """A key that holds a parameter: the path, and the line that set it."""

    keys: tuple[Hashable, ...]
    place: Place


@dataclass(frozen=True)
class Axis:
    """A parameter of a grid. One `Param2Tune` object that stands at several keys is one parameter.

    Attributes:
        name: unique in its grid.
        param: the `Param2Tune`.
        slots: where it stands.
        values: what it can be.
        names: of the values.
        of_bases: whether it chooses bases; its slots are the subtrees whose `caps` it stands in.
    """

    name: str
    param: Any
    slots: tuple[Slot, ...]
    values: tuple[Any, ...]
    names: tuple[Name, ...]
    of_bases: bool = False

    def allows(self, value: Any, draft: BaseConfig) -> bool:
        """Whether the constraint of the parameter lets a value pass.

        Raises:
            TuneError: the constraint raised, or asked for what is not chosen yet.
        """
        try:
            return bool(self.param.allows(value, draft))
        except Exception as error:
            at = f"{self.name}, set at {self.slots[0].place}: its subject_to cannot judge {short_repr(value)}"
            detail = error.message if isinstance(error, TypedcatError) else f"{type(error).__name__}: {error}"
            if isinstance(error, (AttributeError, TypeError)):
                detail += "\n  it is called with the value, or with (value, config) if it takes two arguments"
            raise TuneError(f"{at}\n  {detail}") from error


# -- finding the parameters

_Found = tuple[Any, list[Slot]]
CAPS = "caps"


def axes_of(base: BaseConfig) -> list[Axis]:
    """The parameters of a tree that has inherited, the slowest first.

    Raises:
        TuneError: one stands inside a list, a dict or another parameter.
    """
    found: dict[int, _Found] = {}
    for node in branches(base):
        for key, value in dict.items(node):
            if isinstance(value, Parameter):
                slot = Slot((*path_to(node), key), _place_of(node, key))
                found.setdefault(id(value), (value, []))[1].append(slot)
            elif not isinstance(value, BaseConfig) and _holds_parameter(value):
                raise TuneError(
                    f"{path_of(node, key)}, set at {_place_of(node, key)}: a Param2Tune cannot stand inside a "
                    f"{type(value).__name__}\n  tune the whole value: Param2Tune([[1, 2], [1, 3]])"
                )
    return [_axis(name, *one) for name, one in _named(found)]


def axes_of_bases(tree: BaseConfig, project: Project) -> list[Axis]:
    """The parameters that choose bases in a tree that has not inherited, the slowest first."""
    root = os.path.normpath(project.config_root or DEFAULT_CONFIG_ROOT)
    found: dict[int, _Found] = {}
    for node in branches(tree):
        for cap in caps_of(node):
            if isinstance(cap.base, Parameter):
                slot = Slot((*path_to(node), CAPS), Place(cap.named_by, None, "point"))
                found.setdefault(id(cap.base), (cap.base, []))[1].append(slot)
    axes = []
    for name, (param, slots) in _named(found):
        values = param.optional_val
        names = name_values([_base_name(value, root) for value in values], param.names)
        axes.append(Axis(name, param, tuple(slots), values, tuple(names), of_bases=True))
    return axes


def _base_name(base: Any, root: str) -> Any:
    """`configs/mnist/base/cfg.py` is called `mnist/base`, as its result folder is."""
    if not isinstance(base, (str, os.PathLike)):
        return base
    text = os.fspath(base)
    name = os.path.splitext(text)[0].removesuffix("/cfg")
    return os.path.normpath(name).removeprefix(f"{root}/")


def _named(found: dict[int, _Found]) -> list[tuple[str, _Found]]:
    ordered = _by_priority(list(found.values()))
    names = name_parameters([slots[0].keys for _, slots in ordered])
    return list(zip(names, ordered, strict=True))


def _axis(name: str, param: Any, slots: Sequence[Slot]) -> Axis:
    values = tuple(inherit(value) if isinstance(value, BaseConfig) else value for value in param.optional_val)
    for value in values:
        leaves = leaves_of(value) if isinstance(value, BaseConfig) else [value]
        if any(isinstance(leaf, Parameter) or _holds_parameter(leaf) for leaf in leaves):
            raise TuneError(f"{name}, set at {slots[0].place}: a value of a Param2Tune cannot hold another one")
    return Axis(name, param, tuple(slots), values, tuple(name_values(values, param.names)))


def _by_priority(params: list[_Found]) -> list[_Found]:
    """By priority, then by definition. One without a priority comes after all that are defined before it."""
    params.sort(key=lambda item: item[0].order)
    priorities: list[int] = []
    for param, _ in params:
        following = max(priorities) + 1 if priorities else 0
        priorities.append(following if param.priority is None else param.priority)
    return [params[i] for i in sorted(range(len(params)), key=lambda i: priorities[i])]


def _place_of(node: Any, key: Hashable) -> Place:
    record = node.__origins__.get(key)
    at = place(newest(record)) if record is not None else Place("the config", None)
    return at._replace(how="point")


def _holds_parameter(value: Any) -> bool:
    items = dict.values(value) if isinstance(value, dict) else value if type(value) in (list, tuple, set) else ()
    return any(isinstance(item, Parameter) or _holds_parameter(item) for item in items)


def leaves_of(tree: BaseConfig, axes: Sequence[Axis] = ()) -> Iterator[Any]:
    """The leaves of a tree, and of the values of parameters."""
    for node in branches(tree):
        yield from (value for value in dict.values(node) if not isinstance(value, BaseConfig))
    for axis in axes:
        for value in axis.values:
            if isinstance(value, BaseConfig):
                yield from leaves_of(value)
            else:
                yield value


# -- parameters that move together


def groups_of(axes: Sequence[Axis]) -> dict[str, int]:
    """For each parameter that moves with others, a number that they share.

    Raises:
        TuneError: one moves with a parameter that the grid does not have.
    """
    by_param = {id(axis.param): axis for axis in axes}
    group: dict[str, int] = {}
    for number, axis in enumerate(axes):
        partner = axis.param.zip_with
        if partner is None:
            continue
        if id(partner) not in by_param:
            raise TuneError(
                f"{axis.name}, set at {axis.slots[0].place}: the parameter that it moves with (zip_with) is not in the "
                "config\n  it was replaced, perhaps: give both anew"
            )
        other = by_param[id(partner)].name
        old = {group.get(axis.name, number), group.get(other, number)}
        group.update({name: number for name, its in group.items() if its in old})
        group[axis.name] = group[other] = number
    return group
