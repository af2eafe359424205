# Made by `typedcat stubs`, which overwrites it: examples/mmengine/configs/moons/mlp_1xb8-40it.py
# mypy: ignore-errors
from typedcat import BaseConfig
from typedcat.static.key import Closed, Key
from typing import Any

class Cfg(Closed):
    model: Key[CfgModel, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/moons/mlp_1xb8-40it.py:4  model = dict(hidden=32)"""
    train_dataloader: Key[CfgTrainDataloader, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/dataset.py:2  train_dataloader = dict("""
    val_dataloader: Key[CfgValDataloader, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/dataset.py:9  val_dataloader = dict("""
    val_evaluator: Key[CfgValEvaluator, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/dataset.py:16  val_evaluator = dict(type="MeanAccuracy")"""
    val_cfg: Key[CfgValCfg, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/dataset.py:17  val_cfg = dict(type="ValLoop")"""
    custom_imports: Key[CfgCustomImports, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/runtime.py:2  custom_imports = dict(imports=["moons"])"""
    default_scope: Key[str, str | None]
    """examples/mmengine/configs/_base_/runtime.py:3  default_scope = "mmengine" """
    default_hooks: Key[CfgDefaultHooks, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/runtime.py:4  default_hooks = dict("""
    log_processor: Key[CfgLogProcessor, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/runtime.py:8  log_processor = dict(by_epoch=False)"""
    log_level: Key[str, str | None]
    """examples/mmengine/configs/_base_/runtime.py:9  log_level = "INFO" """
    randomness: Key[CfgRandomness, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/runtime.py:10  randomness = dict(seed=0)"""
    max_iters: Key[int, float | None]
    """examples/mmengine/configs/moons/mlp_1xb8-40it.py:3  max_iters = 40"""
    optim_wrapper: Key[CfgOptimWrapper, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/moons/mlp_1xb8-40it.py:5  optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=0.05, momentum=0.9))"""
    param_scheduler: Key[list[dict[str, bool | float | int | str]], list[Any] | tuple[Any, ...] | None]
    """examples/mmengine/configs/moons/mlp_1xb8-40it.py:6  param_scheduler = [dict(type="PolyLR", eta_min=1e-4, power=0.9, begin=0, end=max_iters, by_epoch=..."""
    train_cfg: Key[CfgTrainCfg, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/moons/mlp_1xb8-40it.py:7  train_cfg = dict(type="IterBasedTrainLoop", max_iters=max_iters, val_interval=max_iters)"""


class CfgModel(Closed):
    type: Key[str, str | None]
    """examples/mmengine/configs/_base_/model.py:2  model = dict(type="Mlp", hidden=16, loss=dict(type="CrossEntropy", loss_weight=1.0))"""
    hidden: Key[int, float | None]
    """examples/mmengine/configs/moons/mlp_1xb8-40it.py:4  model = dict(hidden=32)"""
    loss: Key[CfgModelLoss, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/model.py:2  model = dict(type="Mlp", hidden=16, loss=dict(type="CrossEntropy", loss_weight=1.0))"""


class CfgModelLoss(Closed):
    type: Key[str, str | None]
    """examples/mmengine/configs/_base_/model.py:2  model = dict(type="Mlp", hidden=16, loss=dict(type="CrossEntropy", loss_weight=1.0))"""
    loss_weight: Key[float, float | None]
    """examples/mmengine/configs/_base_/model.py:2  model = dict(type="Mlp", hidden=16, loss=dict(type="CrossEntropy", loss_weight=1.0))"""


class CfgTrainDataloader(Closed):
    batch_size: Key[int, float | None]
    """examples/mmengine/configs/_base_/dataset.py:3  batch_size=8,"""
    num_workers: Key[int, float | None]
    """examples/mmengine/configs/_base_/dataset.py:4  num_workers=0,"""
    collate_fn: Key[CfgTrainDataloaderCollateFn, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/dataset.py:5  collate_fn=dict(type="default_collate"),"""
    sampler: Key[CfgTrainDataloaderSampler, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/dataset.py:6  sampler=dict(type="InfiniteSampler", shuffle=True),"""
    dataset: Key[CfgTrainDataloaderDataset, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/dataset.py:7  dataset=dict(type="Moons", size=400, seed=0),"""


class CfgTrainDataloaderCollateFn(Closed):
    type: Key[str, str | None]
    """examples/mmengine/configs/_base_/dataset.py:5  collate_fn=dict(type="default_collate"),"""


class CfgTrainDataloaderSampler(Closed):
    type: Key[str, str | None]
    """examples/mmengine/configs/_base_/dataset.py:6  sampler=dict(type="InfiniteSampler", shuffle=True),"""
    shuffle: Key[bool, bool | None]
    """examples/mmengine/configs/_base_/dataset.py:6  sampler=dict(type="InfiniteSampler", shuffle=True),"""


class CfgTrainDataloaderDataset(Closed):
    type: Key[str, str | None]
    """examples/mmengine/configs/_base_/dataset.py:7  dataset=dict(type="Moons", size=400, seed=0),"""
    size: Key[int, float | None]
    """examples/mmengine/configs/_base_/dataset.py:7  dataset=dict(type="Moons", size=400, seed=0),"""
    seed: Key[int, float | None]
    """examples/mmengine/configs/_base_/dataset.py:7  dataset=dict(type="Moons", size=400, seed=0),"""


class CfgValDataloader(Closed):
    batch_size: Key[int, float | None]
    """examples/mmengine/configs/_base_/dataset.py:10  batch_size=100,"""
    num_workers: Key[int, float | None]
    """examples/mmengine/configs/_base_/dataset.py:11  num_workers=0,"""
    collate_fn: Key[CfgValDataloaderCollateFn, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/dataset.py:12  collate_fn=dict(type="default_collate"),"""
    sampler: Key[CfgValDataloaderSampler, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/dataset.py:13  sampler=dict(type="DefaultSampler", shuffle=False),"""
    dataset: Key[CfgValDataloaderDataset, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/dataset.py:14  dataset=dict(type="Moons", size=400, seed=1),"""


class CfgValDataloaderCollateFn(Closed):
    type: Key[str, str | None]
    """examples/mmengine/configs/_base_/dataset.py:12  collate_fn=dict(type="default_collate"),"""


class CfgValDataloaderSampler(Closed):
    type: Key[str, str | None]
    """examples/mmengine/configs/_base_/dataset.py:13  sampler=dict(type="DefaultSampler", shuffle=False),"""
    shuffle: Key[bool, bool | None]
    """examples/mmengine/configs/_base_/dataset.py:13  sampler=dict(type="DefaultSampler", shuffle=False),"""


class CfgValDataloaderDataset(Closed):
    type: Key[str, str | None]
    """examples/mmengine/configs/_base_/dataset.py:14  dataset=dict(type="Moons", size=400, seed=1),"""
    size: Key[int, float | None]
    """examples/mmengine/configs/_base_/dataset.py:14  dataset=dict(type="Moons", size=400, seed=1),"""
    seed: Key[int, float | None]
    """examples/mmengine/configs/_base_/dataset.py:14  dataset=dict(type="Moons", size=400, seed=1),"""


class CfgValEvaluator(Closed):
    type: Key[str, str | None]
    """examples/mmengine/configs/_base_/dataset.py:16  val_evaluator = dict(type="MeanAccuracy")"""


class CfgValCfg(Closed):
    type: Key[str, str | None]
    """examples/mmengine/configs/_base_/dataset.py:17  val_cfg = dict(type="ValLoop")"""


class CfgCustomImports(Closed):
    imports: Key[list[str], list[Any] | tuple[Any, ...] | None]
    """examples/mmengine/configs/_base_/runtime.py:2  custom_imports = dict(imports=["moons"])"""


class CfgDefaultHooks(Closed):
    logger: Key[CfgDefaultHooksLogger, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/runtime.py:5  logger=dict(type="LoggerHook", interval=20),"""
    checkpoint: Key[CfgDefaultHooksCheckpoint, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/runtime.py:6  checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=1000),"""


class CfgDefaultHooksLogger(Closed):
    type: Key[str, str | None]
    """examples/mmengine/configs/_base_/runtime.py:5  logger=dict(type="LoggerHook", interval=20),"""
    interval: Key[int, float | None]
    """examples/mmengine/configs/_base_/runtime.py:5  logger=dict(type="LoggerHook", interval=20),"""


class CfgDefaultHooksCheckpoint(Closed):
    type: Key[str, str | None]
    """examples/mmengine/configs/_base_/runtime.py:6  checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=1000),"""
    by_epoch: Key[bool, bool | None]
    """examples/mmengine/configs/_base_/runtime.py:6  checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=1000),"""
    interval: Key[int, float | None]
    """examples/mmengine/configs/_base_/runtime.py:6  checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=1000),"""


class CfgLogProcessor(Closed):
    by_epoch: Key[bool, bool | None]
    """examples/mmengine/configs/_base_/runtime.py:8  log_processor = dict(by_epoch=False)"""


class CfgRandomness(Closed):
    seed: Key[int, float | None]
    """examples/mmengine/configs/_base_/runtime.py:10  randomness = dict(seed=0)"""


class CfgOptimWrapper(Closed):
    type: Key[str, str | None]
    """examples/mmengine/configs/moons/mlp_1xb8-40it.py:5  optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=0.05, momentum=0.9))"""
    optimizer: Key[CfgOptimWrapperOptimizer, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/moons/mlp_1xb8-40it.py:5  optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=0.05, momentum=0.9))"""


class CfgOptimWrapperOptimizer(Closed):
    type: Key[str, str | None]
    """examples/mmengine/configs/moons/mlp_1xb8-40it.py:5  optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=0.05, momentum=0.9))"""
    lr: Key[float, float | None]
    """examples/mmengine/configs/moons/mlp_1xb8-40it.py:5  optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=0.05, momentum=0.9))"""
    momentum: Key[float, float | None]
    """examples/mmengine/configs/moons/mlp_1xb8-40it.py:5  optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=0.05, momentum=0.9))"""


class CfgTrainCfg(Closed):
    type: Key[str, str | None]
    """examples/mmengine/configs/moons/mlp_1xb8-40it.py:7  train_cfg = dict(type="IterBasedTrainLoop", max_iters=max_iters, val_interval=max_iters)"""
    max_iters: Key[int, float | None]
    """examples/mmengine/configs/moons/mlp_1xb8-40it.py:7  train_cfg = dict(type="IterBasedTrainLoop", max_iters=max_iters, val_interval=max_iters)"""
    val_interval: Key[int, float | None]
    """examples/mmengine/configs/moons/mlp_1xb8-40it.py:7  train_cfg = dict(type="IterBasedTrainLoop", max_iters=max_iters, val_interval=max_iters)"""


cfg: Cfg
def __getattr__(name: str) -> Any: ...
