"""Views of a video → one score vector: the last step of a test protocol (Simonyan & Zisserman 2014, sec. 5: 25 frames × 10 crops)."""

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ml.evaluation.scores import log_probabilities, softmax

BATCH = 32
"""Views in one forward pass: 32 stacks of 20 × 224 × 224 are 128 MB."""


@torch.inference_mode()
def score_views(model: nn.Module, views: NDArray[np.float32]) -> NDArray[np.float32]:
    """(V, C, H, W) → (V, N) scores before softmax; `model` is in eval mode, on whatever device."""
    device = next(model.parameters()).device
    parts = [model(_on(device, views[start : start + BATCH])).float().cpu() for start in range(0, len(views), BATCH)]
    return np.asarray(torch.cat(parts).numpy())


def aggregate(scores: NDArray[np.float32], how: Literal["softmax", "logits"]) -> NDArray[np.float32]:
    """(V, N) scores of all views → (N,) of the video.

    softmax: log of the mean over views of softmax(scores), so that softmax of it is the averaged probability.
    logits: the mean over views of the scores.
    """
    if how == "logits":
        return np.asarray(scores.mean(axis=0, dtype=np.float64), dtype=np.float32)
    return log_probabilities(softmax(scores).mean(axis=0))


def _on(device: torch.device, views: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(views)).to(device, non_blocking=True)
