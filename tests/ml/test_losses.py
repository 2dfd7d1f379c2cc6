"""Every loss in the table: its equation in plain loops where it comes through a library, and what all of them must do."""

import math
from typing import Any, get_args

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ml.config.losses import ArcFace, LiftedStructure, MetricLoss, ProxyAnchor, SupCon, Triplet
from ml.config.schema import Schema
from ml.errors import BadBatch
from ml.losses import LOSSES, build_loss

B, D, N = 12, 6, 4
PAIRWISE = (LiftedStructure, Triplet, SupCon)
LABELS = torch.arange(B) % 3  # the fourth class is not in the batch


def embeddings(scale: float = 1.0) -> Tensor:
    return torch.randn(B, D, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * scale


@pytest.fixture(params=list(LOSSES), ids=lambda schema: schema.__name__)
def config(request: pytest.FixtureRequest) -> Any:
    torch.manual_seed(0)
    return request.param()


def cosines(f: Tensor, to: Tensor) -> list[list[float]]:
    matrix: list[list[float]] = (F.normalize(f) @ F.normalize(to).T).tolist()
    return matrix


def test_every_loss_that_a_config_can_ask_for_is_in_the_table() -> None:
    assert set(LOSSES) == set(get_args(get_args(MetricLoss)[0]))


def test_a_loss_is_a_finite_scalar_that_reaches_embeddings_and_its_own_parameters(config: Any) -> None:
    loss, f = build_loss(config, D, N), embeddings().float().requires_grad_()

    value = loss(f, LABELS)
    gradients = torch.autograd.grad(value, [f, *loss.parameters()])

    assert value.shape == () and value.isfinite()
    assert all(bool(gradient.isfinite().all()) and gradient.any() for gradient in gradients)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_single_precision(config: Any, dtype: torch.dtype) -> None:
    loss, f = build_loss(config, D, N), embeddings().to(dtype)

    assert loss(f, LABELS).dtype == torch.float32
    torch.testing.assert_close(loss(f, LABELS), loss(f.float(), LABELS))


@pytest.mark.parametrize("f", [torch.zeros(B, D), torch.ones(B, D), 1e-20 * torch.ones(B, D)], ids=["zero", "equal", "tiny"])
def test_equal_embeddings_leave_loss_and_gradient_finite(config: Any, f: Tensor) -> None:
    f = f.clone().requires_grad_()

    value = build_loss(config, D, N)(f, LABELS)

    assert value.isfinite() and bool(torch.autograd.grad(value, f)[0].isfinite().all())


@pytest.mark.parametrize("labels", [torch.zeros(B, dtype=torch.int64), torch.arange(B)], ids=["one class", "no two alike"])
def test_losses_of_pairs_refuse_batches_that_have_none(config: Schema, labels: Tensor) -> None:
    loss = build_loss(config, D, B)  # type: ignore[arg-type]

    if isinstance(config, PAIRWISE):
        with pytest.raises(BadBatch, match="there is no"):
            loss(embeddings(), labels)
    else:
        assert loss(embeddings(), labels).isfinite()


@pytest.mark.parametrize("mining", ["both", "semihard", "hard"])
def test_the_triplet_loss_is_the_mean_over_its_mined_triplets(mining: Any) -> None:
    f, terms = embeddings(), []
    for a in range(B):
        for p in range(B):
            for n in range(B):
                if p == a or LABELS[a] != LABELS[p] or LABELS[a] == LABELS[n]:
                    continue
                gap = ((f[a] - f[n]).norm() - (f[a] - f[p]).norm()).item()
                if {"both": gap < 0.2, "semihard": 0 < gap < 0.2, "hard": gap <= 0}[mining]:
                    terms.append(0.2 - gap)

    value = build_loss(Triplet(margin=0.2, mining=mining), D, N)(f, LABELS)

    assert terms
    assert value.item() == pytest.approx(sum(terms) / len(terms))


def test_the_supervised_contrastive_loss_is_its_equation() -> None:
    f = embeddings()
    s, total = cosines(f, f), 0.0
    for i in range(B):
        others = sum(math.exp(s[i][a] / 0.5) for a in range(B) if a != i)
        positives = [p for p in range(B) if p != i and LABELS[p] == LABELS[i]]
        total -= sum(math.log(math.exp(s[i][p] / 0.5) / others) for p in positives) / len(positives) / B

    assert build_loss(SupCon(temperature=0.5), D, N)(f, LABELS).item() == pytest.approx(total)


def test_the_proxy_anchor_loss_is_its_equation() -> None:
    f, alpha, delta = embeddings(), 8.0, 0.1
    loss = build_loss(ProxyAnchor(margin=delta, alpha=alpha), D, N).double()
    s, near, far = cosines(f, next(loss.parameters()).detach()), 0.0, 0.0
    for p in range(N):
        own = [x for x in range(B) if LABELS[x] == p]
        near += math.log(1 + sum(math.exp(-alpha * (s[x][p] - delta)) for x in own)) / 3
        far += math.log(1 + sum(math.exp(alpha * (s[x][p] + delta)) for x in range(B) if x not in own)) / N

    assert loss(f, LABELS).item() == pytest.approx(near + far)


def test_the_arc_face_loss_is_its_equation() -> None:
    f, margin, scale = embeddings(), 0.3, 8.0
    loss = build_loss(ArcFace(margin=math.degrees(margin), scale=scale), D, N).double()
    s, total = cosines(f, next(loss.parameters()).detach().T), 0.0
    for b, label in enumerate(LABELS.tolist()):
        own = math.exp(scale * math.cos(math.acos(s[b][label]) + margin))
        total -= math.log(own / (own + sum(math.exp(scale * s[b][n]) for n in range(N) if n != label))) / B

    assert loss(f, LABELS).item() == pytest.approx(total)
