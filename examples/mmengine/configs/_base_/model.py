# The model, as any MMCV config has it.
model = dict(type="Mlp", hidden=16, loss=dict(type="CrossEntropy", loss_weight=1.0))
