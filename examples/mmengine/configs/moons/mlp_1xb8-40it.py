# A config of mmengine: `python train.py configs/moons/mlp_1xb8-40it.py` trains it without typedcat.
_base_ = ["../_base_/model.py", "../_base_/dataset.py", "../_base_/runtime.py"]
max_iters = 40
model = dict(hidden=32)
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=0.05, momentum=0.9))
param_scheduler = [dict(type="PolyLR", eta_min=1e-4, power=0.9, begin=0, end=max_iters, by_epoch=False)]
train_cfg = dict(type="IterBasedTrainLoop", max_iters=max_iters, val_interval=max_iters)
