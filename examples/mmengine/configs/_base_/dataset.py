# Data, made on the spot.
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    collate_fn=dict(type="default_collate"),
    sampler=dict(type="InfiniteSampler", shuffle=True),
    dataset=dict(type="Moons", size=400, seed=0),
)
val_dataloader = dict(
    batch_size=100,
    num_workers=0,
    collate_fn=dict(type="default_collate"),
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(type="Moons", size=400, seed=1),
)
val_evaluator = dict(type="MeanAccuracy")
val_cfg = dict(type="ValLoop")
