"""Classes as clouds of videos: whether clustering finds them, and which lie too near to each other."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score

from ml.config.embedding import ClassPair

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MAX_ROUNDS = 100


def mutual_information(x: NDArray[np.float32], labels: Ints, seed: int = 0) -> float | None:
    """NMI of the classes and of as many clusters, by k-means from one seeded start (k-means++): I(C; L) / ((H(C) + H(L)) / 2).

    None where there is nothing to find: one class, or fewer different vectors than classes.
    """
    k = len(np.unique(labels))
    if k < 2 or len(np.unique(x, axis=0)) < k:
        return None
    clusters = KMeans(k, n_init=1, max_iter=MAX_ROUNDS, random_state=seed).fit_predict(x)
    return float(normalized_mutual_info_score(labels, clusters))


def near_pairs(x: NDArray[np.float32], labels: Ints, names: Sequence[str], nearest: Ints, least: int) -> list[ClassPair]:
    """All pairs of classes that are mixed, the most first, and behind them those of the smallest ratio, `least` pairs together or more.

    A class of one video has no spread and is left out.

    Args:
        names: of all classes, by index.
        nearest: (V,) the nearest neighbour of each video.
    """
    counts = np.bincount(labels)
    classes = np.flatnonzero(counts > 1)  # (C,)
    if len(classes) < 2:
        return []
    i, j = np.triu_indices(len(classes), k=1)  # (P,) each: all pairs
    distance, spread = _apart(x, labels, classes)
    ratio = np.where(distance > 0, np.divide(distance, spread, out=np.full_like(distance, np.inf), where=spread > 0), 0.0)
    a, b = classes[i], classes[j]
    table = np.zeros((len(counts), len(counts)), np.int64)
    np.add.at(table, (labels, labels[nearest]), 1)
    mixed, videos = table[a, b] + table[b, a], counts[a] + counts[b]
    first = np.lexsort((ratio, -mixed / videos))[: max(least, np.count_nonzero(mixed))]
    return [
        ClassPair(
            a=int(a[p]),
            b=int(b[p]),
            name_a=names[a[p]],
            name_b=names[b[p]],
            ratio=float(ratio[p]),
            distance=float(distance[p]),
            spread=float(spread[p]),
            mixed=int(mixed[p]),
            videos=int(videos[p]),
        )
        for p in first
        if np.isfinite(ratio[p])
    ]


def _apart(x: NDArray[np.float32], labels: Ints, classes: Ints) -> tuple[Floats, Floats]:
    """Of all P pairs of classes, (P,) each: the distance of their means, and the mean of both classes' mean distance from their own."""
    means = np.stack([x[labels == c].mean(axis=0, dtype=np.float64) for c in classes])  # (C, D)
    spreads = np.array([np.linalg.norm(x[labels == c] - mean, axis=1).mean() for c, mean in zip(classes, means, strict=True)])  # (C,)
    i, j = np.triu_indices(len(classes), k=1)
    distance = np.concatenate([np.linalg.norm(means[p + 1 :] - means[p], axis=1) for p in range(len(classes) - 1)])  # as i, j
    return distance, (spreads[i] + spreads[j]) / 2
