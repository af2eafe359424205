# Made by `typedcat stubs`, which overwrites it: examples/digits/configs/digits/base,sched_from_addon,2xbs,2÷epo/cfg.py
# mypy: ignore-errors
import schema
from typing import Any

cfg: schema.Train
def __getattr__(name: str) -> Any: ...
