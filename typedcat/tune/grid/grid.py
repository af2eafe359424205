"""The grid that a tune config spans: its points, and the child config of each."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...errors import TuneError, TypedcatError, short_path, short_repr
from ...load.hiding import Hidden
from ...load.inherit import RESULT_DIR
from ...load.pipeline import completed, finish, is_tune, parse_config, prepare
from ...load.project import Project, Root, find_project
from ...load.resolve import resolve
from ...load.save import save
from ...load.schema import validate
from ...tree.config import BaseConfig, Config
from ...tree.copying import branch_copy
from ...tree.keys import parse_path
from ...tree.merge import caps_of
from ...tree.node import Cap, extra_of, mirror, plain_class, switch
from ...tree.origin import Place
from ...tree.pickling import settle_origins
from ...tree.values import P_DEP, Drop, Extend
from ...tree.walk import branches
from .axes import Axis, axes_of, axes_of_bases, groups_of, leaves_of
from .draft import Draft
from .naming import folder_name
from .settings import SEED_KEY, TuneSettings

ParamComb = dict[str, tuple[Any, str]]
"""What is chosen at a point: (value, its name) by the name of the parameter."""

CHILD_FILE = "cfg.pkl"
_MOST_PROBLEMS = 20  # in one message
_ParamDependency: Any = P_DEP
_Choice = tuple[Axis, int]


def load_tune(path: str | os.PathLike[str], experiments_root: Root, config_root: Root) -> BaseConfig:
    """See `Cfg2Tune.load_cfg2tune`."""
    tree = parse_config(path, experiments_root, config_root, create_rslt_dir=False)
    _check_is_tune(tree)
    return tree


def _check_is_tune(tree: BaseConfig) -> None:
    if not is_tune(tree):
        raise TuneError(
            f"{_source(tree)} is no tune config\n"
            "  start the file with cfg = Cfg2Tune(...), or make a grid of any config: typedcat tune ... -p lr=0.1,0.01"
        )


def _source(tree: BaseConfig) -> str:
    source = tree.__extra__.source if tree.__extra__ is not None else ""
    return short_path(source) if source else "the config"


def project_of_tree(tree: BaseConfig) -> Project:
    """The project that the file of a tree lies in, wherever the sweep is started; that of the working directory."""
    source = tree.__extra__.source if tree.__extra__ is not None else ""
    return find_project(Path(source) if source else None)


@dataclass(frozen=True, slots=True)
class Point:
    """One combination of values, with a seed where runs are repeated.

    Attributes:
        folder: its name, relative to the folder of the grid; that of the seed is a subfolder.
        chosen: (value, its name) by the name of the parameter.
        labels: what the values are called in tables: numbers stay numbers; '' for a parameter that it does not have.
        seed: the seed of a repeated run.
        part: the part of the grid that it belongs to.
    """

    folder: str
    chosen: ParamComb
    labels: tuple[Any, ...] = ()
    seed: int | None = None
    part: int = 0


@dataclass(frozen=True)
class Part:
    """The points that have the same bases.

    Attributes:
        base: the config with its parameters, inherited and checked.
        axes: all parameters, the slowest first: those that choose bases, then those of the config.
        bases: what is chosen of the former.
        groups: the group of each parameter that moves with others.
        has_param_deps: whether there are P_DEPs to compute in each child.
        is_plain: whether no value of a parameter inherits, extends or drops anything.
        seeds: of repeated runs; None where they are not repeated.
        seed_key: the path of the seed.
    """

    base: BaseConfig
    axes: tuple[Axis, ...]
    bases: tuple[_Choice, ...]
    groups: dict[str, int] = field(repr=False)
    has_param_deps: bool
    is_plain: bool
    seeds: range | None
    seed_key: tuple[Any, ...]


class Grid:
    """The combinations of a tune config. The config itself does not change.

    Args:
        tree: a tune config, loaded or not.
        overrides: `key=value` each, as in `load_config`.
        repeats: how often each combination is run, instead of what the config says.

    Raises:
        TuneError: it is none, has no parameter, or one that stands inside a list, a dict or another parameter.
        ValidationError: values that do not fit the schema, those of parameters included.
    """

    def __init__(self, tree: BaseConfig, overrides: Sequence[str] = (), repeats: int | None = None) -> None:
        _check_is_tune(tree)
        self._holds_secrets: bool | None = None
        self.source = _source(tree)
        self.project = project_of_tree(tree)
        self.settings = TuneSettings(repeats=repeats).over(_settings(tree))
        self.parts = [
            self._part(variant, bases, tuple(overrides), number)
            for number, (variant, bases) in enumerate(_variants(tree, self.source, self.project))
        ]
        self.axes = list({axis.name: axis for part in self.parts for axis in part.axes}.values())
        if not self.axes:
            raise TuneError(
                f"{self.source} has nothing to tune: a Cfg2Tune must have more than 1 Param2Tune, or exactly one\n"
                "  give a key several values: cfg.opt.ini.lr = Param2Tune([0.1, 0.01])"
            )

    def _part(self, tree: BaseConfig, bases: tuple[_Choice, ...], overrides: tuple[str, ...], number: int) -> Part:
        base = prepare(tree, None, None, None, overrides, None, self.project)
        if number == 0:
            self.settings = self.settings.over(_settings(base))
        for node in branches(base):
            if getattr(plain_class(node), "__tunes__", False):  # the root, or a mounted one: children are plain configs
                switch(node, Config)
                mirror(node)
        extra_of(base).tune = None
        validate(base, source=self.source)
        axes = (*(axis for axis, _ in bases), *axes_of(base))
        settle_origins(base)  # once, instead of in every child that is pickled
        has_param_deps = any(isinstance(value, _ParamDependency) for value in leaves_of(base, axes))
        key = parse_path(self.settings.seed_key or SEED_KEY)
        is_plain = not any(_inherits(value) for axis in axes if not axis.of_bases for value in axis.values)
        return Part(base, axes, bases, groups_of(axes), has_param_deps, is_plain, self._seeds(base, key), key)

    def _seeds(self, base: BaseConfig, key: tuple[Any, ...]) -> range | None:
        """The seeds of repeated runs."""
        if self.settings.repeats is None:
            return None
        value: Any = base
        for name in key:
            value = dict.get(value, name, ...) if isinstance(value, dict) else ...
        if type(value) is not int:
            what = "is not in the config" if value is ... else f"is {short_repr(value)}"
            raise TuneError(
                f"{self.source}: repeats={self.settings.repeats} needs a first seed, but "
                f"{'.'.join(map(str, key))} {what}\n"
                "  set it to a whole number, or name another key: seed_key='...', --seed-key"
            )
        return range(value, value + self.settings.repeats)

    @property
    def base(self) -> BaseConfig:
        """The config with its parameters; of several, which have other bases, the first."""
        return self.parts[0].base

    @property
    def rslt_dir(self) -> str:
        """The result folder of the grid.

        Raises:
            TuneError: it is not known.
        """
        folder = dict.get(self.base, RESULT_DIR)
        if not isinstance(folder, (str, os.PathLike)):
            if extra_of(self.base).source:
                why = "lies outside of the config root, so no result folder mirrors it"
                raise TuneError(f"{self.source} {why}\n  pass config_root=<a folder above it>, or set cfg.rslt_dir")
            raise TuneError(
                f"{self.source} has no result folder\n"
                "  open it with Cfg2Tune.load_cfg2tune('path/to/cfg.py'), or set cfg.rslt_dir"
            )
        return os.fspath(folder)

    # -- points

    def points(self) -> Iterator[Point]:
        """The combinations that the constraints allow; the last parameter varies fastest.

        Raises:
            TuneError: there is none, or a constraint raised.
        """
        found = False
        try:
            for number, part in enumerate(self.parts):
                draft = Draft(part.base)
                for axis in part.axes:
                    axis.param.reset()
                for chosen in self._walk(part, draft, list(part.bases)):
                    for point in self._seeded(part, chosen, number):
                        found = True
                        yield point
        finally:
            for axis in self.axes:
                axis.param.reset()
        if not found:
            raise TuneError(f"{self.source}: the constraints (subject_to) leave no legal combination of values")

    def _walk(self, part: Part, draft: Draft, chosen: list[_Choice]) -> Iterator[list[_Choice]]:
        if len(chosen) == len(part.axes):
            _choose(chosen)
            if self._allows(draft):
                yield chosen
            return
        axis = part.axes[len(chosen)]
        group = part.groups.get(axis.name)
        together = [i for other, i in chosen if group is not None and part.groups.get(other.name) == group]
        for i in together[:1] or range(len(axis.values)):
            _choose(chosen)
            axis.param.reset()
            _draw(draft, axis, axis.param)
            if axis.allows(axis.values[i], draft.root):
                axis.param.choose(axis.values[i])
                _draw(draft, axis, axis.values[i])
                yield from self._walk(part, draft, [*chosen, (axis, i)])
        axis.param.reset()
        _draw(draft, axis, axis.param)

    def _allows(self, draft: Draft) -> bool:
        """Whether the constraint on the whole grid lets the values pass that stand in the draft."""
        if self.settings.subject_to is None:
            return True
        try:
            return bool(self.settings.subject_to(draft.root))
        except Exception as error:
            detail = error.message if isinstance(error, TypedcatError) else f"{type(error).__name__}: {error}"
            raise TuneError(f"{self.source}: the subject_to of its Cfg2Tune cannot judge\n  {detail}") from error

    def _seeded(self, part: Part, chosen: list[_Choice], number: int) -> Iterator[Point]:
        """The points of one combination: one, or one for each seed."""
        labels = {axis.name: axis.names[i].label for axis, i in chosen}
        point = Point(
            folder_name({axis.name: axis.names[i].text for axis, i in chosen}),
            {axis.name: (axis.values[i], axis.names[i].text) for axis, i in chosen},
            tuple(labels.get(axis.name, "") for axis in self.axes),
            part=number,
        )
        if part.seeds is None:
            yield point
        for seed in part.seeds or ():
            yield replace(point, folder=os.path.join(point.folder, f"seed={seed}"), seed=seed)

    # -- children

    def child(self, point: Point) -> BaseConfig:
        """The config of one point, which needs no other file; its dependencies are not computed yet.

        Raises:
            ConfigFileError, InheritanceError: a base of a config that is the value of a parameter.
            DependencyError: a P_DEP raised.
        """
        part = self.parts[point.part]
        tree = branch_copy(part.base)
        for axis in part.axes:
            for slot in () if axis.of_bases else axis.slots:
                _put(tree, slot.keys, point.chosen[axis.name][0], slot.place)
        if point.seed is not None:
            _put(tree, part.seed_key, point.seed, Place(self.source, None, "point"))
        tree.__put__(RESULT_DIR, os.path.join(self.rslt_dir, point.folder), Place(self.source, None, "point"))
        if not part.is_plain:
            tree = completed(tree, self.project)
        if part.has_param_deps:
            resolve(tree, only_params=True)
        return tree

    def children(self) -> Iterator[BaseConfig]:
        """The config of each point."""
        return map(self.child, self.points())

    def dump(self, point: Point, folder: str | os.PathLike[str], child: BaseConfig | None = None) -> str:
        """Write the child of a point to `<folder>/<point>/cfg.pkl`, for nobody else to read if it holds secrets.

        Returns:
            The path.
        """
        file = os.path.join(folder, point.folder, CHILD_FILE)
        child = self.child(point) if child is None else child
        if self._holds_secrets is None:  # as all of them do, if one does
            self._holds_secrets = bool(Hidden(child).keys)
        save(child, file, "pkl", save_copy=False, private=self._holds_secrets)
        return file

    def check(self) -> None:
        """Build, resolve and validate every child; nothing is written.

        Raises:
            TuneError: with the problems of all children.
        """
        for _ in self.loaded():
            pass

    def loaded(self) -> Iterator[tuple[Point, BaseConfig]]:
        """Each point with its child, built, resolved and validated; nothing is written.

        Raises:
            TuneError: at the end, with the problems of all children.
        """
        count = 0
        problems: dict[str, list[str]] = {}
        for point in self.points():
            count += 1
            try:
                child = finish(self.child(point))
            except TypedcatError as error:
                notes = getattr(error, "__notes__", ())
                problems.setdefault("\n".join([str(error), *notes]), []).append(point.folder)
            else:
                yield point, child
        if problems:
            raise TuneError(_report(self.source, problems, count))


def _settings(tree: BaseConfig) -> TuneSettings:
    settings: TuneSettings | None = extra_of(tree).tune
    return settings if settings is not None else TuneSettings()


def _choose(chosen: Sequence[_Choice]) -> None:
    """Make values the current ones; another walk over the same parameters may have been there meanwhile."""
    for axis, i in chosen:
        axis.param.choose(axis.values[i])


def _draw(draft: Draft, axis: Axis, value: Any) -> None:
    for slot in () if axis.of_bases else axis.slots:
        draft.put(slot.keys, value)


def _put(tree: BaseConfig, keys: tuple[Any, ...], value: Any, place: Place) -> None:
    node: Any = tree
    for key in keys[:-1]:
        node = dict.__getitem__(node, key)
    key, anchor = keys[-1], extra_of(node).anchors.get(keys[-1])
    node.__put__(key, branch_copy(value) if isinstance(value, BaseConfig) else value, place)
    if anchor is not None and key in extra_of(node).anchors:  # a dependency starts where its parameter does
        extra_of(node).anchors[key] = anchor


def _inherits(value: Any) -> bool:
    return isinstance(value, (BaseConfig, Extend)) or value is Drop


def _report(source: str, problems: dict[str, list[str]], count: int) -> str:
    bad = sum(map(len, problems.values()))
    lines = [f"{source}: {bad} of {count} children cannot be run, so nothing was started"]
    for message, folders in list(problems.items())[:_MOST_PROBLEMS]:
        more = f" and {len(folders) - 3:,} more" if len(folders) > 3 else ""
        lines += [f"{'; '.join(folders[:3])}{more}:", "    " + message.replace("\n", "\n    ")]
    if len(problems) > _MOST_PROBLEMS:
        lines.append(f"... and {len(problems) - _MOST_PROBLEMS:,} other problems")
    return "\n  ".join(lines)


# -- bases that parameters choose


def _variants(tree: BaseConfig, source: str, project: Project) -> Iterator[tuple[BaseConfig, tuple[_Choice, ...]]]:
    """The tree for each choice of bases that the constraints allow, with the choice."""
    axes = axes_of_bases(tree, project)
    groups = groups_of([axis for axis in axes if any(axis.param.zip_with is other.param for other in axes)])
    for numbers in itertools.product(*(range(len(axis.values)) for axis in axes)):
        chosen = tuple(zip(axes, numbers, strict=True))
        by_group: dict[int, set[int]] = {}
        for axis, i in chosen:
            if axis.name in groups:
                by_group.setdefault(groups[axis.name], set()).add(i)
        _choose(chosen)
        if all(len(them) == 1 for them in by_group.values()) and all(_fits(axis, i, source) for axis, i in chosen):
            yield _with_bases(tree, {id(axis.param): axis.values[i] for axis, i in chosen}), chosen


def _fits(axis: Axis, i: int, source: str) -> bool:
    if axis.param.wants_config:
        raise TuneError(
            f"{source}: the subject_to of {axis.name} wants the config, but bases are chosen before there is one\n"
            "  let it take the value alone, or use Cfg2Tune(subject_to=lambda c: ...)"
        )
    return axis.allows(axis.values[i], Config())


def _with_bases(tree: BaseConfig, values: dict[int, Any]) -> BaseConfig:
    """A copy of the tree in which bases stand for the parameters; None stands for no base, a list for several."""
    copy = branch_copy(tree)
    for node in branches(copy):
        caps: list[Cap] = []
        for cap in caps_of(node):
            base = values.get(id(cap.base), cap.base)
            several = base if isinstance(base, (list, tuple)) else () if base is None else (base,)
            caps += (Cap((os.fspath(one) if isinstance(one, os.PathLike) else one, cap.named_by)) for one in several)
        if caps_of(node):
            extra_of(node).caps = tuple(caps)
    return copy


__all__ = ["CHILD_FILE", "Axis", "Grid", "ParamComb", "Part", "Point", "load_tune"]
