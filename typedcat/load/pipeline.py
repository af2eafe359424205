"""Loading: open -> inherit -> override -> defaults -> dependencies -> validate -> freeze."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, overload

from ..errors import (
    DependencyError,
    InheritanceError,
    MandatoryValueError,
    ProjectError,
    SchemaError,
    TuneError,
    ValidationError,
    short_path,
    short_repr,
)
from ..tree.config import BaseConfig, Config
from ..tree.copying import branch_copy
from ..tree.merge import caps_of, derives, schema_of, set_schema, take_over
from ..tree.node import STRICT, extra_of, flag, path_of
from ..tree.origin import caller
from ..tree.typed import TypedConfig, become
from ..tree.values import Parameter
from ..tree.walk import branches
from .formats.documents import read_pickle
from .formats.hydra import choosing
from .formats.objects import ConfigObject, as_mapping
from .formats.omegaconf_texts import unset
from .inherit import complete, inherit, tuned_caps
from .likeness import check_like
from .model_defaults import fill_model_defaults
from .open import open_tree, tree_of
from .override import Override
from .overrides import apply_overrides
from .project import Project, Root, find_project, project_of
from .resolve import resolve, unresolved
from .result_folder import check_result_dir, make_result_dir, set_result_dir
from .schema import coerce_leaves, model_of, restore_leaves, validate
from .schema_fields import is_schema
from .validators import NO_SCHEMA

S = TypeVar("S")
Source: TypeAlias = "str | os.PathLike[str] | Mapping[Any, Any] | ConfigObject"


@overload
def load_config(
    config_path: Source,
    experiments_root: Root = ...,
    config_root: Root = ...,
    create_rslt_dir: bool = ...,
    *,
    schema: type[S],
    strict: bool = ...,
    overrides: Sequence[str] | None = ...,
    rslt_dir: Root = ...,
    like: Source | None = ...,
) -> S: ...
@overload
def load_config(
    config_path: Source,
    experiments_root: Root = ...,
    config_root: Root = ...,
    create_rslt_dir: bool = ...,
    *,
    strict: bool = ...,
    overrides: Sequence[str] | None = ...,
    rslt_dir: Root = ...,
    like: Source | None = ...,
) -> Config: ...
def load_config(
    config_path: Source,
    experiments_root: Root = None,
    config_root: Root = None,
    create_rslt_dir: bool = True,
    *,
    schema: Any = None,
    strict: bool = False,
    overrides: Sequence[str] | None = (),
    rslt_dir: Root = None,
    like: Source | None = None,
) -> Any:
    """Load a config: everything inherited, overridden, computed and validated; read-only.

    Args:
        config_path: a `.py`, `.yaml`, `.yml`, `.json`, `.toml` or `.pkl` file, a mapping, or what another
            library made: a namespace, a dataclass, ... It does not change.
        experiments_root: the folder of all results; by default the project's `experiments_root`, else ''.
        config_root: the folder that results mirror: `configs/mnist/base/cfg.py` gets `mnist/base`; by default the
            project's `config_root`, else './configs'.
        create_rslt_dir: whether to make the result folder, last of all, when nothing went wrong.
        schema: what the config must fit: a `TypedConfig` class (the result has this type), pydantic model, dataclass or
            TypedDict (the result is a `Config` that reads like one, which is why checkers take it for one; a real one
            is `load_config(path).to_model(Model)`).
        strict: reading an absent key raises instead of giving an empty, falsy node.
        overrides: `key=value` each. Values are YAML; `+key=value` adds a new key; `~key` removes one;
            `key=@package.Name` imports. Unless `rslt_dir` is given they are appended to the result folder, so that runs
            do not share one.
        rslt_dir: the result folder, instead of the one that mirrors the config.
        like: another config, every key of which this one must have, and with a value of the same kind: no text for a
            number, no None for a list, no value for a subtree. Numbers are of one kind, so are lists and tuples, and
            all objects, classes and functions; None there says nothing, nor does what is tuned or has a schema. With
            the stubs of `typedcat stubs` the result has its type, which is for paths that are known at run time only.

    Returns:
        The config, a tree of its own. A tune config comes with its parameters and dependencies as they are.

    Raises:
        ConfigFileError: the file or one of its bases is missing, broken or no config.
        InheritanceError: bases that name each other or do not fit together.
        OverrideError: an override of an unknown key.
        DependencyError: a dependency raised, or they form a cycle.
        MandatoryValueError: nothing has set what is `???` in a YAML config.
        ValidationError: values that do not fit the schema, all of them at once.
        ProjectError: no result folder can be told.
        LikenessError: it lacks keys of `like`, or their values are of another kind.
    """
    project = _project_for(config_path)
    tree = prepare(config_path, experiments_root, config_root, schema, overrides, rslt_dir, project, create_rslt_dir)
    if not is_tune(tree):
        _refuse_parameters(tree)
        compute(tree)
    validate(tree)
    if like is not None:
        model = load_config(like, create_rslt_dir=False)
        check_like(tree, model, _name_of(tree), _name_of(model))
    check_result_dir(tree, create_rslt_dir)
    flag(tree, STRICT, strict)
    tree.freeze()
    if create_rslt_dir:
        make_result_dir(tree)
    return tree


def completed(tree: BaseConfig, project: Project) -> BaseConfig:
    """A tree with what its subtrees inherit, extend or drop, and with all defaults.

    Raises:
        ConfigFileError, InheritanceError: see `load_config`.
    """
    tree = inherit(tree, project)
    complete(tree)
    fill_model_defaults(tree)
    return tree


def finish(tree: BaseConfig) -> BaseConfig:
    """What `load_config` makes of a tree that inherits nothing any more: the tree itself, computed, validated, frozen.

    Raises:
        DependencyError: a dependency raised, or they form a cycle.
        ValidationError: values that do not fit the schema, all of them at once.
    """
    compute(tree)
    validate(tree)
    tree.freeze()
    return tree


def load_complete(file: str) -> BaseConfig:
    """`load_config` of a pickle that the tuner has written: it inherits nothing, and its result folder is there.

    Raises:
        ConfigFileError, DependencyError, ValidationError: see `load_config`.
    """
    tree: Any = read_pickle(Path(file))
    extra_of(tree).source = file
    return finish(tree)


def _name_of(tree: BaseConfig) -> str:
    return short_path(tree.__extra__.source) if tree.__extra__ is not None and tree.__extra__.source else "the config"


def compute(tree: BaseConfig) -> None:
    """Compute the dependencies of a tree, from values of the declared types.

    Raises:
        DependencyError: a dependency raised, or they form a cycle.
        MandatoryValueError: nothing has set what is `???` in a YAML config.
        ValidationError: it raised, and so would have validation: the values that it read may be why.
    """
    if not unresolved(tree):
        return
    if missing := unset(tree):
        raise MandatoryValueError(_name_of(tree), missing)
    before = coerce_leaves(tree)
    try:
        resolve(tree)
    except DependencyError as error:
        restore_leaves(before)
        try:
            validate(tree)
        except ValidationError as refused:
            raise refused from error
        raise
    restore_leaves(before)


def loaded(tree: BaseConfig) -> BaseConfig:
    """The tree, or its loaded form if it still inherits or has dependencies; a tune config has no such form."""
    if not is_tune(tree) and (any(caps_of(node) for node in branches(tree)) or unresolved(tree)):
        return load_config(tree, create_rslt_dir=False)
    return tree


def to_model(tree: BaseConfig, model: type[S]) -> S:
    """See `BaseConfig.to_model`."""
    if not is_schema(model):
        raise SchemaError(f"{short_repr(model)} {NO_SCHEMA}")
    source = loaded(tree)
    if not issubclass(model, TypedConfig):
        return model_of(source, model)
    typed = branch_copy(source)
    become(typed, model)
    made: Any = load_config(typed, create_rslt_dir=False)
    return made.freeze(tree.is_frozen)  # type: ignore[no-any-return]  # of the class asked for, as just validated


def parse_config(
    config_path: Source, experiments_root: Root = None, config_root: Root = None, create_rslt_dir: bool = True
) -> BaseConfig:
    """Open a config, inherit and set `rslt_dir`; dependencies stay as they are, and the tree is writable.

    Args and errors: see `load_config`.
    """
    project = _project_for(config_path)
    tree = prepare(config_path, experiments_root, config_root, None, (), None, project, create_rslt_dir)
    check_result_dir(tree, create_rslt_dir)
    if create_rslt_dir:
        make_result_dir(tree)
    return tree


def _project_for(source: Source) -> Project:
    """The project of a config file, or of the working directory for a tree.

    Raises:
        TypeError: it is neither a path nor a mapping.
    """
    if isinstance(source, (str, os.PathLike)):
        return project_of(source)
    if as_mapping(source) is None:
        got = f"got {short_repr(source)}{_no_config(source)}"
        raise TypeError(f"load_config takes the path of a config file, or a config, {got}")
    return find_project()


def _no_config(source: object) -> str:
    """A way out for what makes configs and is none."""
    if isinstance(source, type):
        return f"\n  pass an instance of it: {source.__name__}()"
    return "\n  pass what its parse_args() returns" if hasattr(source, "parse_args") else ""


def prepare(
    source: Source,
    experiments_root: Root,
    config_root: Root,
    schema: Any,
    overrides: Sequence[str] | None,
    rslt_dir: Root,
    project: Project,
    needs_dir: bool = True,
) -> BaseConfig:
    """The first half of loading: everything before dependencies are computed."""
    named = isinstance(source, (str, os.PathLike))
    with choosing(overrides) as chosen:
        tree = open_tree(source, project=project) if named else tree_of(source, caller())  # type: ignore[arg-type]  # a path
        file = extra_of(tree).source if named else ""
        tree = inherit(tree, project)
    if schema is not None:
        _set_schema(tree, schema)
    applied: list[Override] = []
    if not tuned_caps(tree):  # else the tuner goes on, when it has chosen
        applied = apply_overrides(tree, overrides or (), chosen)
        complete(tree)
        fill_model_defaults(tree)
    name = source if isinstance(source, (str, os.PathLike)) else None
    try:
        set_result_dir(tree, file, name, experiments_root, config_root, rslt_dir, applied, project)
    except ProjectError:
        if needs_dir:  # else a config may lie anywhere, and has no result folder
            raise
    return tree


def _set_schema(tree: BaseConfig, schema: Any) -> None:
    if not is_schema(schema):
        raise SchemaError(f"schema={short_repr(schema)} {NO_SCHEMA}")
    own = schema_of(tree)
    if own is not None and derives(own, schema):
        return
    if own is not None and not derives(schema, own):
        raise InheritanceError(
            f"the config is a {own.__name__}, which does not derive from schema={schema.__name__}",
            chain=[own.__name__, schema.__name__],
        )
    set_schema(tree, schema)


# -- tune configs


def is_tune(tree: BaseConfig) -> bool:
    """Whether the tree is a tune config: its parameters are chosen by the tuner, not by loading."""
    return tree.__extra__ is not None and tree.__extra__.tune is not None


def _refuse_parameters(tree: BaseConfig) -> None:
    if tuned_caps(tree):
        raise TuneError(
            f"{_name_of(tree)}: its caps are a Param2Tune, but it is no tune config\n"
            "  start the file with cfg = Cfg2Tune(...), or name the bases"
        )
    for node in branches(tree):
        for key, value in dict.items(node):
            if isinstance(value, Parameter):
                origin = node.origin((key,))
                at = f" at {origin[0]}" if origin else ""
                raise TuneError(
                    f"{path_of(node, key)}: is a Param2Tune, set{at}, but the config is no tune config\n"
                    "  start the file with cfg = Cfg2Tune(...), or give it one value"
                )


# -- what methods of a config call


def load_in_place(cfg: BaseConfig, **options: Any) -> None:
    """`cfg.load()`: the tree itself becomes the loaded one, if loading succeeds."""
    options = _defaults_as_unset(options)
    take_over(cfg, load_config(cfg, **options))


def parse_in_place(cfg: BaseConfig, **options: Any) -> None:
    """`cfg.parse()`: the same for `parse_config`."""
    take_over(cfg, parse_config(cfg, **_defaults_as_unset(options)))


def _defaults_as_unset(options: dict[str, Any]) -> dict[str, Any]:
    unset = {"experiments_root": "", "config_root": "./configs"}
    return {k: None if k in unset and v == unset[k] else v for k, v in options.items()}
