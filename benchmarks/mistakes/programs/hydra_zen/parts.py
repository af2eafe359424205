"""What is configured beside the model and the optimizer: plain classes, whose signatures have types and limits."""

from dataclasses import dataclass

from pydantic import PositiveInt


@dataclass
class Loader:
    """How the data is cut into batches."""

    batch_size: PositiveInt = 128
    num_workers: int = 2


@dataclass
class Sched:
    """How long is trained."""

    epochs: int = 30
    warm_epochs: int = 0


def tenth(number: int) -> int:
    """A tenth, rounded."""
    return round(0.1 * number)
