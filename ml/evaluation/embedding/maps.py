"""Embeddings in a plane: what the page draws."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from ml.config.embedding import UmapConfig

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EXTENT, NOISE = 10.0, 1e-4
"""Of the places that UMAP starts from: as far as its own, with as much noise, which parts copies and fills an axis that is flat."""


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


def umap_plane(x: NDArray[np.float32], order: Ints, distances: Floats, start: Floats, config: UmapConfig) -> Floats:
    """(V, 2) by umap-learn: McInnes, Healy & Melville, "UMAP: Uniform Manifold Approximation and Projection", 2018.

    Args:
        x: (V, D), not all of them equal.
        order: (V, n) the nearest others of each video; `distances` (V, n) to them.
        start: (V, 2) the principal plane.
    """
    with _only_new_warnings():
        near = neighborhood_size(len(x), config)
        itself = np.arange(len(x))[:, None]
        known = np.hstack([itself, order[:, : near - 1]]), np.pad(distances[:, : near - 1], ((0, 0), (1, 0)))
        noise = np.random.default_rng(config.seed).normal(scale=NOISE, size=start.shape)
        places = EXTENT / np.abs(start).max() * start + noise
        umap = _library()(n_neighbors=near, init=places, random_state=config.seed, n_jobs=1, precomputed_knn=known)
        return np.asarray(umap.fit_transform(x), np.float64)


def neighborhood_size(num_videos: int, config: UmapConfig) -> int:
    """As asked for, and smaller than the whole."""
    return min(config.neighbors, num_videos - 1)


def _library() -> type[Any]:
    """umap-learn, imported only here: it compiles itself. What it has compiled is kept for the next process (`NUMBA_CACHE_DIR`)."""
    from umap import UMAP, layouts, umap_

    for function in (*vars(umap_).values(), *vars(layouts).values()):
        if hasattr(function, "enable_caching"):
            function.enable_caching()
    return cast(type[Any], UMAP)


@contextmanager
def _only_new_warnings() -> Iterator[None]:
    """Not those that come with every map and mean nothing for it: no TensorFlow, and no index to place further videos with."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Tensorflow not installed", ImportWarning)
        warnings.filterwarnings("ignore", r"precomputed_knn\[2\]", UserWarning)
        yield
