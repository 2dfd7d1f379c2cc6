"""All that is said of embeddings after an evaluation: CPU seconds; UMAP in a fresh process, against umap-learn where it is installed."""

import importlib
import time
import warnings
from importlib.util import find_spec
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np
from sklearn.manifold import trustworthiness

from benchmarks.measure import Row
from ml.evaluation.embedding.file import Embeddings
from ml.evaluation.embedding.maps import principal_plane
from ml.evaluation.embedding.neighbours import retrieve
from ml.evaluation.embedding.report import describe
from ml.evaluation.embedding.umap import umap

D, VIDEOS_PER_CLASS, NEIGHBORS = 1024, 37, 15
SIZES = (300, 3783)
"""A small test subset, and that of UCF101's split 1."""


class First(NamedTuple):
    """The first map in a fresh process: CPU seconds without imports, and trustworthiness of 10 neighbours (1: all are kept)."""

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


def of_ours(V: int) -> First:
    e, start = clouds(V), time.process_time()
    found = retrieve(e.embeddings, e.labels, NEIGHBORS - 1)
    y = umap(found.order, found.distances, principal_plane(e.embeddings).positions)
    return First(time.process_time() - start, trustworthiness(e.embeddings, y, n_neighbors=10))


def of_library(V: int) -> First:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that TensorFlow is missing
        library: Any = importlib.import_module("umap")
        e, start = clouds(V), time.process_time()
        y = library.UMAP(n_neighbors=NEIGHBORS, random_state=0, n_jobs=1, init="pca").fit_transform(e.embeddings)
    return First(time.process_time() - start, trustworthiness(e.embeddings, y, n_neighbors=10))


def run() -> list[Row]:
    return [row for V in SIZES for row in (_everything(V), _first_map(V))]


def _everything(V: int) -> Row:
    e, start = clouds(V), time.process_time()
    describe(e)
    return Row(f"embeddings, {V} × {D}: measures, neighbours, pairs, maps", f"{time.process_time() - start:.1f} s")


def _first_map(V: int) -> Row:
    what = f"UMAP of {V} × {D} in a fresh process: CPU time, trustworthiness"
    with get_context("spawn").Pool(1) as fresh:
        ours = fresh.apply(of_ours, (V,))
    if find_spec("umap") is None:
        return Row(what, str(ours), "umap-learn is not installed")
    with get_context("spawn").Pool(1) as fresh:
        theirs = fresh.apply(of_library, (V,))
    return Row(what, str(ours), f"umap-learn: {theirs}", theirs.seconds / ours.seconds)
