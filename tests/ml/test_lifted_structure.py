"""The lifted structured loss against its equations in plain loops, against pytorch-metric-learning, and where it used to break."""

import math
from collections.abc import Callable
from itertools import combinations

import pytest
import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import LiftedStructureLoss as OfLibrary
from torch import Tensor

from ml.config.losses import LiftedStructure, MarginFunction
from ml.errors import BadBatch
from ml.losses import build_loss
from ml.losses.lifted_structure import lifted_structure
from ml.losses.margins import LARGEST, SHORTEST, margin
from ml.losses.pairs import distances, mean_distances

MARGINS: list[MarginFunction] = ["constant", "exp", "log", "ratio"]
ALPHA: dict[MarginFunction, Callable[[float, float], float]] = {
    "constant": lambda D_ij, D_ik: 1.0,
    "exp": lambda D_ij, D_ik: math.exp(D_ij / D_ik),
    "log": lambda D_ij, D_ik: math.log(D_ij / D_ik),
    "ratio": lambda D_ij, D_ik: D_ij / D_ik,
}
LABELS = torch.tensor([0, 0, 0, 1, 1, 2, 2, 3])  # classes of three, two and one


def embeddings(B: int = 8, D: int = 5, scale: float = 1.0, seed: int = 0) -> Tensor:
    return torch.randn(B, D, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * scale


def loss_of(f: Tensor, labels: Tensor, **config: object) -> Tensor:
    loss: Tensor = build_loss(LiftedStructure.model_validate(config), f.shape[1], 4)(f, labels)
    return loss


def gradient(f: Tensor, labels: Tensor, **config: object) -> Tensor:
    f = f.clone().requires_grad_()
    return torch.autograd.grad(loss_of(f, labels, **config), f)[0]


def in_loops(D: Tensor, labels: Tensor, function: MarginFunction) -> float:
    """Equation 6, letter by letter."""
    alpha, total, num_pairs = ALPHA[function], 0.0, 0
    for i, j in combinations(range(len(D)), 2):
        if labels[i] != labels[j]:
            continue
        terms, D_ij = 0.0, D[i, j].item()
        for anchor in (i, j):
            for k in range(len(D)):
                if labels[k] != labels[anchor]:
                    D_ik = D[anchor, k].item()
                    terms += math.exp(alpha(D_ij, D_ik) - D_ik)
        total += max(0.0, math.log(terms) + D_ij) ** 2
        num_pairs += 1
    return total / (2 * num_pairs)


@pytest.mark.parametrize("function", MARGINS)
@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_the_loss_is_equation_6_in_plain_loops(function: MarginFunction, scale: float) -> None:
    f = embeddings(scale=scale)

    assert loss_of(f, LABELS, margin=function).item() == pytest.approx(in_loops(torch.cdist(f, f), LABELS, function), rel=1e-12)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 3.0])
def test_a_constant_margin_is_the_loss_of_pytorch_metric_learning_without_normalisation(alpha: float) -> None:
    f, labels = embeddings(24, 16, scale=0.4), torch.arange(24) % 6
    ours = f.clone().requires_grad_()
    theirs = f.clone().requires_grad_()

    loss = loss_of(ours, labels, margin="constant", alpha=alpha)
    expected = OfLibrary(neg_margin=alpha, distance=LpDistance(normalize_embeddings=False))(theirs, labels)

    torch.testing.assert_close(loss, expected, rtol=1e-12, atol=0)
    got, wanted = torch.autograd.grad(loss, ours)[0], torch.autograd.grad(expected, theirs)[0]
    torch.testing.assert_close(got, wanted, rtol=1e-10, atol=1e-13)


def by_equations_7_to_9(D: Tensor, labels: Tensor) -> Tensor:
    """(B, B), the derivative by the distance of each unordered pair at [i, j] with i < j; exp margins."""
    gradient = torch.zeros_like(D)
    pairs = [(i, j) for i, j in combinations(range(len(D)), 2) if labels[i] == labels[j]]
    for i, j in pairs:
        near = [(a, k) for a in (i, j) for k in range(len(D)) if labels[k] != labels[a]]
        alpha = [math.exp(D[i, j] / D[a, k]) for a, k in near]
        terms = [math.exp(alpha_ak - D[pair]) for alpha_ak, pair in zip(alpha, near, strict=True)]
        J_ij = math.log(sum(terms)) + D[i, j].item()
        if J_ij <= 0:
            continue
        gradient[i, j] += J_ij / len(pairs)  # (7)
        for (a, k), alpha_ak, term in zip(near, alpha, terms, strict=True):
            slope = (D[i, j] / D[a, k] ** 2 * alpha_ak + 1) * term / math.exp(J_ij - D[i, j])
            gradient[min(a, k), max(a, k)] -= J_ij / len(pairs) * slope  # (8), (9)
    return gradient


def derivative_by_distances(D: Tensor, labels: Tensor, hold_margin: bool) -> Tensor:
    upper = D.triu(1).requires_grad_()
    loss = lifted_structure(upper + upper.T, labels, margin("exp", 1.0), hold_margin)
    return torch.autograd.grad(loss, upper)[0].triu(1)


@pytest.mark.parametrize("seed", range(3))
def test_the_papers_gradient_is_its_equations_7_to_9(seed: int) -> None:
    f = embeddings(seed=seed)
    D = torch.cdist(f, f)

    torch.testing.assert_close(derivative_by_distances(D, LABELS, hold_margin=True), by_equations_7_to_9(D, LABELS), rtol=1e-13, atol=1e-13)


def test_the_full_gradient_is_that_of_the_loss_and_differs_from_the_papers_in_the_positive_pairs_alone() -> None:
    f = embeddings(3, 2)  # one positive pair, so that its distance stands in the margins of that pair only
    labels = torch.tensor([0, 0, 1])
    D = torch.cdist(f, f)

    full, paper = (derivative_by_distances(D, labels, hold) for hold in (False, True))

    assert (full - paper).abs()[0, 1] > 0.1
    torch.testing.assert_close(full[:, 2], paper[:, 2])
    step = 1e-6
    numeric = (in_loops(_moved(D, step), labels, "exp") - in_loops(_moved(D, -step), labels, "exp")) / (2 * step)
    assert full[0, 1].item() == pytest.approx(numeric, rel=1e-6)


def _moved(D: Tensor, step: float) -> Tensor:
    """D with the distance of the pair (0, 1) changed."""
    moved = D.clone()
    moved[0, 1] += step
    moved[1, 0] += step
    return moved


def test_held_margins_push_embeddings_outwards_and_margins_that_move_do_not() -> None:
    """Scaling all embeddings leaves D_ij / D_ik, so exp margins, as they are; a gradient that holds D_ij alone does not see that.

    Along f → s·f: Σ_pairs J_ij (D_ij − Σ w D_ik) / |P|, with w the share of a term in the sum of eq. 6. The paper's has −Σ w α D_ij / D_ik
    beside, so a step against it enlarges all embeddings.
    """
    f = embeddings()
    D = torch.cdist(f, f)
    pairs = [(i, j) for i, j in combinations(range(len(D)), 2) if LABELS[i] == LABELS[j]]
    scaling = outwards = 0.0
    for i, j in pairs:
        near = torch.cat([D[anchor][LABELS[anchor] != LABELS] for anchor in (i, j)])
        alpha = (D[i, j] / near).exp()
        J_ij, w = (torch.logsumexp(alpha - near, 0) + D[i, j]).relu(), (alpha - near).softmax(0)
        scaling += (J_ij * (D[i, j] - (w * near).sum())).item() / len(pairs)
        outwards += (J_ij * (w * alpha * D[i, j] / near).sum()).item() / len(pairs)

    full, paper = ((f * gradient(f, LABELS, margin="exp", gradient=kind)).sum().item() for kind in ("full", "paper"))

    assert full == pytest.approx(scaling)
    assert paper == pytest.approx(scaling - outwards)
    assert outwards > 1


@pytest.mark.parametrize("function", MARGINS)
def test_the_full_gradient_is_the_numeric_one(function: MarginFunction) -> None:
    f = embeddings().requires_grad_()

    assert torch.autograd.gradcheck(lambda f: loss_of(f, LABELS, margin=function, gradient="full"), f)


def test_with_a_constant_margin_both_gradients_are_the_same() -> None:
    f = embeddings()

    assert torch.equal(gradient(f, LABELS, margin="constant", gradient="paper"), gradient(f, LABELS, margin="constant", gradient="full"))


def test_an_exponential_margin_is_never_below_1_and_is_e_where_both_distances_are_equal() -> None:
    near = torch.tensor([0.0, 0.5, 1.0, 5.0])

    alpha = margin("exp", 1.0)(torch.ones(4), 1 / near.clamp(min=1e-3))

    assert bool((alpha >= 1).all())
    assert alpha[2].item() == pytest.approx(math.e)


def test_well_separated_classes_cost_nothing() -> None:
    f = torch.tensor([[0.0], [0.1], [50.0], [50.1]], dtype=torch.float64)

    assert loss_of(f, torch.tensor([0, 0, 1, 1]), margin="exp").item() == 0


# What of specification 3.1 became NaN or infinite, each with every margin and both gradients.

DEGENERATE: dict[str, Callable[[Tensor], Tensor]] = {
    "a negative that equals its anchor": lambda f: f.index_copy(0, torch.tensor([3]), f[:1]),
    "a positive that equals its anchor": lambda f: f.index_copy(0, torch.tensor([1]), f[:1]),
    "all equal": lambda f: f[:1].expand(8, 5).contiguous(),
    "all zero": torch.zeros_like,
    "nearly equal, far from the origin": lambda f: 1000 + 1e-3 * f,
    "distances above 88": lambda f: 200 * f,
    "a negative hundreds of times nearer than the positive": lambda f: f.index_copy(0, torch.tensor([3]), f[:1] + 1e-3),
    "huge norms": lambda f: 1e6 * f,
    "tiny norms": lambda f: 1e-30 * f,
}


@pytest.mark.parametrize("case", DEGENERATE)
@pytest.mark.parametrize("gradient_kind", ["paper", "full"])
@pytest.mark.parametrize("function", MARGINS)
def test_degenerate_batches_leave_loss_and_gradient_finite(case: str, gradient_kind: str, function: MarginFunction) -> None:
    f = DEGENERATE[case](embeddings().float())

    assert loss_of(f, LABELS, margin=function).isfinite()
    assert bool(gradient(f, LABELS, margin=function, gradient=gradient_kind).isfinite().all())


def unmended(f: Tensor, labels: Tensor, *without: str) -> Tensor:
    """Equation 6 with exp margins as one would write it down, its mendings left out by name."""
    squares = f.square().sum(1)[:, None] + f.square().sum(1) - 2 * f @ f.T if "differences" in without else (f[:, None] - f).square().sum(2)
    D = squares.sqrt() if "slope at 0" in without else squares.clamp(min=SHORTEST**2).sqrt()
    alike = labels[:, None] == labels
    i, j = alike.triu(1).nonzero(as_tuple=True)
    sums = []
    for anchor in (i, j):
        D_ik = D[anchor] if "shortest" in without else D[anchor].clamp(min=SHORTEST)
        R = D[i, j, None] / (
            D_ik.masked_fill(alike[anchor], 1) if "masked ratio" in without else D_ik.masked_fill(alike[anchor], torch.inf)
        )
        alpha = R.exp() if "largest" in without or "masked ratio" in without else R.clamp(max=LARGEST).exp()
        terms = (alpha - D[anchor]).masked_fill(alike[anchor], -torch.inf)
        sums.append(terms.exp().sum(1).log() if "logsumexp" in without else terms.logsumexp(1))
    return (torch.logaddexp(*sums) + D[i, j]).relu().square().mean() / 2


SOURCES: list[tuple[tuple[str, ...], str, str]] = [
    (("differences", "slope at 0"), "nearly equal, far from the origin", "loss"),
    (("slope at 0",), "a positive that equals its anchor", "gradient"),
    (("shortest", "largest", "slope at 0"), "a negative that equals its anchor", "loss"),
    (("masked ratio",), "distances above 88", "gradient"),
    (("largest",), "a negative hundreds of times nearer than the positive", "loss"),
    (("logsumexp",), "a negative hundreds of times nearer than the positive", "loss"),
]
"""Mendings, a degenerate batch that becomes NaN or infinite without them, and whether the loss already does or its gradient alone."""


@pytest.mark.parametrize(("without", "case", "breaks"), SOURCES)
def test_each_source_of_nan_is_one_and_is_mended(without: tuple[str, ...], case: str, breaks: str) -> None:
    f = DEGENERATE[case](embeddings().float()).requires_grad_()

    broken = unmended(f, LABELS, *without)

    assert bool(broken.isfinite()) is (breaks == "gradient")
    assert not torch.autograd.grad(broken, f)[0].isfinite().all()
    ours = loss_of(f, LABELS, margin="exp", gradient="full")
    assert ours.isfinite() and bool(torch.autograd.grad(ours, f)[0].isfinite().all())


def test_with_all_its_mendings_the_loss_written_down_is_ours() -> None:
    f = embeddings()

    torch.testing.assert_close(unmended(f, LABELS), loss_of(f, LABELS, margin="exp"))


@pytest.mark.parametrize(("function", "alpha"), [("constant", 1), ("exp", math.e), ("log", 0), ("ratio", 1)])
def test_where_all_are_equal_every_margin_is_that_of_equal_distances(function: MarginFunction, alpha: float) -> None:
    f = torch.zeros(4, 3, dtype=torch.float64)

    assert loss_of(f, torch.tensor([0, 0, 1, 1]), margin=function).item() == pytest.approx((math.log(4) + alpha) ** 2 / 2)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("function", MARGINS)
def test_half_precision_is_computed_in_single_precision(dtype: torch.dtype, function: MarginFunction) -> None:
    f = embeddings(scale=200).to(dtype)

    loss = loss_of(f, LABELS, margin=function)

    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, loss_of(f.float(), LABELS, margin=function))
    slope = gradient(f, LABELS, margin=function)
    assert slope.dtype == dtype and bool(slope.isfinite().all())


def test_ratios_above_the_largest_count_as_the_largest() -> None:
    far, near = torch.full((1, 1), 100.0), torch.tensor([[1.0, 4.0, torch.inf]])

    torch.testing.assert_close(margin("exp", 1.0)(far, near), torch.tensor([[LARGEST, LARGEST, 0.0]]).exp())


@pytest.mark.parametrize(
    ("labels", "what"),
    [([2, 2, 2, 2], "of one class: there is no negative pair"), ([0, 1, 2, 3], "of 4 classes: there is no positive pair")],
)
def test_a_batch_without_pairs_is_an_error_with_advice(labels: list[int], what: str) -> None:
    with pytest.raises(BadBatch, match=what) as caught:
        loss_of(embeddings(4), torch.tensor(labels))

    assert "class-balanced" in caught.value.advice


def test_distances_of_nearly_equal_embeddings_keep_their_digits() -> None:
    f = 1000 + 1e-3 * embeddings().float()

    torch.testing.assert_close(distances(f).double(), torch.cdist(f.double(), f.double()), rtol=1e-4, atol=0)


def test_mean_distances_are_those_of_the_pairs() -> None:
    f = embeddings()
    D = torch.cdist(f, f)
    pairs = list(combinations(range(8), 2))
    same = [D[i, j].item() for i, j in pairs if LABELS[i] == LABELS[j]]
    other = [D[i, j].item() for i, j in pairs if LABELS[i] != LABELS[j]]

    positive, negative = mean_distances(f, LABELS)

    assert positive.item() == pytest.approx(sum(same) / len(same))
    assert negative.item() == pytest.approx(sum(other) / len(other))
