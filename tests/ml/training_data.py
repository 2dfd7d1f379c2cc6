"""A training task small enough for tests: coloured noise in memory."""

from collections.abc import Iterator

import torch
from torch import nn
from torch.utils.data import TensorDataset

from ml.training.loading import TrainingData

N = 3


class Shuffled:
    """Draws of an epoch in an order that depends on the epoch alone."""

    def __init__(self, num_videos: int, num_draws: int) -> None:
        self.num_videos, self.num_draws = num_videos, num_draws
        self.epoch = self.start = 0

    def go_to(self, epoch: int, start: int = 0) -> None:
        self.epoch, self.start = epoch, start

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.epoch)
        order = torch.randint(self.num_videos, (self.num_draws,), generator=generator)
        return iter(order[self.start :].tolist())


def noise(num_videos: int, seed: int = 0) -> TensorDataset:
    """(C=2, H=4, W=4) each; the class is added to its first channel."""
    labels = torch.arange(num_videos) % N
    x = torch.randn(num_videos, 2, 4, 4, generator=torch.Generator().manual_seed(seed))
    x[:, 0] += labels[:, None, None]
    return TensorDataset(x, labels)


def training_data(batch_size: int = 4, steps_per_epoch: int = 5, num_videos: int = 12) -> TrainingData:
    sampler = Shuffled(num_videos, batch_size * steps_per_epoch)
    return TrainingData(noise(num_videos), sampler, steps_per_epoch, noise(7, seed=1))


def tiny_net() -> nn.Module:
    """With what makes resuming hard: running statistics and dropout."""
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5), nn.Linear(16, N))
