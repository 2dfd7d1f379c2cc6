"""In which order a training sees its videos: a function of (seed, epoch) that can be entered at any position."""

from abc import ABC, abstractmethod
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


class EpochSampler(Sampler[Draw], ABC):
    """Draws of one epoch, from any position on. `order` is the one thing that differs; for some, `batch_size` draws belong together."""

    def __init__(self, labels: np.ndarray, num_draws: int, seed: int, batch_size: int = 1) -> None:
        if not len(labels):
            raise BadConfig("There is no training video", "Choose a split that has some, or hold fewer out for validation.")
        self._labels, self._num_draws, self._seed, self._batch_size = labels, num_draws or len(labels), seed, batch_size
        self._epoch = self._start = 0

    def go_to(self, epoch: int, start: int = 0) -> None:
        """The next iteration begins at draw `start` of `epoch`."""
        self._epoch, self._start = epoch, start

    def __len__(self) -> int:
        return self._num_draws - self._start

    def __iter__(self) -> Iterator[Draw]:
        videos = self.order(np.random.default_rng((_ORDER, self._seed, self._epoch)), self._num_draws)
        return (Draw(self._epoch, position, int(videos[position])) for position in range(self._start, self._num_draws))

    @abstractmethod
    def order(self, generator: np.random.Generator, num_draws: int) -> np.ndarray:
        """(num_draws,) numbers of videos."""


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
        return _some_of(np.arange(len(self._labels)), num_draws, generator)


class BalancedSampler(EpochSampler):
    """Batches of at most B / 2 classes with at least two videos each, for losses on pairs: every video meets one of its own class.

    A batch of more than two videos for each class there is takes as many of each as it needs, a video again only when all were taken.

    Raises:
        BadConfig: one class, a class of a single video, or a batch of fewer than four.
    """

    def __init__(self, labels: np.ndarray, num_draws: int, seed: int, batch_size: int = 1) -> None:
        super().__init__(labels, num_draws, seed, batch_size)
        present, counts = np.unique(labels, return_counts=True)
        single = int((counts < 2).sum())
        if len(present) < 2 or single:
            raise BadConfig(
                "{single} of {classes} classes have a single training video" if single else "The training videos are of one class",
                "Class-balanced batches need two classes or more and two videos of each: add some, or draw batches in another way.",
                single=single,
                classes=len(present),
            )
        if batch_size < 4:
            raise BadConfig(
                "A class-balanced batch of {batch_size} videos has no two pairs",
                "Choose a batch of at least 4 videos.",
                batch_size=batch_size,
            )
        self._by_class = [np.flatnonzero(labels == label) for label in present]

    def order(self, generator: np.random.Generator, num_draws: int) -> np.ndarray:
        batches = [self._batch(generator) for _ in range(-(-num_draws // self._batch_size))]
        return np.concatenate(batches)[:num_draws]

    def _batch(self, generator: np.random.Generator) -> np.ndarray:
        """(B,): P classes, B / P videos of each, some one more."""
        B = self._batch_size
        P = min(len(self._by_class), B // 2)
        chosen = generator.permutation(len(self._by_class))[:P]
        return np.concatenate(
            [_some_of(self._by_class[number], B // P + (place < B % P), generator) for place, number in enumerate(chosen)]
        )


def _some_of(videos: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """(count,) in random order, each as often as any other, or once more."""
    rounds = -(-count // len(videos))
    return np.concatenate([generator.permutation(videos) for _ in range(rounds)])[:count]


SAMPLERS: dict[str, type[EpochSampler]] = {"uniform_classes": UniformClassSampler, "shuffle": ShuffleSampler, "balanced": BalancedSampler}
