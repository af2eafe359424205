"""Reads what a run of mmengine has measured."""

from typedcat.tune.mmcv_metric import get_metric

__all__ = ["get_metric"]
