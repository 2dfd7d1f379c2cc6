"""In which order a training sees its videos: a function of (seed, epoch) that can be entered at any position."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from torch.utils.data import Sampler

from ml.errors import BadConfig

_ORDER = 2  # which stream of random numbers; what is cut from a video is another one


class Draw(NamedTuple):
    """What a sampler asks a `TrainingDataset` for: the video, and where in the training this happens."""

    epoch: int
    position: int
    video: int


class EpochSampler(Sampler[Draw]):
    """Draws of one epoch, from any position on. `order` is the one thing that differs."""

    def __init__(self, labels: np.ndarray, num_draws: int, seed: int) -> None:
        if not len(labels):
            raise BadConfig("There is no training video", "Choose a split that has some, or hold fewer out for validation.")
        self._labels, self._num_draws, self._seed = labels, num_draws or len(labels), seed
        self._epoch = self._start = 0

    def go_to(self, epoch: int, start: int = 0) -> None:
        """The next iteration begins at draw `start` of `epoch`."""
        self._epoch, self._start = epoch, start

    def __len__(self) -> int:
        return self._num_draws - self._start

    def __iter__(self) -> Iterator[Draw]:
        videos = self.order(np.random.default_rng((_ORDER, self._seed, self._epoch)), self._num_draws)
        return (Draw(self._epoch, position, int(videos[position])) for position in range(self._start, self._num_draws))

    def order(self, generator: np.random.Generator, num_draws: int) -> np.ndarray:
        """(num_draws,) numbers of videos."""
        raise NotImplementedError


class UniformClassSampler(EpochSampler):
    """A class uniformly, then one of its videos uniformly (Simonyan & Zisserman 2014, section 4)."""

    def order(self, generator: np.random.Generator, num_draws: int) -> np.ndarray:
        present, counts = np.unique(self._labels, return_counts=True)
        by_class = np.argsort(self._labels, kind="stable")
        first = np.cumsum(counts) - counts
        chosen = generator.integers(len(present), size=num_draws)
        return np.asarray(by_class[first[chosen] + generator.integers(counts[chosen])])


class ShuffleSampler(EpochSampler):
    """Every video once, in random order; more draws than videos go round again in another order."""

    def order(self, generator: np.random.Generator, num_draws: int) -> np.ndarray:
        rounds = -(-num_draws // len(self._labels))
        return np.concatenate([generator.permutation(len(self._labels)) for _ in range(rounds)])[:num_draws]


SAMPLERS: dict[str, type[EpochSampler]] = {"uniform_classes": UniformClassSampler, "shuffle": ShuffleSampler}
