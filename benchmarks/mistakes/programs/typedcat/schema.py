"""Every key of the config, with its type, its limits and its default."""

from typing import Annotated

from pydantic import Field
from training import Adam, Mlp, Model, Optimizer

from typedcat import Config, TypedConfig

Count = Annotated[int, Field(gt=0)]


class Loader(TypedConfig):
    """How the data is cut into batches."""

    batch_size: Count = 128
    num_workers: int = 2


class OptIni(TypedConfig):
    """Arguments of the optimizer."""

    lr: float = 0.01
    weight_decay: float = 0.0


class Opt(TypedConfig):
    """How is trained."""

    cls: type[Optimizer] = Adam
    ini: OptIni = OptIni()


class ModelPart(TypedConfig):
    """What is trained. `ini` is open: its keys are those of whatever class a config chooses."""

    cls: type[Model] = Mlp
    ini: Config = Config(width=64)


class Sched(TypedConfig):
    """How long is trained."""

    epochs: Count = 30
    warm_epochs: int = 0


class Train(TypedConfig):
    """A training run."""

    seed: int
    loader: Loader = Loader()
    opt: Opt = Opt()
    model: ModelPart = ModelPart()
    sched: Sched = Sched()
    log: Config = Config(every=1)
