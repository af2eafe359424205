"""The config classes: keys with their types, limits, defaults, and what is derived from them."""

import chz
from chz.validators import gt
from training import Adam, Mlp, Model, Optimizer, Sgd


@chz.chz(typecheck=True)
class Loader:
    """How the data is cut into batches."""

    batch_size: int = chz.field(default=128, validator=gt(0))
    num_workers: int = 2


@chz.chz(typecheck=True)
class OptConfig:
    """How is trained."""

    lr: float = 0.01

    def build(self) -> Optimizer:
        """The optimizer that is configured."""
        raise NotImplementedError


@chz.chz(typecheck=True)
class AdamConfig(OptConfig):
    """Arguments of Adam."""

    weight_decay: float = 0.0

    def build(self) -> Optimizer:
        """See `OptConfig`."""
        return Adam(lr=self.lr, weight_decay=self.weight_decay)


@chz.chz(typecheck=True)
class SgdConfig(OptConfig):
    """Arguments of Sgd."""

    momentum: float = 0.0

    def build(self) -> Optimizer:
        """See `OptConfig`."""
        return Sgd(lr=self.lr, momentum=self.momentum)


@chz.chz(typecheck=True)
class ModelConfig:
    """What is trained."""

    def build(self) -> Model:
        """The model that is configured."""
        raise NotImplementedError


@chz.chz(typecheck=True)
class MlpConfig(ModelConfig):
    """Arguments of Mlp."""

    width: int = 64

    def build(self) -> Model:
        """See `ModelConfig`."""
        return Mlp(width=self.width)


@chz.chz(typecheck=True)
class Sched:
    """How long is trained."""

    epochs: int = 30

    @chz.init_property
    def warm_epochs(self) -> int:
        """The epochs at the beginning whose learning rate grows."""
        return round(0.1 * self.epochs)


@chz.chz(typecheck=True)
class Train:
    """A training run."""

    seed: int
    loader: Loader
    opt: OptConfig
    model: ModelConfig
    sched: Sched
    log: dict[str, int]
