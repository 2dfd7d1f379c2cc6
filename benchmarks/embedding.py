"""All that is said of embeddings after an evaluation, and the map by UMAP that is drawn on demand, in a fresh process: CPU seconds."""

import os
import time
from multiprocessing import get_context
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from sklearn.manifold import trustworthiness

from benchmarks.measure import Row
from ml.config.embedding import UmapConfig
from ml.evaluation.embedding.file import Embeddings
from ml.evaluation.embedding.maps import principal_plane, umap_plane
from ml.evaluation.embedding.neighbours import retrieve
from ml.evaluation.embedding.report import describe

D, VIDEOS_PER_CLASS = 1024, 37
SIZES = (300, 3783)
"""A small test subset, and that of UCF101's split 1."""


class Drawn(NamedTuple):
    """CPU seconds with the import of the library, and trustworthiness of 10 neighbours (1: all are kept)."""

    seconds: float
    trustworthiness: float

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s, {self.trustworthiness:.3f}"


def clouds(V: int) -> Embeddings:
    """Classes that overlap: R@1 is about a half of 101 classes."""
    rng, N = np.random.default_rng(0), max(2, V // VIDEOS_PER_CLASS)
    labels = rng.integers(0, N, V)
    x = rng.normal(size=(V, D)) + 0.25 * rng.normal(size=(N, D))[labels]
    return Embeddings(x.astype(np.float32), labels, np.arange(V).astype(str), np.arange(N).astype(str), {})


def draw(V: int) -> Drawn:
    x, config = clouds(V), UmapConfig()
    found, plane = retrieve(x.embeddings, x.labels, config.neighbors - 1), principal_plane(x.embeddings)
    start = time.process_time()
    y = umap_plane(x.embeddings, found.order, found.distances, plane.positions, config)
    return Drawn(time.process_time() - start, trustworthiness(x.embeddings, y, n_neighbors=10))


def run() -> list[Row]:
    with TemporaryDirectory() as nothing_compiled:
        os.environ["NUMBA_CACHE_DIR"] = nothing_compiled
        return [
            *map(_described, SIZES),
            _map(SIZES[0], "the first of all, which compiles the library"),
            *(_map(V, "a later one") for V in SIZES),
        ]


def _described(V: int) -> Row:
    e, start = clouds(V), time.process_time()
    describe(e)
    return Row(f"embeddings, {V} × {D}: measures, neighbours, pairs, PCA", f"{time.process_time() - start:.1f} s")


def _map(V: int, which: str) -> Row:
    with get_context("spawn").Pool(1) as fresh:
        drawn = fresh.apply(draw, (V,))
    return Row(f"UMAP of {V} × {D} in a fresh process, {which}: CPU time, trustworthiness", str(drawn))
