import gc

import pytest
import torch
from torch.utils.data import Dataset

from ml.training.loading import RemainingBatches, TrainingData, training_loader, validation_loader
from tests.ml.training_data import Shuffled


class Collected(Dataset[tuple[torch.Tensor, int]]):
    """How many objects garbage collection looks at in the process that reads an item."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, number: int) -> tuple[torch.Tensor, int]:
        return torch.tensor(len(gc.get_objects())), number


@pytest.mark.parametrize("kind", ["training", "validation"])
def test_loader_processes_leave_alone_what_they_share_with_the_training(kind: str) -> None:
    shared: list[list[int]] = [[] for _ in range(100_000)]
    sampler = Shuffled(4, 4)
    loaders = {
        "training": lambda: training_loader(TrainingData(Collected(), sampler, 1), RemainingBatches(sampler, 4, epochs=1), 1, False),
        "validation": lambda: validation_loader(Collected(), 4, 1, False),
    }
    [(counts, _)] = list(loaders[kind]())
    assert int(counts.max()) < len(shared) <= len(gc.get_objects())
