"""Every key that a config of this project may have, with its type, its limits and its default.

A misspelt key or a wrong type in a config is an error in the editor, in mypy and pyright, and when it is loaded.
"""

from typing import Annotated

from pydantic import Field

from dataset import Digits
from models import Classifier, SoftmaxRegression
from optim import AdamW, CosineDecay, LinearWarmup, Schedule
from typedcat import DEP, Config, TypedConfig

Count = Annotated[int, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class DatasetIni(TypedConfig):
    """Arguments of the dataset."""

    test_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.25
    split_seed: int = 0
    noise: Annotated[float, Field(ge=0)] = 0.0


class Dataset(TypedConfig):
    """What is learned from."""

    cls: type[Digits] = Digits
    ini: DatasetIni = DatasetIni()


class LoaderIni(TypedConfig):
    """Arguments of the loader."""

    batch_size: Count = 128
    drop_last: bool = False


class Loader(TypedConfig):
    """How the data is cut into batches."""

    ini: LoaderIni = LoaderIni()


class Model(TypedConfig):
    """What is trained. `ini` is open: its keys are those of whatever class a config chooses."""

    cls: type[Classifier] = SoftmaxRegression
    ini: Config = Config()


class OptIni(TypedConfig):
    """Arguments of the optimizer."""

    lr: Annotated[float, Field(gt=0)] = 0.01
    weight_decay: Annotated[float, Field(ge=0)] = 0.0


class Opt(TypedConfig):
    """How it is trained."""

    cls: type[AdamW] = AdamW
    ini: OptIni = OptIni()


class WarmIni(TypedConfig):
    """Arguments of the warm-up schedule."""

    total_iters: Annotated[int, Field(ge=0)] = 0
    start_factor: Fraction = 0.1


class Warm(TypedConfig):
    """The schedule of the first epochs."""

    cls: type[Schedule] = LinearWarmup
    ini: WarmIni = WarmIni()


class MainIni(TypedConfig):
    """Arguments of the main schedule."""

    total_iters: Count = 1
    end_factor: Fraction = 0.0


class Main(TypedConfig):
    """The schedule of the other epochs."""

    cls: type[Schedule] = CosineDecay
    ini: MainIni = MainIni()


class Sched(TypedConfig):
    """How long, and how the learning rate changes on the way."""

    epochs: Count = 30
    warm_epochs: Annotated[int, Field(ge=0)] = 0
    warm: Warm = Warm()
    main: Main = Main()

    @DEP
    def main_epochs(self) -> int:
        """The epochs after the warm-up: a dependency that every config has, since it is part of the schema."""
        return self.epochs - self.warm_epochs


class Log(TypedConfig):
    """What is written on the way."""

    save_interval: Count = 1


class Train(TypedConfig):
    """A training run."""

    rand_seed: int = 0
    dt: Dataset = Dataset()
    loader: Loader = Loader()
    model: Model = Model()
    opt: Opt = Opt()
    sched: Sched = Sched()
    log: Log = Log()
