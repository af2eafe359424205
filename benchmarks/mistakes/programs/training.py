"""The training that every program configures. It prints what it was given, so that runs can be compared."""

import json
import sys
from dataclasses import dataclass

SAMPLES = 50_000


class Optimizer:
    """What every optimizer has in common."""

    def __init__(self, lr: float) -> None:
        self.lr = lr


class Adam(Optimizer):
    """The optimizer that is configured."""

    def __init__(self, lr: float, weight_decay: float = 0.0) -> None:
        super().__init__(lr)
        self.weight_decay = weight_decay


class Sgd(Optimizer):
    """Another one, with other arguments."""

    def __init__(self, lr: float, momentum: float = 0.0) -> None:
        super().__init__(lr)
        self.momentum = momentum


class Model:
    """What every model has in common."""

    weights: list[float]


class Mlp(Model):
    """The model that is configured."""

    def __init__(self, width: int) -> None:
        self.weights = [0.0] * width


@dataclass(frozen=True)
class Plan:
    """How long is trained."""

    steps: int
    epochs: int
    warm_epochs: int


def begin() -> None:
    """Every training function calls this first: a mistake that shows up later was not found by the config."""
    sys.stdout.write("begin\n")
    sys.stdout.flush()


def fit(model: Model, optimizer: Optimizer, plan: Plan, *, seed: int, num_workers: int, log_every: int) -> None:
    """Uses every value as a training would, and prints them as a line of JSON."""
    rates = [optimizer.lr * (epoch + 1) / plan.warm_epochs for epoch in range(plan.warm_epochs)]
    rates += [optimizer.lr * 1.0] * (plan.epochs - plan.warm_epochs)
    used = {
        "seed": seed % 2**32,
        "workers": len(range(num_workers)),
        "steps": plan.steps,
        "epochs": len(rates),
        "warm_epochs": plan.warm_epochs,
        "logs": plan.epochs // log_every,
        "lr": optimizer.lr,
        "weight_decay": getattr(optimizer, "weight_decay", 0.0) * 1.0,
        "width": len(model.weights),
    }
    sys.stdout.write(json.dumps(used) + "\n")
