# Made by `typedcat stubs`, which overwrites it: examples/mmengine/configs/moons/tune_bs,iter/cfg.py
# mypy: ignore-errors
import examples.mmengine.configs.moons.mlp_1xb8_u2d_40it
from typedcat import BaseConfig
from typedcat.static.key import Closed, Key
from typing import Any

class Cfg(Closed):
    model: Key[CfgModel, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/moons/mlp_1xb8-40it.py:4  model = dict(hidden=32)"""
    train_dataloader: Key[CfgTrainDataloader, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/dataset.py:2  train_dataloader = dict("""
    val_dataloader: Key[examples.mmengine.configs.moons.mlp_1xb8_u2d_40it.CfgValDataloader, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/dataset.py:9  val_dataloader = dict("""
    val_evaluator: Key[examples.mmengine.configs.moons.mlp_1xb8_u2d_40it.CfgValEvaluator, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/dataset.py:16  val_evaluator = dict(type="MeanAccuracy")"""
    val_cfg: Key[examples.mmengine.configs.moons.mlp_1xb8_u2d_40it.CfgValCfg, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/dataset.py:17  val_cfg = dict(type="ValLoop")"""
    custom_imports: Key[examples.mmengine.configs.moons.mlp_1xb8_u2d_40it.CfgCustomImports, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/runtime.py:2  custom_imports = dict(imports=["moons"])"""
    default_scope: Key[str, str | None]
    """examples/mmengine/configs/_base_/runtime.py:3  default_scope = "mmengine" """
    default_hooks: Key[examples.mmengine.configs.moons.mlp_1xb8_u2d_40it.CfgDefaultHooks, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/runtime.py:4  default_hooks = dict("""
    log_processor: Key[examples.mmengine.configs.moons.mlp_1xb8_u2d_40it.CfgLogProcessor, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/runtime.py:8  log_processor = dict(by_epoch=False)"""
    log_level: Key[str, str | None]
    """examples/mmengine/configs/_base_/runtime.py:9  log_level = "INFO" """
    randomness: Key[examples.mmengine.configs.moons.mlp_1xb8_u2d_40it.CfgRandomness, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/runtime.py:10  randomness = dict(seed=0)"""
    max_iters: Key[int, float | None]
    """examples/mmengine/configs/moons/mlp_1xb8-40it.py:3  max_iters = 40"""
    optim_wrapper: Key[CfgOptimWrapper, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/moons/mlp_1xb8-40it.py:5  optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=0.05, momentum=0.9))"""
    param_scheduler: Key[list[dict[str, bool | float | int | str]], list[Any] | tuple[Any, ...] | None]
    """examples/mmengine/configs/moons/tune_bs,iter/cfg.py:24  @cfg.set_DEP()
    examples/mmengine/configs/moons/mlp_1xb8-40it.py:6  param_scheduler = [dict(type="PolyLR", eta_min=1e-4, power=0.9, begin=0, end=max_iters, by_epoch=..."""
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
    """examples/mmengine/configs/moons/tune_bs,iter/cfg.py:11  cfg.model.loss.loss_weight = 0.8
    examples/mmengine/configs/_base_/model.py:2  model = dict(type="Mlp", hidden=16, loss=dict(type="CrossEntropy", loss_weight=1.0))"""


class CfgTrainDataloader(Closed):
    batch_size: Key[int, float | None]
    """examples/mmengine/configs/moons/tune_bs,iter/cfg.py:14  cfg.train_dataloader.batch_size = Param2Tune([8, 32])
    examples/mmengine/configs/_base_/dataset.py:3  batch_size=8,"""
    num_workers: Key[int, float | None]
    """examples/mmengine/configs/_base_/dataset.py:4  num_workers=0,"""
    collate_fn: Key[examples.mmengine.configs.moons.mlp_1xb8_u2d_40it.CfgTrainDataloaderCollateFn, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/dataset.py:5  collate_fn=dict(type="default_collate"),"""
    sampler: Key[examples.mmengine.configs.moons.mlp_1xb8_u2d_40it.CfgTrainDataloaderSampler, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/dataset.py:6  sampler=dict(type="InfiniteSampler", shuffle=True),"""
    dataset: Key[examples.mmengine.configs.moons.mlp_1xb8_u2d_40it.CfgTrainDataloaderDataset, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/_base_/dataset.py:7  dataset=dict(type="Moons", size=400, seed=0),"""


class CfgOptimWrapper(Closed):
    type: Key[str, str | None]
    """examples/mmengine/configs/moons/mlp_1xb8-40it.py:5  optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=0.05, momentum=0.9))"""
    optimizer: Key[CfgOptimWrapperOptimizer, BaseConfig | dict[str, Any] | None]
    """examples/mmengine/configs/moons/mlp_1xb8-40it.py:5  optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=0.05, momentum=0.9))"""


class CfgOptimWrapperOptimizer(Closed):
    type: Key[str, str | None]
    """examples/mmengine/configs/moons/mlp_1xb8-40it.py:5  optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=0.05, momentum=0.9))"""
    lr: Key[float, float | None]
    """examples/mmengine/configs/moons/tune_bs,iter/cfg.py:20  cfg.optim_wrapper.optimizer.lr = cfg.P_DEP(lambda c: c.train_dataloader.batch_size / 8 * 0.05)
    examples/mmengine/configs/moons/mlp_1xb8-40it.py:5  optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=0.05, momentum=0.9))"""
    momentum: Key[float, float | None]
    """examples/mmengine/configs/moons/mlp_1xb8-40it.py:5  optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=0.05, momentum=0.9))"""


class CfgTrainCfg(Closed):
    type: Key[str, str | None]
    """examples/mmengine/configs/moons/mlp_1xb8-40it.py:7  train_cfg = dict(type="IterBasedTrainLoop", max_iters=max_iters, val_interval=max_iters)"""
    max_iters: Key[int, float | None]
    """examples/mmengine/configs/moons/tune_bs,iter/cfg.py:15  cfg.train_cfg.max_iters = Param2Tune([40, 80])
    examples/mmengine/configs/moons/mlp_1xb8-40it.py:7  train_cfg = dict(type="IterBasedTrainLoop", max_iters=max_iters, val_interval=max_iters)"""
    val_interval: Key[int, float | None]
    """examples/mmengine/configs/moons/tune_bs,iter/cfg.py:16  cfg.train_cfg.val_interval = cfg.P_DEP(lambda c: c.train_cfg.max_iters)
    examples/mmengine/configs/moons/mlp_1xb8-40it.py:7  train_cfg = dict(type="IterBasedTrainLoop", max_iters=max_iters, val_interval=max_iters)"""


cfg: Cfg
def __getattr__(name: str) -> Any: ...
