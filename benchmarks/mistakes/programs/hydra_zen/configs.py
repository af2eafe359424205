"""The base config, and what a run does differently."""

from hydra_zen import builds, make_config
from parts import Loader, Sched, tenth
from task import train
from training import Adam, Mlp, Sgd

LoaderConf = builds(Loader, populate_full_signature=True)
AdamConf = builds(Adam, populate_full_signature=True)
SgdConf = builds(Sgd, populate_full_signature=True)
MlpConf = builds(Mlp, populate_full_signature=True)
SchedConf = builds(Sched, populate_full_signature=True, warm_epochs=builds(tenth, number="${sched.epochs}"))

Base = builds(
    train,
    populate_full_signature=True,
    loader=LoaderConf(batch_size=128),
    opt=AdamConf(lr=0.01),
    model=MlpConf(width=64),
    sched=SchedConf(epochs=30),
    log={"every": 1},
)
Child = make_config(
    seed=1,
    loader=LoaderConf(batch_size=256),
    opt=AdamConf(lr=0.01, weight_decay=0.1),
    model=MlpConf(width=128),
    sched=SchedConf(epochs=54),
    log={"every": 10},
    bases=(Base,),
)
