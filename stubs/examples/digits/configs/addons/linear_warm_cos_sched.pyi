# Made by `typedcat stubs`, which overwrites it: examples/digits/configs/addons/linear_warm_cos_sched.py
# mypy: ignore-errors
import schema
from typing import Any

cfg: schema.Sched
def __getattr__(name: str) -> Any: ...
