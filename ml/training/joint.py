"""Several datasets at once: multi-task learning.

Simonyan & Zisserman, "Two-Stream Convolutional Networks for Action Recognition in Videos", NIPS 2014, section 3.2: one trunk, and on it a
softmax layer for each dataset, whose loss operates only on that dataset's videos; "the overall training loss is computed as the sum of the
individual tasks' losses". Here the layers lie side by side in one linear layer, whose N columns are the classes of all datasets, one
dataset after the other, and a video knows only the columns of its own:

    L = Σ_t L_t,   L_t = −1/B Σ_{b of dataset t} log softmax(s_b[columns of t])[y_b]

Batches hold equally many videos of each dataset. Why so, see docs/decisions/013-multi-task.md.
"""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset

from ml.layers.branches import Branches, Embedder, Space
from ml.training.objective import Outcome
from ml.video.samplers import Draw, EpochSampler


class JointDataset(Dataset[Any]):
    """`dataset[Draw]` over several datasets whose videos are numbered through."""

    def __init__(self, parts: Sequence[Dataset[Any]], lengths: Sequence[int]) -> None:
        self.parts, self.first = parts, np.cumsum([0, *lengths])

    def __len__(self) -> int:
        return int(self.first[-1])

    def __getitem__(self, draw: Draw) -> Any:
        part = int(np.searchsorted(self.first, draw.video, side="right")) - 1
        return self.parts[part][draw._replace(video=draw.video - int(self.first[part]))]


class AlternatingSampler(EpochSampler):
    """One video of each dataset in turn, each dataset in the order of a sampler of its own."""

    def __init__(self, kind: type[EpochSampler], labels: Sequence[np.ndarray], num_draws: int, seed: int, batch_size: int) -> None:
        super().__init__(np.concatenate(labels), num_draws, seed, batch_size)
        each, of_a_batch = -(-num_draws // len(labels)), -(-batch_size // len(labels))
        self.samplers = [kind(of_dataset, each, seed, of_a_batch) for of_dataset in labels]
        self.first = np.cumsum([0, *map(len, labels)])

    def order(self, generator: np.random.Generator, num_draws: int) -> np.ndarray:
        each = -(-num_draws // len(self.samplers))
        orders = [first + sampler.order(generator, each) for first, sampler in zip(self.first, self.samplers, strict=False)]
        return np.stack(orders, axis=1).reshape(-1)[:num_draws]  # (each, T) → (num_draws,)


class JointClassification:
    """Softmax cross-entropy of each video over the classes of its own dataset, mean over the batch.

    Args:
        sizes: number of classes of each dataset.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.dataset_of = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))  # (N,)

    def __call__(self, model: nn.Module, x: Tensor, labels: Tensor, step: int) -> Outcome:  # noqa: ARG002  (it stays the same)
        scores: Tensor = model(x)  # (B, N)
        dataset_of = self.dataset_of.to(labels.device)
        is_foreign = dataset_of != dataset_of[labels][:, None]  # (B, N)
        own = scores.masked_fill(is_foreign, -torch.inf)
        return Outcome({"cross_entropy": F.cross_entropy(own, labels)}, own)


class OneHead(nn.Module):
    """A network of several datasets as that of one: only the scores of its classes come out."""

    def __init__(self, model: nn.Module, first: int, num_classes: int) -> None:
        super().__init__()
        self.model, self.columns = model, slice(first, first + num_classes)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.model(x)[:, self.columns]  # (B, N_t)
        return scores

    @property
    def space(self) -> Space:
        return cast(Embedder, self.model).space

    def branches(self, x: Tensor) -> Branches:
        scores, embeddings = cast(Embedder, self.model).branches(x)
        return Branches(scores[:, self.columns], embeddings)
