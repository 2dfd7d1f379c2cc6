"""Datasets → batches. One loader lasts for all epochs, so its processes start once and never idle between epochs.

Each loader has a random generator of its own: it must not touch the global one, on which dropout depends.
"""

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

Batch = tuple[Tensor, Tensor]
"""x (B, C, H, W), or (B, K, C, H, W) of K > 1 segments, and labels (B,)."""


Share = Callable[[list[Any]], list[Any]]
"""The draws of a batch → those of one process."""


class EpochSampler(Protocol):
    """Gives the items of one epoch, from any draw on; what it gives depends on its seed, the epoch and the place alone."""

    def go_to(self, epoch: int, start: int = 0) -> None: ...

    def __iter__(self) -> Iterator[Any]: ...


@dataclass(frozen=True)
class TrainingData:
    """What is learnt from. An epoch of the sampler has `steps_per_epoch` × batch size draws: batches are always full."""

    train: Dataset[Any]
    sampler: EpochSampler
    steps_per_epoch: int
    validation: Dataset[Any] | None = None


class RemainingBatches(Sampler[list[Any]]):
    """The draws of every batch, or of one process's share of it, from (epoch, step) to the end of the training."""

    def __init__(
        self, sampler: EpochSampler, batch_size: int, epochs: int, epoch: int = 0, step: int = 0, share: Share = lambda batch: batch
    ) -> None:
        self.sampler, self.batch_size, self.share = sampler, batch_size, share
        self.epochs, self.epoch, self.step = epochs, epoch, step

    def __iter__(self) -> Iterator[list[Any]]:
        for epoch in range(self.epoch, self.epochs):
            self.sampler.go_to(epoch, self.step * self.batch_size if epoch == self.epoch else 0)
            batch = []
            for draw in self.sampler:
                batch.append(draw)
                if len(batch) == self.batch_size:
                    yield self.share(batch)
                    batch = []


def training_loader(data: TrainingData, batches: RemainingBatches, num_workers: int, pin_memory: bool) -> DataLoader[Batch]:
    return DataLoader(
        data.train,
        batch_sampler=batches,
        num_workers=num_workers,
        pin_memory=pin_memory,
        worker_init_fn=keep_objects_shared,
        generator=torch.Generator(),
    )


def validation_loader(data: Dataset[Any], batch_size: int, num_workers: int, pin_memory: bool) -> DataLoader[Batch]:
    return DataLoader(
        data,
        batch_size,
        num_workers=num_workers,
        pin_memory=pin_memory,
        persistent_workers=num_workers > 0,
        worker_init_fn=keep_objects_shared,
        generator=torch.Generator(),
    )


def keep_objects_shared(_worker: int) -> None:
    """Take what a loader process was forked with out of garbage collection: looking at it would copy every page of it (44 MiB, now 0.4)."""
    gc.freeze()
