# Made by `typedcat stubs`, which overwrites it: examples/torch_digits/configs/net/base,sched_from_addon/cfg.py
# mypy: ignore-errors
import examples.torch_digits.configs.addons.linear_warm_cos_sched
import network
import torch.optim.adamw
import torch_dataset
from typedcat import BaseConfig
from typedcat.static.key import Closed, Key
from typing import Any

class Cfg(Closed):
    rand_seed: Key[int, float | None]
    """examples/torch_digits/configs/net/base,sched_from_addon/cfg.py:11  cfg.rand_seed = 0"""
    dt: Key[CfgDt, BaseConfig | dict[str, Any] | None]
    loader: Key[CfgLoader, BaseConfig | dict[str, Any] | None]
    model: Key[CfgModel, BaseConfig | dict[str, Any] | None]
    opt: Key[CfgOpt, BaseConfig | dict[str, Any] | None]
    sched: Key[examples.torch_digits.configs.addons.linear_warm_cos_sched.Cfg, BaseConfig | dict[str, Any] | None]
    """examples/torch_digits/configs/net/base,sched_from_addon/cfg.py:30  cfg.sched = Config("configs/addons/linear_warm_cos_sched.py")"""
    log: Key[CfgLog, BaseConfig | dict[str, Any] | None]


class CfgDt(Closed):
    cls: Key[type[torch_dataset.Digits], type[Any] | None]
    """examples/torch_digits/configs/net/base,sched_from_addon/cfg.py:14  cfg.dt.cls = Digits"""
    ini: Key[CfgDtIni, BaseConfig | dict[str, Any] | None]


class CfgDtIni(Closed):
    test_fraction: Key[float, float | None]
    """examples/torch_digits/configs/net/base,sched_from_addon/cfg.py:15  cfg.dt.ini.test_fraction = 0.25"""


class CfgLoader(Closed):
    ini: Key[CfgLoaderIni, BaseConfig | dict[str, Any] | None]


class CfgLoaderIni(Closed):
    batch_size: Key[int, float | None]
    """examples/torch_digits/configs/net/base,sched_from_addon/cfg.py:18  cfg.loader.ini.batch_size = 128"""
    num_workers: Key[int, float | None]
    """examples/torch_digits/configs/net/base,sched_from_addon/cfg.py:19  cfg.loader.ini.num_workers = 0"""


class CfgModel(Closed):
    cls: Key[type[network.SmallNet], type[Any] | None]
    """examples/torch_digits/configs/net/base,sched_from_addon/cfg.py:22  cfg.model.cls = SmallNet"""
    ini: Key[CfgModelIni, BaseConfig | dict[str, Any] | None]


class CfgModelIni(Closed):
    num_classes: Key[int, float | None]
    """examples/torch_digits/configs/net/base,sched_from_addon/cfg.py:23  cfg.model.ini.num_classes = DEP(lambda c: len(c.dt.cls.classes))"""


class CfgOpt(Closed):
    cls: Key[type[torch.optim.adamw.AdamW], type[Any] | None]
    """examples/torch_digits/configs/net/base,sched_from_addon/cfg.py:26  cfg.opt.cls = optim.AdamW"""
    ini: Key[CfgOptIni, BaseConfig | dict[str, Any] | None]


class CfgOptIni(Closed):
    lr: Key[float, float | None]
    """examples/torch_digits/configs/net/base,sched_from_addon/cfg.py:27  cfg.opt.ini.lr = DEP(lambda c: c.loader.ini.batch_size / 128 * 0.01) # Linear scaling rule."""


class CfgLog(Closed):
    save_interval: Key[int, float | None]
    """examples/torch_digits/configs/net/base,sched_from_addon/cfg.py:33  cfg.log.save_interval = DEP(lambda c: max(1, c.sched.epochs // 5), priority=1) # Save at every 20..."""


cfg: Cfg
def __getattr__(name: str) -> Any: ...
