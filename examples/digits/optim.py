"""The optimizer, and the schedules that change its learning rate from epoch to epoch."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from dataset import Floats


class AdamW:
    """Adam with decoupled weight decay; changes the parameters in place.

    Args:
        params: what is trained.
        lr: the learning rate; training multiplies it by the factor of the schedule.
        betas: decay of the running means of the gradient and of its square.
        weight_decay: how much of itself a parameter loses per step, times the learning rate.
    """

    def __init__(
        self, params: Sequence[Floats], lr: float, betas: tuple[float, float] = (0.9, 0.999), weight_decay: float = 0.0
    ) -> None:
        self.params = params
        self.lr = lr
        self.betas = betas
        self.weight_decay = weight_decay
        self.num_steps = 0
        self._means = [np.zeros_like(param) for param in params]
        self._squares = [np.zeros_like(param) for param in params]

    def step(self, grads: Sequence[Floats], lr_factor: float = 1.0) -> None:
        """Moves every parameter against its gradient."""
        self.num_steps += 1
        lr = self.lr * lr_factor
        beta1, beta2 = self.betas
        for param, grad, mean, square in zip(self.params, grads, self._means, self._squares, strict=True):
            mean += (1 - beta1) * (grad - mean)
            square += (1 - beta2) * (grad**2 - square)
            unbiased_mean = mean / (1 - beta1**self.num_steps)
            unbiased_square = square / (1 - beta2**self.num_steps)
            param -= lr * (unbiased_mean / (np.sqrt(unbiased_square) + 1e-8) + self.weight_decay * param)


class Schedule(ABC):
    """A factor of the learning rate for each of `total_iters` epochs, counted from 0."""

    def __init__(self, total_iters: int) -> None:
        self.total_iters = total_iters

    @abstractmethod
    def factor(self, epoch: int) -> float:
        """What the learning rate of this epoch is multiplied by."""


class LinearWarmup(Schedule):
    """From `start_factor` up to 1, which the first epoch after it has."""

    def __init__(self, total_iters: int, start_factor: float = 0.1) -> None:
        super().__init__(total_iters)
        self.start_factor = start_factor

    def factor(self, epoch: int) -> float:
        return self.start_factor + (1 - self.start_factor) * epoch / self.total_iters


class CosineDecay(Schedule):
    """From 1 down to `end_factor` along half a cosine."""

    def __init__(self, total_iters: int, end_factor: float = 0.0) -> None:
        super().__init__(total_iters)
        self.end_factor = end_factor

    def factor(self, epoch: int) -> float:
        return self.end_factor + (1 - self.end_factor) * (1 + math.cos(math.pi * epoch / self.total_iters)) / 2
