# Made by `typedcat stubs`, which overwrites it: examples/torch_digits/configs/addons/linear_warm_cos_sched.py
# mypy: ignore-errors
import torch.optim.lr_scheduler
from typedcat import BaseConfig
from typedcat.static.key import Closed, Key
from typing import Any

class Cfg(Closed):
    epochs: Key[int, float | None]
    """examples/torch_digits/configs/addons/linear_warm_cos_sched.py:9  cfg.epochs = 30"""
    warm_epochs: Key[int, float | None]
    """examples/torch_digits/configs/addons/linear_warm_cos_sched.py:12  @cfg.set_DEP(priority=0) # warm_epochs = 10% of total epochs"""
    warm: Key[CfgWarm, BaseConfig | dict[str, Any] | None]
    main: Key[CfgMain, BaseConfig | dict[str, Any] | None]


class CfgWarm(Closed):
    cls: Key[type[torch.optim.lr_scheduler.LinearLR], type[Any] | None]
    """examples/torch_digits/configs/addons/linear_warm_cos_sched.py:17  cfg.warm.cls = sched.LinearLR"""
    ini: Key[CfgWarmIni, BaseConfig | dict[str, Any] | None]


class CfgWarmIni(Closed):
    total_iters: Key[int, float | None]
    """examples/torch_digits/configs/addons/linear_warm_cos_sched.py:18  cfg.warm.ini.total_iters = DEP(lambda c: c.warm_epochs, priority=1)"""
    start_factor: Key[float, float | None]
    """examples/torch_digits/configs/addons/linear_warm_cos_sched.py:19  cfg.warm.ini.start_factor = 1e-2"""
    end_factor: Key[float, float | None]
    """examples/torch_digits/configs/addons/linear_warm_cos_sched.py:20  cfg.warm.ini.end_factor = 1.0"""


class CfgMain(Closed):
    cls: Key[type[torch.optim.lr_scheduler.CosineAnnealingLR], type[Any] | None]
    """examples/torch_digits/configs/addons/linear_warm_cos_sched.py:22  cfg.main.cls = sched.CosineAnnealingLR"""
    ini: Key[CfgMainIni, BaseConfig | dict[str, Any] | None]


class CfgMainIni(Closed):
    T_max: Key[int, float | None]
    """examples/torch_digits/configs/addons/linear_warm_cos_sched.py:23  cfg.main.ini.T_max = DEP(lambda c: c.epochs - c.warm_epochs, priority=2) # main_epochs = total_ep..."""


cfg: Cfg
def __getattr__(name: str) -> Any: ...
