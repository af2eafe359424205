"""The config classes: keys with their types, limits, the values of the base, and what is derived from them."""

from typing import Annotated

from pydantic import BaseModel, Field
from training import Adam, Mlp, Model, Optimizer, Sgd


class Loader(BaseModel, frozen=True, extra="forbid"):
    """How the data is cut into batches."""

    batch_size: Annotated[int, Field(gt=0)] = 128
    num_workers: int = 2


class AdamConfig(BaseModel, frozen=True, extra="forbid"):
    """Arguments of Adam."""

    lr: float = 0.01
    weight_decay: float = 0.0

    def build(self) -> Optimizer:
        """The optimizer that is configured."""
        return Adam(lr=self.lr, weight_decay=self.weight_decay)


class SgdConfig(BaseModel, frozen=True, extra="forbid"):
    """Arguments of Sgd."""

    lr: float = 0.01
    momentum: float = 0.0

    def build(self) -> Optimizer:
        """The optimizer that is configured."""
        return Sgd(lr=self.lr, momentum=self.momentum)


class MlpConfig(BaseModel, frozen=True, extra="forbid"):
    """Arguments of Mlp."""

    width: int = 64

    def build(self) -> Model:
        """The model that is configured."""
        return Mlp(width=self.width)


class Sched(BaseModel, frozen=True, extra="forbid"):
    """How long is trained."""

    epochs: int = 30

    @property
    def warm_epochs(self) -> int:
        """The epochs at the beginning whose learning rate grows."""
        return round(0.1 * self.epochs)


class Train(BaseModel, frozen=True, extra="forbid"):
    """A training run."""

    seed: int
    loader: Loader = Loader()
    opt: AdamConfig | SgdConfig = AdamConfig()
    model: MlpConfig = MlpConfig()
    sched: Sched = Sched()
    log: dict[str, int] = {"every": 1}
