# Made by `typedcat stubs`, which overwrites it: examples/torch_digits/configs/net/base,2xbs/cfg.py
# mypy: ignore-errors
import examples.torch_digits.configs.net.base.cfg
from typedcat import BaseConfig
from typedcat.static.key import Closed, Key
from typing import Any

class Cfg(Closed):
    rand_seed: Key[int, float | None]
    """examples/torch_digits/configs/net/base/cfg.py:12  cfg.rand_seed = 0"""
    dt: Key[examples.torch_digits.configs.net.base.cfg.CfgDt, BaseConfig | dict[str, Any] | None]
    loader: Key[CfgLoader, BaseConfig | dict[str, Any] | None]
    model: Key[examples.torch_digits.configs.net.base.cfg.CfgModel, BaseConfig | dict[str, Any] | None]
    opt: Key[examples.torch_digits.configs.net.base.cfg.CfgOpt, BaseConfig | dict[str, Any] | None]
    sched: Key[examples.torch_digits.configs.net.base.cfg.CfgSched, BaseConfig | dict[str, Any] | None]
    log: Key[examples.torch_digits.configs.net.base.cfg.CfgLog, BaseConfig | dict[str, Any] | None]


class CfgLoader(Closed):
    ini: Key[CfgLoaderIni, BaseConfig | dict[str, Any] | None]


class CfgLoaderIni(Closed):
    batch_size: Key[int, float | None]
    """examples/torch_digits/configs/net/base,2xbs/cfg.py:7  cfg.loader.ini.batch_size = 128 * 2
    examples/torch_digits/configs/net/base/cfg.py:19  cfg.loader.ini.batch_size = 128"""
    num_workers: Key[int, float | None]
    """examples/torch_digits/configs/net/base/cfg.py:20  cfg.loader.ini.num_workers = 0 # The whole dataset is in memory: a worker would only cost its start."""


cfg: Cfg
def __getattr__(name: str) -> Any: ...
