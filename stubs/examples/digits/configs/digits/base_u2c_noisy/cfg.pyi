# Made by `typedcat stubs`, which overwrites it: examples/digits/configs/digits/base,noisy/cfg.py
# mypy: ignore-errors
import examples.digits.configs.digits.base.cfg
from typing import Any

cfg: examples.digits.configs.digits.base.cfg.Cfg
bases: examples.digits.configs.digits.base.cfg.Cfg
def __getattr__(name: str) -> Any: ...
