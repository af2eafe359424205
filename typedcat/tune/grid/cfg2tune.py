"""`Cfg2Tune`: a config with parameters to tune."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, Literal

from ...tree.config import BaseConfig, Config
from ...tree.node import extra_of
from .grid import Grid, ParamComb, load_tune
from .settings import TuneSettings


class Cfg2Tune(Config):
    """A config with parameters to tune: each combination of their values makes a child config.

        cfg = Cfg2Tune(caps="configs/base/cfg.py")
        cfg.loader.ini.batch_size = Param2Tune([128, 256])

    With a `TypedConfig` class as `schema=`, what is made is a node of that class; the methods below take it as well, as
    in `Cfg2Tune.get_cfgs(cfg)`.

    Args: see `Config`, and `TuneSettings` for what is said about the grid as a whole: `subject_to`, `repeats`,
        `seed_key`, `volatile` and `better`.
    """

    __slots__ = ()
    __tunes__ = True

    @classmethod
    def __fill__(
        cls,
        self: BaseConfig,
        cfgs: tuple[Any, ...],
        /,
        caps: Any = (),
        cfgs_update_at_parser: Any = (),
        schema: Any = None,
        subject_to: Any = None,
        repeats: int | None = None,
        seed_key: str | None = None,
        volatile: Iterable[str] | None = None,
        better: Mapping[str, Literal["max", "min"]] | None = None,
        **values: Any,
    ) -> None:
        keys = None if volatile is None else (volatile,) if isinstance(volatile, str) else tuple(volatile)
        goals = dict(better) if isinstance(better, Mapping) else better  # the settings refuse anything else
        settings = TuneSettings(subject_to, repeats, seed_key, keys, goals)
        super().__fill__(self, cfgs, caps, cfgs_update_at_parser, schema, **values)
        extra_of(self).tune = settings

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
