# Made by `typedcat stubs`, which overwrites it: examples/torch_digits/configs/net/base/cfg.py
# mypy: ignore-errors
import network
import torch.optim.adamw
import torch.optim.lr_scheduler
import torch_dataset
from typedcat import BaseConfig
from typedcat.static.key import Closed, Key
from typing import Any

class Cfg(Closed):
    rand_seed: Key[int, float | None]
    """examples/torch_digits/configs/net/base/cfg.py:12  cfg.rand_seed = 0"""
    dt: Key[CfgDt, BaseConfig | dict[str, Any] | None]
    loader: Key[CfgLoader, BaseConfig | dict[str, Any] | None]
    model: Key[CfgModel, BaseConfig | dict[str, Any] | None]
    opt: Key[CfgOpt, BaseConfig | dict[str, Any] | None]
    sched: Key[CfgSched, BaseConfig | dict[str, Any] | None]
    log: Key[CfgLog, BaseConfig | dict[str, Any] | None]


class CfgDt(Closed):
    cls: Key[type[torch_dataset.Digits], type[Any] | None]
    """examples/torch_digits/configs/net/base/cfg.py:15  cfg.dt.cls = Digits"""
    ini: Key[CfgDtIni, BaseConfig | dict[str, Any] | None]


class CfgDtIni(Closed):
    test_fraction: Key[float, float | None]
    """examples/torch_digits/configs/net/base/cfg.py:16  cfg.dt.ini.test_fraction = 0.25"""


class CfgLoader(Closed):
    ini: Key[CfgLoaderIni, BaseConfig | dict[str, Any] | None]


class CfgLoaderIni(Closed):
    batch_size: Key[int, float | None]
    """examples/torch_digits/configs/net/base/cfg.py:19  cfg.loader.ini.batch_size = 128"""
    num_workers: Key[int, float | None]
    """examples/torch_digits/configs/net/base/cfg.py:20  cfg.loader.ini.num_workers = 0 # The whole dataset is in memory: a worker would only cost its start."""


class CfgModel(Closed):
    cls: Key[type[network.SmallNet], type[Any] | None]
    """examples/torch_digits/configs/net/base/cfg.py:23  cfg.model.cls = SmallNet"""
    ini: Key[CfgModelIni, BaseConfig | dict[str, Any] | None]


class CfgModelIni(Closed):
    num_classes: Key[int, float | None]
    """examples/torch_digits/configs/net/base/cfg.py:24  cfg.model.ini.num_classes = DEP(lambda c: len(c.dt.cls.classes))"""


class CfgOpt(Closed):
    cls: Key[type[torch.optim.adamw.AdamW], type[Any] | None]
    """examples/torch_digits/configs/net/base/cfg.py:27  cfg.opt.cls = optim.AdamW"""
    ini: Key[CfgOptIni, BaseConfig | dict[str, Any] | None]


class CfgOptIni(Closed):
    lr: Key[float, float | None]
    """examples/torch_digits/configs/net/base/cfg.py:28  cfg.opt.ini.lr = DEP(lambda c: c.loader.ini.batch_size / 128 * 0.01) # Linear scaling rule."""


class CfgSched(Closed):
    epochs: Key[int, float | None]
    """examples/torch_digits/configs/net/base/cfg.py:31  cfg.sched.epochs = 30"""
    warm_epochs: Key[int, float | None]
    """examples/torch_digits/configs/net/base/cfg.py:32  cfg.sched.warm_epochs = DEP(lambda c: round(0.1 * c.sched.epochs), priority=0) # 10% of total epochs"""
    warm: Key[CfgSchedWarm, BaseConfig | dict[str, Any] | None]
    main: Key[CfgSchedMain, BaseConfig | dict[str, Any] | None]


class CfgSchedWarm(Closed):
    cls: Key[type[torch.optim.lr_scheduler.LinearLR], type[Any] | None]
    """examples/torch_digits/configs/net/base/cfg.py:34  cfg.sched.warm.cls = sched.LinearLR"""
    ini: Key[CfgSchedWarmIni, BaseConfig | dict[str, Any] | None]


class CfgSchedWarmIni(Closed):
    total_iters: Key[int, float | None]
    """examples/torch_digits/configs/net/base/cfg.py:35  cfg.sched.warm.ini.total_iters = DEP(lambda c: c.sched.warm_epochs, priority=1)"""
    start_factor: Key[float, float | None]
    """examples/torch_digits/configs/net/base/cfg.py:36  cfg.sched.warm.ini.start_factor = 1e-2"""
    end_factor: Key[float, float | None]
    """examples/torch_digits/configs/net/base/cfg.py:37  cfg.sched.warm.ini.end_factor = 1.0"""


class CfgSchedMain(Closed):
    cls: Key[type[torch.optim.lr_scheduler.CosineAnnealingLR], type[Any] | None]
    """examples/torch_digits/configs/net/base/cfg.py:39  cfg.sched.main.cls = sched.CosineAnnealingLR"""
    ini: Key[CfgSchedMainIni, BaseConfig | dict[str, Any] | None]


class CfgSchedMainIni(Closed):
    T_max: Key[int, float | None]
    """examples/torch_digits/configs/net/base/cfg.py:40  cfg.sched.main.ini.T_max = DEP(lambda c: c.sched.epochs - c.sched.warm_epochs, priority=2)"""


class CfgLog(Closed):
    save_interval: Key[int, float | None]
    """examples/torch_digits/configs/net/base/cfg.py:43  cfg.log.save_interval = DEP(lambda c: max(1, c.sched.epochs // 5), priority=1) # Save at every 20..."""


cfg: Cfg
def __getattr__(name: str) -> Any: ...
