"""The base, and what a YAML file does differently."""

from schema import Train
from typedcat import inherit

cfg = inherit("configs/base.py", "configs/child.yaml", schema=Train)
