"""UMAP: the graph is that of umap-learn, forces are gradients, neighbours stay together, the same seed gives the same map."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.manifold import trustworthiness

from ml.evaluation.embedding.neighbours import retrieve
from ml.evaluation.embedding.umap import CLIP, a, attraction, b, fuzzy_graph, repulsion, smooth, umap

OF_UMAP_LEARN = json.loads((Path(__file__).parent / "umap_graph.json").read_text())
"""Of 40 points, two of them at one place; the file says how it was made."""


def test_the_graph_is_that_of_umap_learn() -> None:
    x = np.array(OF_UMAP_LEARN["x"], np.float32)
    found = retrieve(x, np.zeros(len(x), np.int64), 7)
    rho, sigma = smooth(found.distances)
    np.testing.assert_allclose(rho, OF_UMAP_LEARN["rho"], atol=1e-5)
    np.testing.assert_allclose(sigma, OF_UMAP_LEARN["sigma"], atol=2e-5)
    edges = fuzzy_graph(found.order, found.distances)
    i, j, w = zip(*OF_UMAP_LEARN["edges"], strict=True)
    assert (edges.i.tolist(), edges.j.tolist()) == (list(i), list(j))
    np.testing.assert_allclose(edges.w, w, atol=1e-5)


def test_a_and_b_fit_the_curve_of_min_dist() -> None:
    d = np.linspace(0, 3, 300)
    wanted = np.where(d < 0.1, 1.0, np.exp(0.1 - d))

    def error(a: float, b: float) -> float:
        return float(((1 / (1 + a * d ** (2 * b)) - wanted) ** 2).sum())

    assert all(error(a, b) < error(a + da, b + db) for da, db in ((1e-4, 0), (-1e-4, 0), (0, 1e-4), (0, -1e-4)))


def test_forces_are_the_gradients_of_the_likelihood() -> None:
    r = torch.randn(2, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).mul(2).requires_grad_()
    d2 = (r**2).sum(dim=0)
    likeness = 1 / (1 + a * d2**b)
    pull = torch.autograd.grad(likeness.log().sum(), r, retain_graph=True)[0].clamp(-CLIP, CLIP)
    # 2b / (d² (1 + a d^2b)) r, of which the 0.001 keeps the middle finite
    push = (torch.autograd.grad((1 - likeness).log().sum(), r)[0] * d2 / (d2 + 0.001)).clamp(-CLIP, CLIP)
    given = r.detach().numpy().astype(np.float32)
    np.testing.assert_allclose(attraction(given), pull.numpy(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(repulsion(given), push.detach().numpy(), rtol=1e-4, atol=1e-5)


def test_points_at_one_place_neither_pull_nor_burst() -> None:
    nowhere = np.zeros((2, 3), np.float32)
    assert not attraction(nowhere).any() and not repulsion(nowhere).any()


@pytest.fixture(scope="module")
def clouds() -> tuple[np.ndarray, np.ndarray]:
    """Ten clouds in 50 dimensions, which two principal axes cannot show."""
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 10
    return (rng.normal(size=(200, 50)) + 2 * rng.normal(size=(10, 50))[labels]).astype(np.float32), labels


def test_neighbours_stay_together_and_the_seed_decides(clouds: tuple[np.ndarray, np.ndarray]) -> None:
    x, labels = clouds
    found, start = retrieve(x, labels, 14), x[:, :2].astype(np.float64)
    y = umap(found.order, found.distances, start)
    assert trustworthiness(x, y, n_neighbors=10) > 0.9 > trustworthiness(x, start, n_neighbors=10)
    assert retrieve(y.astype(np.float32), labels, 5).recall_at_1 == 1.0
    np.testing.assert_array_equal(umap(found.order, found.distances, start), y)
    assert (umap(found.order, found.distances, start, seed=1) != y).any()


def test_copies_and_clouds_without_a_path_between_them_have_finite_places() -> None:
    x = np.repeat([[0.0, 0.0], [100.0, 0.0]], 10, axis=0).astype(np.float32)
    found = retrieve(x, np.zeros(20, np.int64), 5)
    y = umap(found.order, found.distances, x.astype(np.float64))
    assert np.isfinite(y).all()
    assert retrieve(y.astype(np.float32), np.arange(20) // 10, 5).recall_at_1 == 1.0
