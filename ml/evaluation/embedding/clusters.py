"""Classes as clouds of videos: whether clustering finds them, and which lie too near to each other."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MAX_ROUNDS = 100


class Pair(NamedTuple):
    """Two classes by index (a < b).

    `ratio` = `distance` of their means / `spread`, the mean of both classes' mean distance of a video from its class's mean. Below 1 the
    classes lie nearer to each other than their own videos to their middle. `mixed`: videos of one whose nearest neighbour is of the other.
    """

    a: int
    b: int
    ratio: float
    distance: float
    spread: float
    mixed: int


def mutual_information(x: NDArray[np.float32], labels: Ints, seed: int = 0) -> float | None:
    """NMI of the classes and of as many clusters, by k-means from one seeded start (k-means++): I(C; L) / ((H(C) + H(L)) / 2).

    None where there is nothing to find: one class, or fewer different vectors than classes.
    """
    k = len(np.unique(labels))
    if k < 2 or len(np.unique(x, axis=0)) < k:
        return None
    clusters = KMeans(k, n_init=1, max_iter=MAX_ROUNDS, random_state=seed).fit_predict(x)
    return float(normalized_mutual_info_score(labels, clusters))


def nearest_pairs(x: NDArray[np.float32], labels: Ints, nearest: Ints, limit: int) -> list[Pair]:
    """The pairs of classes with the smallest ratio; a class of one video has no spread and is left out.

    Args:
        nearest: (V,) the nearest neighbour of each video.
    """
    counts = np.bincount(labels)
    classes = np.flatnonzero(counts > 1)  # (C,)
    if len(classes) < 2:
        return []
    means = np.stack([x[labels == c].mean(axis=0, dtype=np.float64) for c in classes])  # (C, D)
    spreads = np.array([np.linalg.norm(x[labels == c] - mean, axis=1).mean() for c, mean in zip(classes, means, strict=True)])
    i, j = np.triu_indices(len(classes), k=1)
    distance = np.concatenate([np.linalg.norm(means[p + 1 :] - means[p], axis=1) for p in range(len(classes) - 1)])  # as i, j
    spread = (spreads[i] + spreads[j]) / 2
    ratio = np.where(distance > 0, np.divide(distance, spread, out=np.full_like(distance, np.inf), where=spread > 0), 0.0)
    table = np.zeros((len(counts), len(counts)), np.int64)
    np.add.at(table, (labels, labels[nearest]), 1)
    best = [p for p in np.argsort(ratio, kind="stable")[:limit] if np.isfinite(ratio[p])]
    return [
        Pair(a, b, float(ratio[p]), float(distance[p]), float(spread[p]), int(table[a, b] + table[b, a]))
        for p in best
        for a, b in [(int(classes[i[p]]), int(classes[j[p]]))]
    ]
