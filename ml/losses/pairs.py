"""Pairs of a batch: their distances, which of them are alike, and batches that have none."""

import torch
from torch import Tensor
from torch.nn import functional as F

from ml.errors import BadBatch

BALANCED = "Draw class-balanced batches (training.sampling), with two videos or more of each of two classes or more."


def in_single_precision(embeddings: Tensor) -> Tensor:
    """Half precision is widened to float32, whose range squares and exponentials need; float64 stays."""
    return embeddings.to(torch.promote_types(embeddings.dtype, torch.float32))


def distances(f: Tensor) -> Tensor:
    """(B, D) embeddings → (B, B), D_ij = ‖f_i − f_j‖₂.

    From the differences themselves: the common |a|² + |b|² − 2ab cancels for embeddings that are nearly equal, and the root of the
    negative number it may leave is NaN. Where two embeddings are equal the gradient is taken as 0.
    """
    B = len(f)
    i, j = torch.triu_indices(B, B, offset=1, device=f.device)
    half = f.new_zeros(B, B).index_put((i, j), F.pdist(f))
    return half + half.T


def positive_pairs(labels: Tensor) -> tuple[Tensor, Tensor]:
    """i and j, (|P|,) each, of all unordered pairs of the same class, i < j."""
    i, j = _alike(labels).triu(diagonal=1).nonzero(as_tuple=True)
    return i, j


def negatives(labels: Tensor) -> Tensor:
    """(B, B), true where the classes differ."""
    return ~_alike(labels)


def mean_distances(f: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The mean distance of the positive and of the negative pairs of a batch (NFMML, Fig. 2); no gradient."""
    with torch.no_grad():
        D = distances(in_single_precision(f))
        return D[positive_pairs(labels)].mean(), D[negatives(labels)].mean()


def check_pairs(labels: Tensor) -> None:
    """Raises:
    BadBatch: no two videos of the same class, or none of different classes.
    """
    alike = _alike(labels)
    if alike.all():
        raise BadBatch("All {count} videos of a batch are of one class: there is no negative pair", BALANCED, count=len(labels))
    if not alike.triu(diagonal=1).any():
        raise BadBatch("The {count} videos of a batch are of {count} classes: there is no positive pair", BALANCED, count=len(labels))


def _alike(labels: Tensor) -> Tensor:
    return labels[:, None] == labels[None, :]  # (B, B)
