"""Which videos lie nearest to each, and what that says of their classes."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROWS = 256
"""Videos whose distances to all others are in memory at once."""

ROUNDING = 1e-12
"""A squared distance below this share of both squared lengths is 0: two copies of a vector."""


class Retrieval(NamedTuple):
    """Measures of retrieval as fractions, each None where no video can be asked; and the neighbours that they come from."""

    recall_at_1: float | None
    recall_at_5: float | None
    map_at_r: float | None
    order: Ints
    """(V, n) indices of the nearest others, nearest first; of equal distances the lower index."""
    distances: Floats
    """(V, n) Euclidean."""


def retrieve(x: NDArray[np.float32], labels: Ints, n: int) -> Retrieval:
    """Ask for the neighbours of every video among all others.

    R@k: share of videos with one of their class among the k nearest (Recall@K of Oh Song et al., CVPR 2016).

    MAP@R (Musgrave, Belongie & Lim, "A Metric Learning Reality Check", ECCV 2020): for a video with R others of its class,

        MAP@R = 1/R Σ_{i=1}^{R} P(i),   P(i) = precision at i if the i-th nearest is of the class, else 0

    and the mean of that over videos. A video that is alone in its class has nothing to find and is left out of all three.

    Args:
        x: (V, D).
        labels: (V,).
        n: how many neighbours to give back; fewer where there are not so many videos.
    """
    V = len(x)
    if V == 1:
        return Retrieval(None, None, None, np.empty((1, 0), np.int64), np.empty((1, 0)))
    R = np.bincount(labels)[labels] - 1  # (V,)
    depth = min(V - 1, max(n, 5, int(R.max())))
    order, distances, found = np.empty((V, min(n, V - 1)), np.int64), np.empty((V, min(n, V - 1))), np.zeros((V, 3))
    for rows, d in distance_blocks(x):
        nearest = nearest_first(d, depth)  # (b, depth)
        order[rows] = nearest[:, :n]
        distances[rows] = np.take_along_axis(d, nearest[:, :n], axis=1)
        hits = labels[nearest] == labels[rows, None]  # (b, depth)
        found[rows] = np.stack([hits[:, :1].any(1), hits[:, :5].any(1), _average_precision(hits, R[rows])], axis=1)
    asked = R > 0
    if not asked.any():
        return Retrieval(None, None, None, order, distances)
    at_1, at_5, map_at_r = map(float, found[asked].mean(axis=0))
    return Retrieval(at_1, at_5, map_at_r, order, distances)


def _average_precision(hits: NDArray[np.bool_], R: Ints) -> Floats:
    """(b, depth) and (b,) → (b,): 1/R Σ_{i ≤ R} P(i)."""
    i = np.arange(1, hits.shape[1] + 1)
    P = hits * np.cumsum(hits, axis=1) / i  # (b, depth)
    return np.asarray((P * (i <= R[:, None])).sum(axis=1) / np.maximum(R, 1))


def distance_blocks(x: NDArray[np.float32]) -> Iterator[tuple[slice, Floats]]:
    """(V, D) → the rows of the (V, V) matrix of Euclidean distances, some at a time; a video's distance to itself is infinite.

    In float64: ‖a‖² + ‖b‖² − 2 a·b loses half of the digits of near neighbours.
    """
    x = x - x.mean(axis=0, dtype=np.float64)
    squares = np.einsum("vd,vd->v", x, x)  # (V,)
    for start in range(0, len(x), ROWS):
        rows = slice(start, min(start + ROWS, len(x)))
        both = squares[rows, None] + squares  # (b, V)
        d2 = both - 2 * x[rows] @ x.T
        d2[d2 < ROUNDING * both] = 0
        d = np.sqrt(d2)
        d[np.arange(rows.stop - start), np.arange(start, rows.stop)] = np.inf
        yield rows, d


def nearest_first(d: Floats, depth: int) -> Ints:
    """(b, V) distances → (b, depth) indices of the smallest in order, depth < V; of equal ones the lower index goes first."""
    nearest = np.argpartition(d, depth - 1, axis=1)[:, :depth]
    bound = np.take_along_axis(d, nearest, axis=1).max(axis=1, keepdims=True)
    for row in np.flatnonzero((d <= bound).sum(axis=1) > depth):  # a tie at the edge: which of them was taken is chance
        nearest[row] = np.argsort(d[row], kind="stable")[:depth]
    nearest.sort(axis=1)
    return np.take_along_axis(nearest, np.argsort(np.take_along_axis(d, nearest, axis=1), axis=1, kind="stable"), axis=1)
