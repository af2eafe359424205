# Made by `typedcat stubs`, which overwrites it: examples/torch_digits/configs/patches/sgd.py
# mypy: ignore-errors
import torch.optim.sgd
from typedcat import BaseConfig
from typedcat.static.key import Closed, Key
from typing import Any

class Cfg(Closed):
    opt: Key[CfgOpt, BaseConfig | dict[str, Any] | None]


class CfgOpt(Closed):
    cls: Key[type[torch.optim.sgd.SGD], type[Any] | None]
    """examples/torch_digits/configs/patches/sgd.py:10  cfg.opt.cls = optim.SGD"""
    ini: Key[CfgOptIni, BaseConfig | dict[str, Any] | None]


class CfgOptIni(Closed):
    lr: Key[float, float | None]
    """examples/torch_digits/configs/patches/sgd.py:11  cfg.opt.ini.lr = 0.1"""
    momentum: Key[float, float | None]
    """examples/torch_digits/configs/patches/sgd.py:12  cfg.opt.ini.momentum = 0.9"""
    nesterov: Key[bool, bool | None]
    """examples/torch_digits/configs/patches/sgd.py:13  cfg.opt.ini.nesterov = True"""


cfg: Cfg
def __getattr__(name: str) -> Any: ...
