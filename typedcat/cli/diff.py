"""`typedcat diff`: what differs between two loaded configs, and who set it."""

from __future__ import annotations

import argparse
import functools
import math
import pickle
from collections.abc import Hashable
from types import BuiltinMethodType, FunctionType, MethodType, MethodWrapperType
from typing import Any

from ..load.declared_types import types_at
from ..load.modules import definition_key
from ..load.secrets import masked
from ..tree.config import BaseConfig
from ..tree.keys import format_path
from ..tree.origin import Origin
from ..tree.sameness import equal_values
from ..tree.text import leaf_text
from ..tree.values import Dependency, Parameter
from .common import Commands, add_command, add_config, add_overrides, leaves, load, place_text, story
from .page import GONE, HEAD, NEW, PLACE, Page

_TEXT = """\
Compare two configs as they are when runs get them: a key only in A is a line with '-', one only in B a line with '+', \
a value that differs is both.

examples:
  typedcat diff configs/mnist/base/cfg.py configs/mnist/base,2xbs/cfg.py
  typedcat diff configs/mnist/base/cfg.py experiments/mnist/base/cfg.pkl       what has changed since the run
  typedcat diff configs/a/cfg.py configs/b/cfg.py -o sched.epochs=2            with the same override in both

exit code: 0 the configs are equal, 1 they differ, 2 one of them could not be loaded.
A result folder that mirrors where the config lies is no difference.
"""
_ABSENT: Any = object()
Values = dict[tuple[Hashable, ...], Any]


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "diff", "compare two configs: values, and who set them", _TEXT)
    add_config(parser, "a")
    add_config(parser, "b")
    add_overrides(parser, ", and counts for both")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Page:
    """Answer the command."""
    ours, theirs = load(args.a, args), load(args.b, args)
    mine, other = _values(ours), _values(theirs)
    page = Page()
    for keys in dict.fromkeys((*mine, *other)):
        left, right = mine.get(keys, _ABSENT), other.get(keys, _ABSENT)
        if left is _ABSENT or right is _ABSENT or not _same(left, right):
            types = [*types_at(ours, keys), *types_at(theirs, keys)]
            for root, value, sign, style in ((ours, left, "-", GONE), (theirs, right, "+", NEW)):
                if value is not _ABSENT:
                    _add(page, f"{sign} {format_path(keys) or 'cfg'}", style, masked(value, types), story(root, keys))
    if not page.pieces:
        return page
    head = Page(code=1).line((f"--- {args.a}", HEAD)).line((f"+++ {args.b}", HEAD))
    head.pieces += page.pieces
    return head


def _values(root: BaseConfig) -> Values:
    values = dict(leaves(root))
    mirrored = [one for one in story(root, ("rslt_dir",)) if one.how == "folder"] if "rslt_dir" in root else []
    if mirrored:
        del values["rslt_dir",]
    return values


def _add(page: Page, name: str, style: str, value: Any, steps: tuple[Origin, ...]) -> None:
    text = "Config()" if isinstance(value, BaseConfig) else leaf_text(value).replace("\n", f"\n{name[0]} ")
    page.line((f"{name} = {text}", style), (f"  # {place_text(steps[0])}" if steps else "", PLACE))


# -- values of two loads

_BOUND = (MethodType, BuiltinMethodType, MethodWrapperType)
_PARAMETER = ("optional_val", "names", "subject_to", "priority", "zip_with")


def _same(one: Any, other: Any) -> bool:
    try:
        return same(one, other)
    except RecursionError:  # instances that hold each other, lists of a thousand levels
        return _same_pickle(one, other)


def same(one: Any, other: Any) -> bool:
    """Whether two values say the same: each load of a config makes its functions, classes and instances anew."""
    if one is other:
        return True
    if isinstance(one, (type, FunctionType)):
        return isinstance(other, (type, FunctionType)) and _same_definition(one, other)
    if definition_key(type(one)) != definition_key(type(other)):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(item, other[key]) for key, item in dict.items(one))
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    if isinstance(one, Dependency):
        return same(one.func, other.func)
    if isinstance(one, _BOUND):
        return one.__name__ == other.__name__ and same(one.__self__, other.__self__)
    if isinstance(one, functools.partial):
        return same([one.func, one.args, one.keywords], [other.func, other.args, other.keywords])
    if isinstance(one, Parameter):
        return all(same(getattr(one, name), getattr(other, name)) for name in _PARAMETER)
    return _same_instance(one, other)


def _same_definition(one: Any, other: Any) -> bool:
    """Whether two runs of one file made them; of functions, with the same code and the same values around it."""
    if definition_key(one) != definition_key(other):
        return False
    if not isinstance(one, FunctionType) or not isinstance(other, FunctionType):
        return type(one) is type(other)
    return one.__code__ == other.__code__ and same(_surroundings(one), _surroundings(other))


def _surroundings(function: FunctionType) -> list[Any]:
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    return [function.__defaults__, function.__kwdefaults__, *cells]


def _same_instance(one: Any, other: Any) -> bool:
    """By their `==` if it knows the other class; by their state if it is that of `object`, or of another run."""
    try:
        if equal_values(one, other):
            return True
    except Exception:  # noqa: BLE001 - what arrays and users' classes make of `==` can be anything
        return _same_pickle(one, other)
    if type(one) is type(other) and _has_equality(type(one)):
        return False
    return same(vars(one), vars(other)) if hasattr(one, "__dict__") else _same_pickle(one, other)


def _has_equality(cls: Any) -> bool:
    return cls.__eq__ is not object.__eq__


def _same_pickle(one: Any, other: Any) -> bool:
    try:
        return pickle.dumps(one) == pickle.dumps(other)
    except Exception:  # noqa: BLE001 - as above; what cannot be compared counts as different
        return False
