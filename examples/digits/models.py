"""Classifiers in plain numpy, small enough to train in seconds on one core."""

from abc import ABC, abstractmethod

import numpy as np

from dataset import Floats, Ints


def cross_entropy(logits: Floats, labels: Ints) -> tuple[float, Floats]:
    """The mean cross entropy of a batch, and its gradient by the logits."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(labels))
    grad = np.exp(log_probs)
    grad[rows, labels] -= 1
    return float(-log_probs[rows, labels].mean()), grad / len(labels)


class Classifier(ABC):
    """What training needs of a model: `params`, which the optimizer changes in place, logits and gradients."""

    params: list[Floats]

    @abstractmethod
    def __init__(self, rng: np.random.Generator, num_features: int, num_classes: int) -> None: ...

    @abstractmethod
    def logits(self, images: Floats) -> Floats:
        """One row per image, one column per class."""

    @abstractmethod
    def loss_and_grads(self, images: Floats, labels: Ints) -> tuple[float, list[Floats]]:
        """The mean loss of a batch, and its gradient by each of `params`."""


class SoftmaxRegression(Classifier):
    """A linear classifier."""

    def __init__(self, rng: np.random.Generator, num_features: int, num_classes: int) -> None:
        self.params = [rng.normal(scale=0.01, size=(num_features, num_classes)), np.zeros(num_classes)]

    def logits(self, images: Floats) -> Floats:
        weight, bias = self.params
        return images @ weight + bias

    def loss_and_grads(self, images: Floats, labels: Ints) -> tuple[float, list[Floats]]:
        loss, grad = cross_entropy(self.logits(images), labels)
        return loss, [images.T @ grad, grad.sum(axis=0)]


class Mlp(Classifier):
    """One hidden layer of rectified linear units."""

    def __init__(self, rng: np.random.Generator, num_features: int, num_classes: int, num_hidden: int = 64) -> None:
        self.params = [
            rng.normal(scale=np.sqrt(2 / num_features), size=(num_features, num_hidden)),
            np.zeros(num_hidden),
            rng.normal(scale=np.sqrt(2 / num_hidden), size=(num_hidden, num_classes)),
            np.zeros(num_classes),
        ]

    def _hidden(self, images: Floats) -> Floats:
        return np.maximum(images @ self.params[0] + self.params[1], 0)

    def logits(self, images: Floats) -> Floats:
        return self._hidden(images) @ self.params[2] + self.params[3]

    def loss_and_grads(self, images: Floats, labels: Ints) -> tuple[float, list[Floats]]:
        hidden = self._hidden(images)
        loss, grad = cross_entropy(hidden @ self.params[2] + self.params[3], labels)
        grad_hidden = (grad @ self.params[2].T) * (hidden > 0)
        return loss, [images.T @ grad_hidden, grad_hidden.sum(axis=0), hidden.T @ grad, grad.sum(axis=0)]
