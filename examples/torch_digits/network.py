"""A small convolutional network for images of 8x8."""

from torch import Tensor, nn


class SmallNet(nn.Module):
    """Two convolutions and a linear classifier.

    Args:
        num_classes: how many classes there are to tell apart.
        width: channels of the first convolution; the second has twice as many.
        dropout: fraction of the features dropped in training.
    """

    def __init__(self, num_classes: int, width: int = 16, dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, width, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(2 * width * 2 * 2, num_classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """The logits of a batch."""
        logits: Tensor = self.layers(images)
        return logits
