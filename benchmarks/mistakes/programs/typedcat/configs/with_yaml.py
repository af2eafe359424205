"""The base, and what a YAML file does differently."""

from typedcat_catalog import inherit

cfg = inherit("configs/base.py", "configs/child.yaml")
