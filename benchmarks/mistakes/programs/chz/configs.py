"""The base config, and what a run does differently: presets, as blueprints."""

import chz

from schema import AdamConfig, MlpConfig, Train

BASE = chz.Blueprint(Train).apply(
    {
        "loader.batch_size": 128,
        "opt": AdamConfig,
        "opt.lr": 0.01,
        "model": MlpConfig,
        "model.width": 64,
        "sched.epochs": 30,
        "log.every": 1,
    },
    layer_name="base",
)
CHILD = BASE.clone().apply(
    {
        "seed": 1,
        "loader.batch_size": 256,
        "opt.weight_decay": 0.1,
        "model.width": 128,
        "sched.epochs": 54,
        "log.every": 10,
    },
    layer_name="child",
)
