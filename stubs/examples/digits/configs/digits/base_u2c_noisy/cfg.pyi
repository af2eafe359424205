# Made by `typedcat stubs`, which overwrites it: examples/digits/configs/digits/base,noisy/cfg.py
# mypy: ignore-errors
import schema
from typing import Any

cfg: schema.Train
bases: schema.Train
def __getattr__(name: str) -> Any: ...
