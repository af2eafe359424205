# How mmengine runs.
custom_imports = dict(imports=["moons"])
default_scope = "mmengine"
default_hooks = dict(
    logger=dict(type="LoggerHook", interval=20),
    checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=1000),
)
log_processor = dict(by_epoch=False)
log_level = "INFO"
randomness = dict(seed=0)
