"""Views of a video → one score vector: the last step of a test protocol (Simonyan & Zisserman 2014, sec. 4: 25 frames × 10 crops)."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Literal, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ml.evaluation.scores import log_probabilities, softmax
from ml.layers.branches import Embedder

BATCH: Final = 32
"""Views in one forward pass, or a few more: 32 stacks of 20 × 224 × 224 are 128 MB."""

Floats = NDArray[np.float32]
T = TypeVar("T")


@torch.inference_mode()
def score_views(model: nn.Module, pieces: Iterable[Floats]) -> Floats:
    """Pieces of (v, C, H, W), or of videos (v, K, C, H, W) → (V, N) scores before softmax, V = Σ v.

    `model` is in eval mode, on whatever device.
    """
    device = next(model.parameters()).device
    return _joined(model(torch.from_numpy(batch).to(device)) for batch in _batches(pieces))


@torch.inference_mode()
def branch_views(model: nn.Module, pieces: Iterable[Floats]) -> tuple[Floats, Floats]:
    """As `score_views` → (V, N) scores before softmax and (V, E) embeddings, of one forward pass."""
    embedder, device = cast(Embedder, model), next(model.parameters()).device
    both = [embedder.branches(torch.from_numpy(batch).to(device)) for batch in _batches(pieces)]
    return _joined(branches.scores for branches in both), _joined(branches.embeddings for branches in both)


def _joined(batches: Iterable[Tensor]) -> Floats:
    return np.asarray(torch.cat([batch.float().cpu() for batch in batches]).numpy())


def middle(embeddings: Floats, is_unit: bool) -> Floats:
    """(V, E) embeddings of all views → (E,) of the video: their mean, of length 1 where those of the views are."""
    mean = embeddings.mean(axis=0, dtype=np.float64)
    length = np.linalg.norm(mean) if is_unit else 1.0
    return np.asarray(mean / max(length, np.finfo(np.float32).tiny), dtype=np.float32)


def aggregate(scores: Floats, how: Literal["softmax", "logits"]) -> Floats:
    """(V, N) scores of all views → (N,) of the video.

    softmax: log of the mean over views of softmax(scores), so that softmax of it is the averaged probability.
    logits: the mean over views of the scores.
    """
    if how == "logits":
        return np.asarray(scores.mean(axis=0, dtype=np.float64), dtype=np.float32)
    return log_probabilities(softmax(scores).mean(axis=0))


def read_ahead(items: Iterator[T], depth: int) -> Iterator[T]:
    """The same items in the same order, `depth` of them made in advance by a thread."""
    end = object()
    with ThreadPoolExecutor(max_workers=1) as thread:
        waiting: deque[Future[T | object]] = deque(thread.submit(next, items, end) for _ in range(depth))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(thread.submit(next, items, end))
            yield item  # type: ignore[misc]  # the end was sorted out above


def _batches(pieces: Iterable[Floats]) -> Iterator[Floats]:
    held: list[Floats] = []
    for piece in pieces:
        held.append(piece)
        if sum(map(_num_views, held)) >= BATCH:
            yield np.concatenate(held)
            held = []
    if held:
        yield np.concatenate(held)


def _num_views(piece: Floats) -> int:
    return len(piece) if piece.ndim == 4 else len(piece) * piece.shape[1]
