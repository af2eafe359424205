"""Data, model and metric of the example, in mmengine's registries: an MLP tells two half moons in the plane apart."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.registry import DATASETS, METRICS, MODELS
from torch import Tensor, nn
from torch.utils.data import Dataset


@DATASETS.register_module(force=True)
class Moons(Dataset[dict[str, Tensor]]):
    """Points of two interleaving half circles, with some noise."""

    def __init__(self, size: int, noise: float = 0.15, seed: int = 0) -> None:
        random = torch.Generator().manual_seed(seed)
        angle = torch.rand(size, generator=random) * torch.pi
        self.labels = torch.arange(size) % 2
        upper = torch.stack([angle.cos(), angle.sin()], dim=1)
        lower = torch.stack([1 - angle.cos(), 0.5 - angle.sin()], dim=1)
        points = torch.where(self.labels[:, None] == 0, upper, lower)
        self.points = points + noise * torch.randn(points.shape, generator=random)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"inputs": self.points[index], "data_samples": self.labels[index]}


@MODELS.register_module(force=True)
class Mlp(BaseModel):
    """One hidden layer, and the loss of its classification."""

    def __init__(self, hidden: int, loss: dict[str, Any]) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, hidden), nn.ReLU(), nn.Linear(hidden, 2))
        self.loss_weight = loss["loss_weight"]

    def forward(self, inputs: Tensor, data_samples: Any = None, mode: str = "tensor") -> Any:
        """What mmengine asks for: losses, predictions, or the bare output."""
        logits = self.layers(inputs)
        if mode == "loss":
            return {"loss": self.loss_weight * F.cross_entropy(logits, data_samples)}
        return [logits.argmax(dim=1), data_samples] if mode == "predict" else logits


@METRICS.register_module(force=True)
class MeanAccuracy(BaseMetric):
    """The accuracy over all points (aAcc), and its mean over the classes (mAcc), in percent."""

    def process(self, data_batch: Any, data_samples: Sequence[Any]) -> None:
        """Takes in one batch."""
        predicted, labels = data_samples
        self.results += zip(predicted.tolist(), labels.tolist(), strict=True)

    def compute_metrics(self, results: list[tuple[int, int]]) -> dict[str, float]:
        """The metrics of all batches."""
        right = [predicted == label for predicted, label in results]
        of_class = [[predicted == label for predicted, label in results if label == one] for one in (0, 1)]
        by_class = [sum(one) / len(one) for one in of_class]
        return {"aAcc": 100 * sum(right) / len(right), "mAcc": 50 * sum(by_class)}
