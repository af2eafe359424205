"""The 1,797 handwritten digits that scikit-learn ships, and the mini-batches that training draws from them."""

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Digits:
    """The training or the test part: 8x8 images as rows of 64 features between 0 and 1, and their labels.

    Args:
        train: the training part, else the test part.
        test_fraction: how much of the data is held back for the test part.
        split_seed: which images those are.
        noise: standard deviation of Gaussian noise added to every pixel of the training part.
    """

    classes: ClassVar[tuple[int, ...]] = tuple(range(10))
    num_features: ClassVar[int] = 64

    def __init__(self, train: bool, test_fraction: float = 0.25, split_seed: int = 0, noise: float = 0.0) -> None:
        data: Any = load_digits()  # scikit-learn has no type information
        rng = np.random.default_rng(split_seed)
        order = rng.permutation(len(data.target))
        num_test = round(test_fraction * len(order))
        part = order[num_test:] if train else order[:num_test]
        self.images: Floats = np.asarray(data.data, dtype=np.float64)[part] / 16
        self.labels: Ints = np.asarray(data.target, dtype=np.int64)[part]
        if train and noise:
            self.images = self.images + rng.normal(scale=noise, size=self.images.shape)

    def __len__(self) -> int:
        return len(self.labels)


class Loader:
    """Shuffled mini-batches; every pass over it is an epoch in a new order."""

    def __init__(self, dataset: Digits, rng: np.random.Generator, batch_size: int, drop_last: bool = False) -> None:
        self.dataset = dataset
        self.rng = rng
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[tuple[Floats, Ints]]:
        order = self.rng.permutation(len(self.dataset))
        for start in range(0, len(order), self.batch_size):
            batch = order[start : start + self.batch_size]
            if len(batch) == self.batch_size or not self.drop_last:
                yield self.dataset.images[batch], self.dataset.labels[batch]
