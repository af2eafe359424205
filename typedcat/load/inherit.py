"""Inheritance: the bases of a config are opened, merged in order, and the config on top of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigCodeError, InheritanceError, MissingKeyError, short_path
from ..tree.config import BaseConfig, Config
from ..tree.copying import branch_copy, graft
from ..tree.keys import suggest
from ..tree.merge import caps_of, check_classes, merge, take_over
from ..tree.node import Cap, blank, extra_of, path_of, plain_class, raw_delete, raw_set, switch
from ..tree.origin import Place, Replaced, newest, place
from ..tree.typed import TypedConfig, become, fill
from ..tree.values import Drop, Extend, Parameter, dependencies_in, next_turn
from ..tree.walk import branches
from .open import chain_length, entered, open_tree
from .project import Project, find_project

RESULT_DIR = "rslt_dir"
_LONG_CHAIN = 20  # from so many bases on, it is their number that the stack is too small for


def inherit(tree: BaseConfig, project: Project | None = None) -> BaseConfig:
    """The tree with everything that it inherits; neither it nor its bases change.

    A tree whose bases a parameter chooses inherits nothing before one is chosen.

    Args:
        tree: a raw tree.
        project: where relative caps begin.

    Raises:
        ConfigFileError: a base is missing or broken.
        InheritanceError: bases that name each other, or schemas that do not fit together.
    """
    project = find_project() if project is None else project
    own = branch_copy(tree)
    if tuned_caps(own):
        return own
    source = extra_of(own).source
    if not source:
        return _inherit(own, project)
    try:
        with entered(Path(source)):
            return _inherit(own, project)
    except (RecursionError, ConfigCodeError) as error:
        own_fault = not isinstance(error, RecursionError) and not isinstance(error.__cause__, RecursionError)
        if own_fault or chain_length() < _LONG_CHAIN:
            raise
        raise InheritanceError(f"{short_path(source)}: the chain of bases is too long") from error


def _inherit(own: BaseConfig, project: Project) -> BaseConfig:
    """`inherit` for a tree that may be used up."""
    for node in branches(own)[1:]:
        if caps_of(node):
            take_over(node, _inherit(branch_copy(node), project))
    caps = caps_of(own)
    if not caps:
        number_dependencies(own)
        return own
    extra_of(own).caps = ()
    result: BaseConfig | None = None
    for cap in caps:
        base = _base(cap, project)
        if dict.__contains__(base, RESULT_DIR):  # of the run of another config
            raw_delete(base, RESULT_DIR)
        if result is None:
            result = base
        else:
            merge(result, base)
    if result is None:  # pragma: no cover - there is at least one
        return own
    cls, extra = plain_class(own), extra_of(own)
    number_dependencies(own)
    merge(result, own)
    if not plain_class(result).__typed__ and not cls.__typed__:
        switch(result, cls)
    older = extra_of(result).tune
    extra_of(result).source, extra_of(result).tune = extra.source, extra.tune
    if extra.tune is not None and older is not None:
        extra_of(result).tune = extra.tune.over(older)
    return result


def number_dependencies(tree: BaseConfig) -> None:
    """Put the dependencies of a file behind those of its bases in the order of definition, whose files ran later."""
    slots = [(node, key) for node in branches(tree) if node.__extra__ is not None for key in node.__extra__.anchors]
    found = {id(one): one for node, key in slots for one in dependencies_in(dict.get(node, key))}
    for one in sorted(found.values(), key=lambda one: one.turn):
        one.turn = next_turn()


def tuned_caps(tree: BaseConfig) -> bool:
    """Whether a parameter chooses bases of the tree or of a subtree."""
    return any(isinstance(cap.base, Parameter) for node in branches(tree) for cap in caps_of(node))


def _base(cap: Cap, project: Project) -> BaseConfig:
    base = _opened(cap, project)
    if tuned_caps(base):
        name = short_path(extra_of(base).source) if extra_of(base).source else "a base"
        raise InheritanceError(
            f"{name}: its caps are a Param2Tune, which only the tune config itself can have, not a base of it"
        )
    return base


def _opened(cap: Cap, project: Project) -> BaseConfig:
    if isinstance(cap.base, BaseConfig):
        return inherit(cap.base, project)
    if isinstance(cap.base, Mapping):
        tree: BaseConfig = blank(Config)
        graft(tree, cap.base, Place(cap.named_by, None))
        return tree
    return inherit(open_tree(cap.base, named_by=cap.named_by, project=project), project)


def complete(tree: BaseConfig) -> None:
    """After the last merge and the overrides: classes agree, defaults are filled in, nothing is left to extend or drop.

    Raises:
        InheritanceError: unrelated schemas met at one node.
        MissingKeyError: `Drop` of a key that nothing has set.
    """
    for node in branches(tree):
        check_classes(node)
    for node in branches(tree):
        if isinstance(node, TypedConfig):
            become(node, plain_class(node))
        for key, value in list(dict.items(node)):
            if value is Drop:
                _refuse_drop(node, key)
            elif isinstance(value, Extend) and value.base is None:
                raw_set(node, key, list(value.items))
    fill(tree)


def _refuse_drop(node: Any, key: Any) -> None:
    record = node.__origins__.get(key)
    # a key of this very tree: no other is dropped by an override, and a subtree may have no record of its own
    if isinstance(record, Replaced) or (record is not None and place(record).how == "override"):
        raw_delete(node, key)
        return
    at = f" at {place(newest(record))}" if record is not None else ""
    others = (other for other, value in dict.items(node) if value is not Drop)
    raise MissingKeyError(path_of(node, key), f"is dropped{at}, but no base has it", suggest(key, others))
