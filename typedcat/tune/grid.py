"""Tune configs, and the grid they span: its points, and the child config of each."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import TuneError, TypedcatError, short_path, short_repr
from ..load.inherit import RESULT_DIR, inherit
from ..load.pipeline import Root, is_tune, load_config, parse_config, prepare
from ..load.project import find_project
from ..load.resolve import resolve
from ..load.save import save
from ..load.schema import validate
from ..tree.config import BaseConfig, Config
from ..tree.copying import branch_copy
from ..tree.node import extra_of, mirror, path_of, path_to, plain_class, switch
from ..tree.origin import Place, newest, place
from ..tree.values import P_DEP, Parameter
from ..tree.walk import branches
from .draft import Draft
from .naming import Name, folder_name, name_parameters, name_values

ParamComb = dict[str, tuple[Any, str]]
"""What is chosen at a point: (value, its name) by the name of the parameter."""

CHILD_FILE = "cfg.pkl"
_MOST_PROBLEMS = 20  # in one message
_ParamDependency: Any = P_DEP


@dataclass(frozen=True)
class TuneSettings:
    """What marks the root of a tune config: what `Cfg2Tune(...)` was told about the grid as a whole."""


class Cfg2Tune(Config):
    """A config with parameters to tune: each combination of their values makes a child config.

        cfg = Cfg2Tune(caps="configs/base/cfg.py")
        cfg.loader.ini.batch_size = Param2Tune([128, 256])

    With a `TypedConfig` class as `schema=`, what is made is a node of that class; the methods below take it as well, as
    in `Cfg2Tune.get_cfgs(cfg)`.

    Args: see `Config`.
    """

    __slots__ = ()

    @classmethod
    def __fill__(
        cls,
        self: BaseConfig,
        cfgs: tuple[Any, ...],
        /,
        caps: Any = (),
        cfgs_update_at_parser: Any = (),
        schema: Any = None,
        **values: Any,
    ) -> None:
        super().__fill__(self, cfgs, caps, cfgs_update_at_parser, schema, **values)
        extra_of(self).tune = TuneSettings()

    @classmethod
    def __child_class__(cls, key: Hashable) -> type[Config]:
        return Config

    @staticmethod
    def load_cfg2tune(
        cfg2tune_py: str | os.PathLike[str], experiments_root: str = "", config_root: str = "./configs"
    ) -> Cfg2Tune:
        """The tune config of a file, with what it inherits and its result folder.

        Args and errors: see `load_config`.

        Raises:
            TuneError: the file holds no tune config.
        """
        tree: Any = load_tune(
            cfg2tune_py, experiments_root or None, None if config_root == "./configs" else config_root
        )
        return tree  # type: ignore[no-any-return]  # of its schema, where it has one

    @property
    def ordered_params2tune(self) -> dict[str, Any]:
        """The parameters by name, the slowest first."""
        return {axis.name: axis.param for axis in Grid(self).axes}

    @property
    def param_combs(self) -> list[ParamComb]:
        """What is chosen at each point: (value, its name) by the name of the parameter.

        Raises:
            TuneError: there is no parameter, or no combination that the constraints allow.
        """
        return [point.chosen for point in Grid(self).points()]

    def get_cfgs(self: BaseConfig) -> Iterator[Any]:
        """The child configs, one after the other; dependencies other than P_DEPs are computed when one is loaded.

        Raises:
            TuneError: there is no parameter, no legal combination, or no `rslt_dir`.
        """
        return Grid(self).children()

    def dump_cfgs(self: BaseConfig, cfg_dir: str | os.PathLike[str] = "configs") -> tuple[list[str], list[Any]]:
        """Write each child to `<cfg_dir>/<point>/cfg.pkl`.

        Returns:
            The paths of the files, and the children.
        """
        grid = Grid(self)
        files, children = [], []
        for point in grid.points():
            children.append(grid.child(point))
            files.append(grid.dump(point, cfg_dir, children[-1]))
        return files, children


def load_tune(path: str | os.PathLike[str], experiments_root: Root, config_root: Root) -> BaseConfig:
    """See `Cfg2Tune.load_cfg2tune`."""
    tree = parse_config(path, experiments_root, config_root, create_rslt_dir=False)
    _check_is_tune(tree)
    return tree


def _check_is_tune(tree: BaseConfig) -> None:
    if not is_tune(tree):
        raise TuneError(f"{_source(tree)} is no tune config\n  start the file with cfg = Cfg2Tune(...)")


def _source(tree: BaseConfig) -> str:
    source = tree.__extra__.source if tree.__extra__ is not None else ""
    return short_path(source) if source else "the config"


@dataclass(frozen=True)
class Slot:
    """A key that holds a parameter: the path, and the line that set it."""

    keys: tuple[Hashable, ...]
    place: Place


@dataclass(frozen=True)
class Axis:
    """A parameter of a grid. One `Param2Tune` object that stands at several keys is one parameter."""

    name: str
    param: Any
    slots: tuple[Slot, ...]
    values: tuple[Any, ...]
    names: tuple[Name, ...]

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
            raise TuneError(f"{at}\n  {detail}") from error


@dataclass(frozen=True)
class Point:
    """One combination of values.

    Attributes:
        folder: its name.
        chosen: (value, its name) by the name of the parameter.
        labels: what the values are called in tables: numbers stay numbers.
    """

    folder: str
    chosen: ParamComb
    labels: tuple[Any, ...] = ()


class Grid:
    """The combinations of a tune config. The config itself does not change.

    Args:
        tree: a tune config, loaded or not.

    Raises:
        TuneError: it is none, has no parameter, or one that stands inside a list, a dict or another parameter.
        ValidationError: values that do not fit the schema, those of parameters included.
    """

    def __init__(self, tree: BaseConfig) -> None:
        _check_is_tune(tree)
        self.source = _source(tree)
        self.base = prepare(tree, None, None, None, (), None, find_project())
        for node in branches(self.base):
            if issubclass(plain_class(node), Cfg2Tune):  # the root, or a mounted one: children are plain configs
                switch(node, Config)
                mirror(node)
        extra_of(self.base).tune = None
        validate(self.base, source=self.source)
        self.axes = _axes(self.base)
        if not self.axes:
            raise TuneError(
                f"{self.source} has nothing to tune: a Cfg2Tune must have more than 1 Param2Tune, or exactly one\n"
                "  give a key several values: cfg.opt.ini.lr = Param2Tune([0.1, 0.01])"
            )
        self._has_param_deps = any(isinstance(value, _ParamDependency) for value in _leaves(self.base, self.axes))

    @property
    def rslt_dir(self) -> str:
        """The result folder of the grid.

        Raises:
            TuneError: it is not known.
        """
        folder = dict.get(self.base, RESULT_DIR)
        if not isinstance(folder, (str, os.PathLike)):
            raise TuneError(
                f"{self.source} has no result folder\n"
                "  open it with Cfg2Tune.load_cfg2tune('path/to/cfg.py'), or set cfg.rslt_dir"
            )
        return os.fspath(folder)

    def points(self) -> Iterator[Point]:
        """The combinations that the constraints allow; the last parameter varies fastest.

        Raises:
            TuneError: there is none, or a constraint raised.
        """
        draft = Draft(self.base)
        found = False
        try:
            for axis in self.axes:
                axis.param.reset()
            for point in self._walk(draft, []):
                found = True
                yield point
        finally:
            for axis in self.axes:
                axis.param.reset()
        if not found:
            raise TuneError(f"{self.source}: the constraints (subject_to) leave no legal combination of values")

    def _walk(self, draft: Draft, chosen: list[tuple[Axis, int]]) -> Iterator[Point]:
        if len(chosen) == len(self.axes):
            yield Point(
                folder_name({axis.name: axis.names[i].text for axis, i in chosen}),
                {axis.name: (axis.values[i], axis.names[i].text) for axis, i in chosen},
                tuple(axis.names[i].label for axis, i in chosen),
            )
            return
        axis = self.axes[len(chosen)]
        for i, value in enumerate(axis.values):
            for slower, at in chosen:  # another walk over the same parameters may have been there meanwhile
                slower.param.choose(slower.values[at])
            axis.param.reset()
            _draw(draft, axis, axis.param)
            if axis.allows(value, draft.root):
                axis.param.choose(value)
                _draw(draft, axis, value)
                yield from self._walk(draft, [*chosen, (axis, i)])
        axis.param.reset()
        _draw(draft, axis, axis.param)

    def child(self, point: Point) -> BaseConfig:
        """The config of one point, which needs no other file.

        Raises:
            DependencyError: a P_DEP raised.
        """
        tree = branch_copy(self.base)
        for axis in self.axes:
            value = point.chosen[axis.name][0]
            for slot in axis.slots:
                node: Any = tree
                for key in slot.keys[:-1]:
                    node = dict.__getitem__(node, key)
                key, anchor = slot.keys[-1], extra_of(node).anchors.get(slot.keys[-1])
                node.__put__(key, branch_copy(value) if isinstance(value, BaseConfig) else value, slot.place)
                if anchor is not None and key in extra_of(node).anchors:  # a dependency starts where its parameter does
                    extra_of(node).anchors[key] = anchor
        tree.__put__(RESULT_DIR, os.path.join(self.rslt_dir, point.folder), Place(self.source, None, "point"))
        if self._has_param_deps:
            resolve(tree, only_params=True)
        return tree

    def children(self) -> Iterator[BaseConfig]:
        """The config of each point."""
        return map(self.child, self.points())

    def dump(self, point: Point, folder: str | os.PathLike[str], child: BaseConfig | None = None) -> str:
        """Write the child of a point to `<folder>/<point>/cfg.pkl`; returns the path."""
        file = os.path.join(folder, point.folder, CHILD_FILE)
        save(self.child(point) if child is None else child, file, "pkl", save_copy=False)
        return file

    def check(self) -> None:
        """Build, resolve and validate every child; nothing is written.

        Raises:
            TuneError: with the problems of all children.
        """
        count = 0
        problems: dict[str, list[str]] = {}
        for point in self.points():
            count += 1
            try:
                load_config(self.child(point), create_rslt_dir=False)
            except TypedcatError as error:
                notes = getattr(error, "__notes__", ())
                problems.setdefault("\n".join([str(error), *notes]), []).append(point.folder)
        if problems:
            raise TuneError(_report(self.source, problems, count))


def _draw(draft: Draft, axis: Axis, value: Any) -> None:
    for slot in axis.slots:
        draft.put(slot.keys, value)


def _report(source: str, problems: dict[str, list[str]], count: int) -> str:
    bad = sum(map(len, problems.values()))
    lines = [f"{source}: {bad} of {count} children cannot be run, so nothing was started"]
    for message, folders in list(problems.items())[:_MOST_PROBLEMS]:
        more = f" and {len(folders) - 3:,} more" if len(folders) > 3 else ""
        lines += [f"{'; '.join(folders[:3])}{more}:", "    " + message.replace("\n", "\n    ")]
    if len(problems) > _MOST_PROBLEMS:
        lines.append(f"... and {len(problems) - _MOST_PROBLEMS:,} other problems")
    return "\n  ".join(lines)


# -- finding the parameters


def _axes(base: BaseConfig) -> list[Axis]:
    """The parameters of a tree, the slowest first."""
    found: dict[int, tuple[Any, list[Slot]]] = {}
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
    ordered = _by_priority(list(found.values()))
    names = name_parameters([slots[0].keys for _, slots in ordered])
    return [_axis(name, param, slots) for name, (param, slots) in zip(names, ordered, strict=True)]


def _axis(name: str, param: Any, slots: Sequence[Slot]) -> Axis:
    values = tuple(inherit(value) if isinstance(value, BaseConfig) else value for value in param.optional_val)
    for value in values:
        leaves = _leaves(value) if isinstance(value, BaseConfig) else [value]
        if any(isinstance(leaf, Parameter) or _holds_parameter(leaf) for leaf in leaves):
            raise TuneError(f"{name}, set at {slots[0].place}: a value of a Param2Tune cannot hold another one")
    return Axis(name, param, tuple(slots), values, tuple(name_values(values, param.names)))


def _by_priority(params: list[tuple[Any, list[Slot]]]) -> list[tuple[Any, list[Slot]]]:
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


def _leaves(tree: BaseConfig, axes: Sequence[Axis] = ()) -> Iterator[Any]:
    """The leaves of a tree, and of the values of parameters."""
    for node in branches(tree):
        yield from (value for value in dict.values(node) if not isinstance(value, BaseConfig))
    for axis in axes:
        for value in axis.values:
            if isinstance(value, BaseConfig):
                yield from _leaves(value)
            else:
                yield value


__all__ = ["CHILD_FILE", "Axis", "Cfg2Tune", "Grid", "ParamComb", "Point", "TuneSettings", "load_tune"]
