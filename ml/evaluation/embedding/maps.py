"""Embeddings in a plane: what the page draws."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from ml.evaluation.embedding.umap import umap

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_VIDEOS = 10
"""Fewer have no neighbourhoods that UMAP could keep together."""


class Plane(NamedTuple):
    """(V, 2) by principal components, and the share of all variance that each axis shows."""

    positions: Floats
    explained: tuple[float, float]


def principal_plane(x: NDArray[np.float32], seed: int = 0) -> Plane:
    """The two directions of largest variance; zeros where there is none, as of one video or of copies of one."""
    positions, explained = np.zeros((len(x), 2)), np.zeros(2)
    n = min(2, *x.shape)
    if len(x) > 1 and np.ptp(x, axis=0).any():
        pca = PCA(n, random_state=seed).fit(x.astype(np.float64))
        positions[:, :n], explained[:n] = pca.transform(x.astype(np.float64)), pca.explained_variance_ratio_
    return Plane(positions, (float(explained[0]), float(explained[1])))


def umap_plane(order: Ints, distances: Floats, start: Floats, neighbors: int = 15, seed: int = 0) -> Floats | None:
    """(V, 2) by UMAP; None where there are too few videos, or all lie at one place.

    Args:
        order: (V, n) the nearest others of each video; `distances` (V, n) to them.
        start: (V, 2) the principal plane.
        neighbors: size of a neighbourhood, the video itself included.
    """
    if len(start) < LEAST_VIDEOS or not start.any():
        return None
    return umap(order[:, : neighbors - 1], distances[:, : neighbors - 1], start, seed)
