import gc

import pytest
import torch
from torch.utils.data import Dataset

from ml.training.loading import RemainingBatches, TrainingData, training_loader, validation_loader
from tests.ml.training_data import Shuffled


class Frozen(Dataset[tuple[torch.Tensor, int]]):
    """How many objects the process that reads an item keeps out of garbage collection."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, number: int) -> tuple[torch.Tensor, int]:
        return torch.tensor(gc.get_freeze_count()), number


@pytest.mark.parametrize("kind", ["training", "validation"])
def test_loader_processes_leave_alone_what_they_share_with_the_training(kind: str) -> None:
    frozen_here, sampler = gc.get_freeze_count(), Shuffled(4, 4)
    loaders = {
        "training": lambda: training_loader(TrainingData(Frozen(), sampler, 1), RemainingBatches(sampler, 4, epochs=1), 1, False),
        "validation": lambda: validation_loader(Frozen(), 4, 1, False),
    }
    [(counts, _)] = list(loaders[kind]())
    assert int(counts.min()) > frozen_here + 10_000 and gc.get_freeze_count() == frozen_here
