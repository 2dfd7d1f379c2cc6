"""UMAP: points in D dimensions → points in a plane, neighbours kept together.

McInnes, Healy & Melville, "UMAP: Uniform Manifold Approximation and Projection for Dimension Reduction", arXiv:1802.03426.

Graph (section 3.1). Of each point x_i the k nearest, itself among them as the authors' code counts; ρ_i is the distance to the nearest
that is not 0, and σ_i such that Σ_j exp(−max(0, d(x_i, x_j) − ρ_i) / σ_i) = log₂ k over the others. With

    w(i → j) = exp(−max(0, d(x_i, x_j) − ρ_i) / σ_i),   W = A + Aᵀ − A ∘ Aᵀ   for A = [w(i → j)]

Layout (section 3.2). The likeness of two points y_i, y_j of the plane is Φ = (1 + a ‖y_i − y_j‖^{2b})⁻¹, with a and b such that it is
near 1 up to `min_dist` and falls as exp(min_dist − ‖y_i − y_j‖) beyond. Edges pull with the gradient of log Φ, some points drawn by
chance push with that of log(1 − Φ).

Ours is a second implementation, in NumPy, because the authors' compiles itself for half a minute in every process that uses it
(docs/decisions/016-umap.md). Two deviations: it begins with the two principal components and not with the graph's eigenvectors, which
need a connected graph; and the edges of one round are taken from the same positions, not one after the other.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Ints = NDArray[np.int64]

a, b = 1.576943, 0.895061
"""Of Φ, by least squares over distances up to 3, for min_dist = 0.1."""

BISECTIONS = 64
LEAST_SIGMA = 1e-3
"""σ_i as a share of the mean distance, at least: else copies of a point would have no other neighbour."""

NEGATIVES = 5
CLIP = 4.0
SIDE = 10.0
SMALL = 10_000
ROUNDS_SMALL, ROUNDS_LARGE = 500, 200


class Edges(NamedTuple):
    """Directed edges i → j with weights 0 < w ≤ 1; every edge stands there in both directions."""

    i: Ints
    j: Ints
    w: Floats


def umap(order: Ints, distances: Floats, start: Floats, seed: int = 0) -> Floats:
    """(V, 2) positions, the same for the same seed.

    Args:
        order: (V, k − 1) the nearest others of each point, without itself.
        distances: (V, k − 1) to them.
        start: (V, 2) where to begin, such as the principal components; only its shape counts, not its scale.
    """
    rng = np.random.default_rng(seed)
    largest = np.abs(start).max() or 1.0
    y = SIDE * start / largest + rng.normal(scale=1e-4, size=start.shape)
    return lay_out(fuzzy_graph(order, distances), y, rng)


def fuzzy_graph(order: Ints, distances: Floats) -> Edges:
    """W, as edges."""
    V, others = order.shape
    rho, sigma = smooth(distances)
    w = np.exp(-np.maximum(0, distances - rho[:, None]) / sigma[:, None])  # (V, k − 1)
    i, j = np.repeat(np.arange(V), others), order.reshape(-1)
    key = np.concatenate([i * V + j, j * V + i])  # A, then Aᵀ
    unique, place = np.unique(key, return_inverse=True)
    A, At = np.zeros(len(unique)), np.zeros(len(unique))
    A[place[: len(i)]], At[place[len(i) :]] = w.reshape(-1), w.reshape(-1)
    W = A + At - A * At
    return Edges(unique // V, unique % V, W)


def smooth(distances: Floats) -> tuple[Floats, Floats]:
    """(V, k − 1) → ρ and σ, (V,) each, by bisection. ρ is 0 where all distances are."""
    target = np.log2(distances.shape[1] + 1)
    positive = np.where(distances > 0, distances, np.inf).min(axis=1)
    rho = np.where(np.isfinite(positive), positive, 0.0)
    beyond = np.maximum(0, distances - rho[:, None])
    low, high = np.zeros(len(rho)), np.full(len(rho), np.inf)
    sigma = np.ones(len(rho))
    for _ in range(BISECTIONS):
        above = np.exp(-beyond / sigma[:, None]).sum(axis=1) > target
        high, low = np.where(above, sigma, high), np.where(above, low, sigma)
        sigma = np.where(np.isinf(high), 2 * sigma, (low + np.where(np.isinf(high), low, high)) / 2)
    floor = np.where(rho > 0, distances.mean(axis=1), distances.mean())
    return rho, np.maximum(sigma, np.maximum(LEAST_SIGMA * floor, np.finfo(float).tiny))


def lay_out(edges: Edges, start: Floats, rng: np.random.Generator) -> Floats:
    """Pull and push for so many rounds, with steps that shrink to 0. An edge takes part in a share w / max w of the rounds."""
    V = len(start)
    y: Singles = start.T.astype(np.float32)  # (2, V), as the authors' code in single precision
    rounds = ROUNDS_SMALL if V <= SMALL else ROUNDS_LARGE
    kept = edges.w >= edges.w.max() / rounds
    i, j, every = edges.i[kept], edges.j[kept], edges.w.max() / edges.w[kept]  # every: rounds from one turn of an edge to the next
    due = every.copy()
    for number in range(1, rounds + 1):
        step = 1 - (number - 1) / rounds
        turn = np.flatnonzero(due <= number)
        due[turn] += every[turn]
        head, tail = i[turn], j[turn]
        pushed, pushing = np.repeat(head, NEGATIVES), rng.integers(0, V, NEGATIVES * len(head))
        pull = attraction(y.take(head, axis=1) - y.take(tail, axis=1))  # (2, n)
        push = repulsion(y.take(pushed, axis=1) - y.take(pushing, axis=1))  # (2, 5n)
        moved = _sums(head, pull, V) - _sums(tail, pull, V) + _sums(pushed, push, V)
        y = np.add(y, moved * np.float32(step), dtype=np.float32)
    return np.asarray((y - y.mean(axis=1, keepdims=True)).T, dtype=np.float64)


def attraction(r: Singles) -> Singles:
    """(2, n) differences y_i − y_j → the gradient of log Φ for y_i: −2ab ‖r‖^{2(b−1)} / (1 + a ‖r‖^{2b}) r, each part within ±4."""
    d2, power = _powers(r)
    return np.clip(-2 * a * b * power / (d2 * (1 + a * power)) * r, -CLIP, CLIP)


def repulsion(r: Singles) -> Singles:
    """The gradient of log(1 − Φ) for y_i: 2b / ((0.001 + ‖r‖²) (1 + a ‖r‖^{2b})) r, each part within ±4."""
    d2, power = _powers(r)
    return np.clip(2 * b / ((0.001 + d2) * (1 + a * power)) * r, -CLIP, CLIP)


def _powers(r: Singles) -> tuple[Singles, Singles]:
    """‖r‖² and ‖r‖^{2b}, (n,) each; of two points at one place as if they were 10⁻⁶ apart."""
    d2 = np.maximum(r[0] ** 2 + r[1] ** 2, np.float32(1e-12))
    return d2, np.exp(np.float32(b) * np.log(d2))


def _sums(index: Ints, values: Singles, V: int) -> Singles:
    """(n,) and (2, n) → (2, V): the values of each index added up."""
    return np.stack([np.bincount(index, row, V) for row in values]).astype(np.float32)
