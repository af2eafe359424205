# Made by `typedcat stubs`, which overwrites it: examples/torch_digits/configs/net/base,sched_from_addon,2xbs,2÷epo/cfg.py
# mypy: ignore-errors
import examples.torch_digits.configs.addons.linear_warm_cos_sched
import examples.torch_digits.configs.net.base_u2c_sched_from_addon.cfg
from typedcat import BaseConfig
from typedcat.static.key import Closed, Key
from typing import Any

class Cfg(Closed):
    rand_seed: Key[int, float | None]
    """examples/torch_digits/configs/net/base,sched_from_addon/cfg.py:11  cfg.rand_seed = 0"""
    dt: Key[examples.torch_digits.configs.net.base_u2c_sched_from_addon.cfg.CfgDt, BaseConfig | dict[str, Any] | None]
    loader: Key[CfgLoader, BaseConfig | dict[str, Any] | None]
    model: Key[examples.torch_digits.configs.net.base_u2c_sched_from_addon.cfg.CfgModel, BaseConfig | dict[str, Any] | None]
    opt: Key[examples.torch_digits.configs.net.base_u2c_sched_from_addon.cfg.CfgOpt, BaseConfig | dict[str, Any] | None]
    sched: Key[CfgSched, BaseConfig | dict[str, Any] | None]
    """examples/torch_digits/configs/net/base,sched_from_addon/cfg.py:30  cfg.sched = Config("configs/addons/linear_warm_cos_sched.py")"""
    log: Key[examples.torch_digits.configs.net.base_u2c_sched_from_addon.cfg.CfgLog, BaseConfig | dict[str, Any] | None]


class CfgLoader(Closed):
    ini: Key[CfgLoaderIni, BaseConfig | dict[str, Any] | None]


class CfgLoaderIni(Closed):
    batch_size: Key[int, float | None]
    """examples/torch_digits/configs/net/base,sched_from_addon,2xbs,2÷epo/cfg.py:7  cfg.loader.ini.batch_size = 256
    examples/torch_digits/configs/net/base,sched_from_addon/cfg.py:18  cfg.loader.ini.batch_size = 128"""
    num_workers: Key[int, float | None]
    """examples/torch_digits/configs/net/base,sched_from_addon/cfg.py:19  cfg.loader.ini.num_workers = 0"""


class CfgSched(Closed):
    epochs: Key[int, float | None]
    """examples/torch_digits/configs/net/base,sched_from_addon,2xbs,2÷epo/cfg.py:9  cfg.sched.epochs = 15
    examples/torch_digits/configs/addons/linear_warm_cos_sched.py:9  cfg.epochs = 30"""
    warm_epochs: Key[int, float | None]
    """examples/torch_digits/configs/addons/linear_warm_cos_sched.py:12  @cfg.set_DEP(priority=0) # warm_epochs = 10% of total epochs"""
    warm: Key[examples.torch_digits.configs.addons.linear_warm_cos_sched.CfgWarm, BaseConfig | dict[str, Any] | None]
    main: Key[examples.torch_digits.configs.addons.linear_warm_cos_sched.CfgMain, BaseConfig | dict[str, Any] | None]


cfg: Cfg
def __getattr__(name: str) -> Any: ...
