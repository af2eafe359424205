# Made by `typedcat stubs`, which overwrites it: examples/torch_digits/configs/net/base,sgd/cfg.py
# mypy: ignore-errors
import examples.torch_digits.configs.net.base.cfg
import examples.torch_digits.configs.net.base_u2c_sgd.cfg
import examples.torch_digits.configs.patches.sgd
from typedcat import BaseConfig
from typedcat.static.key import Closed, Key
from typing import Any

class Cfg(Closed):
    rand_seed: Key[int, float | None]
    """examples/torch_digits/configs/net/base/cfg.py:12  cfg.rand_seed = 0"""
    dt: Key[examples.torch_digits.configs.net.base.cfg.CfgDt, BaseConfig | dict[str, Any] | None]
    loader: Key[examples.torch_digits.configs.net.base.cfg.CfgLoader, BaseConfig | dict[str, Any] | None]
    model: Key[examples.torch_digits.configs.net.base.cfg.CfgModel, BaseConfig | dict[str, Any] | None]
    opt: Key[examples.torch_digits.configs.patches.sgd.CfgOpt, BaseConfig | dict[str, Any] | None]
    sched: Key[examples.torch_digits.configs.net.base.cfg.CfgSched, BaseConfig | dict[str, Any] | None]
    log: Key[examples.torch_digits.configs.net.base.cfg.CfgLog, BaseConfig | dict[str, Any] | None]


cfg: Cfg
bases: examples.torch_digits.configs.net.base_u2c_sgd.cfg.Cfg
def __getattr__(name: str) -> Any: ...
