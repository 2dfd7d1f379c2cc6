"""A small dataset learns from a larger one that shares its motions."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from ml.config.training import TrainingConfig
from ml.process import Stop
from ml.training.joint import AlternatingSampler, JointClassification, JointDataset
from ml.training.loading import TrainingData
from ml.training.trainer import Trainer
from ml.video.samplers import SAMPLERS, Draw

DIRECTIONS = np.array([(1, 0), (-1, 0), (0, 1), (0, -1)], np.float32)  # right, left, down, up
L, SIDE = 2, 12


class Clips(Dataset[tuple[Tensor, int]]):
    """Stacks of L drawn flow fields (2L, H, W): a patch that moves in the direction of its class before a background that moves anyhow."""

    def __init__(self, videos_per_class: int, seed: int, first_class: int = 0) -> None:
        self.labels = first_class + np.arange(4 * videos_per_class) % 4
        self.x = torch.from_numpy(np.stack([_clip(int(label) % 4, seed, number) for number, label in enumerate(self.labels)]))

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, draw: Draw) -> tuple[Tensor, int]:
        return self.x[draw.video], int(self.labels[draw.video])


def _clip(direction: int, seed: int, number: int) -> np.ndarray:
    random = np.random.default_rng((seed, number))
    fields = np.repeat(random.normal(0, 1.0, (1, 2, SIDE, SIDE)), L, axis=0) + random.normal(0, 0.3, (L, 2, SIDE, SIDE))
    top, left = random.integers(0, SIDE - 6, 2)
    fields[:, :, top : top + 6, left : left + 6] += 0.8 * DIRECTIONS[direction][:, None, None]
    return fields.reshape(2 * L, SIDE, SIDE).astype(np.float32)


def accuracy_on_the_first(folder: Path, datasets: Sequence[Clips], test: Clips) -> float:
    """Trains one trunk on all datasets; top-1 of the first one's classes on its test videos."""
    batch = 16 * len(datasets)  # as many videos of the first dataset a step, alone or in company
    config = TrainingConfig(epochs=1, steps_per_epoch=150, batch_size=batch, learning_rate=0.02, device="cpu")
    labels = [dataset.labels for dataset in datasets]
    sampler = AlternatingSampler(SAMPLERS["uniform_classes"], labels, 150 * batch, 0, batch)
    data = TrainingData(JointDataset(datasets, [len(dataset) for dataset in datasets]), sampler, 150)
    torch.manual_seed(0)
    trunk = [nn.Conv2d(2 * L, 16, 5), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(576, 32), nn.ReLU()]
    model = nn.Sequential(*trunk, nn.Linear(32, 4 * len(datasets)))
    objective = JointClassification([4] * len(datasets))
    list(Trainer(model, data, config, folder / str(len(datasets)), {}, Stop(), objective).run())
    with torch.inference_mode():
        predicted = model.eval()(test.x)[:, :4].argmax(dim=1)
    return float((predicted == torch.from_numpy(test.labels)).float().mean())


def test_a_small_dataset_is_recognised_better_when_a_larger_one_with_the_same_motions_is_learnt_beside_it(tmp_path: Path) -> None:
    small, large, test = Clips(1, seed=1), Clips(150, seed=2, first_class=4), Clips(100, seed=3)

    alone = accuracy_on_the_first(tmp_path, [small], test)
    together = accuracy_on_the_first(tmp_path, [small, large], test)

    assert together > alone + 0.25
    assert together > 0.65


def test_as_many_videos_whose_classes_say_nothing_of_motion_do_not_help(tmp_path: Path) -> None:
    small, large, test = Clips(1, seed=1), Clips(150, seed=2, first_class=4), Clips(100, seed=3)
    large.labels = np.random.default_rng(0).permutation(large.labels)

    assert accuracy_on_the_first(tmp_path, [small, large], test) < 0.5
