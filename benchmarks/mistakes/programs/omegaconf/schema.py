"""Structured configs: the keys with their types and the values of the base."""

from dataclasses import dataclass, field

from omegaconf import MISSING, SI, OmegaConf


def tenth(number: int) -> int:
    """A resolver: a tenth, rounded."""
    return round(0.1 * number)


OmegaConf.register_new_resolver("tenth", tenth, replace=True)


@dataclass
class Loader:
    """How the data is cut into batches."""

    batch_size: int = 128
    num_workers: int = 2

    def __post_init__(self) -> None:
        if self.batch_size <= 0:
            raise ValueError(f"batch_size must be greater than 0, got {self.batch_size}")


@dataclass
class OptConf:
    """How is trained."""

    lr: float = 0.01


@dataclass
class AdamConf(OptConf):
    """Arguments of Adam."""

    weight_decay: float = 0.0


@dataclass
class SgdConf(OptConf):
    """Arguments of Sgd."""

    momentum: float = 0.0


@dataclass
class ModelConf:
    """What is trained."""


@dataclass
class MlpConf(ModelConf):
    """Arguments of Mlp."""

    width: int = 64


@dataclass
class Sched:
    """How long is trained."""

    epochs: int = 30
    warm_epochs: int = SI("${tenth:${.epochs}}")


@dataclass
class Train:
    """A training run."""

    seed: int = MISSING
    loader: Loader = field(default_factory=Loader)
    opt: OptConf = field(default_factory=AdamConf)
    model: ModelConf = field(default_factory=MlpConf)
    sched: Sched = field(default_factory=Sched)
    log: dict[str, int] = field(default_factory=lambda: {"every": 1})
