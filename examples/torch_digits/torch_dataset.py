"""The 1,797 handwritten digits that scikit-learn ships, as a torch dataset."""

from typing import Any, ClassVar

import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.utils.data import Dataset


class Digits(Dataset[tuple[Tensor, Tensor]]):
    """The training or the test part: images of 1x8x8 between 0 and 1, and their labels.

    Args:
        train: the training part, else the test part.
        test_fraction: how much of the data is held back for the test part.
        split_seed: which images those are.
    """

    classes: ClassVar[tuple[str, ...]] = tuple("0123456789")

    def __init__(self, train: bool, test_fraction: float = 0.25, split_seed: int = 0) -> None:
        data: Any = load_digits()  # scikit-learn has no type information
        order = torch.randperm(len(data.target), generator=torch.Generator().manual_seed(split_seed))
        num_test = round(test_fraction * len(order))
        part = order[num_test:] if train else order[:num_test]
        self.images = torch.as_tensor(data.images, dtype=torch.float32)[part].unsqueeze(1) / 16
        self.labels = torch.as_tensor(data.target, dtype=torch.int64)[part]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.images[index], self.labels[index]
