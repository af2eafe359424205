"""What a run does differently from the base, which is the defaults of the classes."""

from schema import AdamConfig, Loader, MlpConfig, Sched, Train

CHILD = Train(
    seed=1,
    loader=Loader(batch_size=256),
    opt=AdamConfig(weight_decay=0.1),
    model=MlpConfig(width=128),
    sched=Sched(epochs=54),
    log={"every": 10},
)
