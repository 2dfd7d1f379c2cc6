"""NFMML: two branches on one video feature, trained together; large weights of the metric loss, and what makes them train."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ml.backbones import Backbone
from ml.backbones.normalization import normalize
from ml.config import models as schemas
from ml.config.losses import ArcFace, LiftedStructure
from ml.layers.branches import Branches
from ml.layers.over_segments import Average
from ml.layers.segments import SegmentFeatures
from ml.losses import build_loss
from ml.models import build_model
from ml.models.nfmml import NFMML
from ml.training.objective import MultiTask, build_objective
from ml.training.optim import build_optimizer

B, K, N, E = 8, 3, 4, 6
LABELS = torch.arange(B) % N


def snippets() -> Tensor:
    return torch.rand(B, K, 3, 2, 2, generator=torch.Generator().manual_seed(0)) * 255


def small(normalize_embeddings: bool = False) -> NFMML:
    torch.manual_seed(0)
    backbone = Backbone(nn.Flatten(), 12, normalize(3, (104.0, 117.0, 123.0), (60.0, 60.0, 60.0)))
    loss = build_loss(LiftedStructure(), E, N)
    return NFMML(SegmentFeatures(backbone), Average(), loss, N, E, dropout=0.0, normalize=normalize_embeddings)


def branches(model: NFMML, x: Tensor) -> Branches:
    out = model.train()(x)
    assert isinstance(out, Branches)
    return out


def test_both_branches_stand_on_the_mean_feature_of_the_segments() -> None:
    model, x = small(), snippets()
    video = ((x.flatten(2) - torch.tensor([104.0, 117.0, 123.0]).repeat_interleave(4)) / 60).mean(1)

    out = branches(model, x)

    torch.testing.assert_close(out.scores, video @ model.classifier.weight.T + model.classifier.bias)
    torch.testing.assert_close(out.embeddings, video @ model.embedding.weight.T + model.embedding.bias)


def test_a_test_sees_the_classifier_alone() -> None:
    model, x = small(), snippets()

    torch.testing.assert_close(model.eval()(x), branches(model, x).scores)


def test_with_average_pooling_a_video_scores_the_mean_of_its_views() -> None:
    model, x = small().eval(), snippets()

    torch.testing.assert_close(model(x), torch.stack([model(x[:, k]) for k in range(K)]).mean(0))


def test_embeddings_are_of_length_1_where_that_is_asked_for() -> None:
    model, x = small(normalize_embeddings=True), snippets()

    torch.testing.assert_close(branches(model, x).embeddings.norm(dim=1), torch.ones(B))
    torch.testing.assert_close(model.branches(x).embeddings, F.normalize(model.embedding(model.video_features(x))))


@pytest.mark.parametrize("pooling", ["average", "max", "convolution"])
@pytest.mark.parametrize("loss", [LiftedStructure(), ArcFace()], ids=["lifted", "arc_face"])
def test_every_parameter_gets_a_gradient(pooling: Any, loss: Any) -> None:
    config = schemas.NFMML(backbone="resnet10t", pooling=pooling, loss=loss, embedding_size=16, dropout=0)
    torch.manual_seed(0)
    model = build_model(config, 3, N, K).train()
    with torch.no_grad():
        for parameter in model.parameters():
            if not parameter.any():
                parameter.fill_(0.1)  # zero-initialised branches are opened
    x = torch.rand(B, K, 3, 48, 48, generator=torch.Generator().manual_seed(0)) * 255

    total = build_objective(config, model)(model, x, LABELS, 0).total

    gradients = torch.autograd.grad(total, list(model.parameters()))
    names = [name for name, _ in model.named_parameters()]
    assert [name for name, gradient in zip(names, gradients, strict=True) if not gradient.any()] == []


def test_proxies_are_parameters_of_the_network_and_stay_with_it() -> None:
    model = build_model(schemas.NFMML(backbone="resnet10t", loss=ArcFace(), embedding_size=16), 3, N)

    assert model.state_dict()["metric_loss.loss.W"].shape == (16, N)


def test_the_objective_is_the_weighted_sum_of_both_losses() -> None:
    model, x = small(), snippets()
    scores, embeddings = branches(model, x)
    J_c, J_m = F.cross_entropy(scores, LABELS), model.metric_loss(embeddings, LABELS)

    outcome = MultiTask(model.metric_loss, lambda1=0.7, lambda2=0.3)(model, x, LABELS, 0)

    torch.testing.assert_close(outcome.total, 0.7 * J_c + 0.3 * J_m)
    torch.testing.assert_close(outcome.losses, {"classification": 0.7 * J_c, "metric": 0.3 * J_m})
    torch.testing.assert_close(outcome.measures["metric_loss"], J_m.detach())
    D = torch.cdist(embeddings, embeddings).detach()
    same = LABELS[:, None] == LABELS
    torch.testing.assert_close(outcome.measures["negative_distance"], D[~same].mean())
    torch.testing.assert_close(outcome.measures["positive_distance"], D[same & ~torch.eye(B, dtype=torch.bool)].mean())


def test_a_validation_batch_is_judged_by_its_classification_and_needs_no_pairs() -> None:
    model, x = small().eval(), snippets()[:2]

    outcome = MultiTask(model.metric_loss, 1.0, 0.2)(model, x, torch.tensor([0, 1]), 9)

    torch.testing.assert_close(outcome.losses, {"cross_entropy": F.cross_entropy(model(x), torch.tensor([0, 1]))})
    assert not outcome.measures


def test_lambda2_grows_evenly_during_the_warm_up() -> None:
    objective = MultiTask(nn.Identity(), 1.0, 0.4, warmup_steps=3)

    assert [objective.lambda2_at(step) for step in range(6)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])
    assert MultiTask(nn.Identity(), 1.0, 0.4).lambda2_at(0) == 0.4


@pytest.mark.parametrize("how", ["xavier", "gaussian"])
def test_the_start_of_the_metric_branch_is_as_asked_and_both_give_finite_losses(how: Any) -> None:
    config = schemas.NFMML(backbone="resnet10t", initialisation=how)
    torch.manual_seed(0)
    model = build_model(config, 3, N, K).train()
    x = torch.rand(B, K, 3, 48, 48) * 255

    outcome = build_objective(config, model)(model, x, LABELS, 0)

    expected = {"xavier": (2 / (512 + 1024)) ** 0.5, "gaussian": 0.001}[how]
    assert model.embedding.weight.std().item() == pytest.approx(expected, rel=0.02)  # type: ignore[union-attr, operator]
    gradients = torch.autograd.grad(outcome.total, model.embedding.weight)  # type: ignore[arg-type, union-attr]
    assert outcome.total.isfinite() and bool(gradients[0].isfinite().all())


def trained(config: schemas.NFMML, steps: int) -> tuple[NFMML, list[float], list[float]]:
    """The network, J_c and the ratio of negative to positive distance over a training on coloured noise, clipped at 40."""
    generator = torch.Generator().manual_seed(1)
    torch.manual_seed(0)
    model = build_model(config, 3, N, 2)
    assert isinstance(model, NFMML)
    objective, optimizer = build_objective(config, model), build_optimizer(model, 0.01, 0.9, 1e-2)
    colours = torch.rand(N, 1, 3, 1, 1, generator=generator) * 255
    losses, ratios = [], []
    for step in range(steps):
        x = colours[LABELS] + 40 * torch.randn(B, 2, 3, 32, 32, generator=generator)
        outcome = objective(model.train(), x, LABELS, step)
        optimizer.zero_grad()
        torch.autograd.backward(outcome.total)
        nn.utils.clip_grad_norm_(model.parameters(), 40)
        optimizer.step()
        losses.append(outcome.losses["classification"].item())
        ratios.append((outcome.measures["negative_distance"] / outcome.measures["positive_distance"]).item())
    return model, losses, ratios


@pytest.mark.parametrize("changes", [{"normalize": True}, {"warmup_steps": 20}], ids=["normalised", "warmed up"])
def test_large_weights_of_the_metric_loss_train(changes: dict[str, Any]) -> None:
    """λ2 = 0.4, which "does not converge" in the paper's Table 2."""
    config = schemas.NFMML(backbone="resnet10t", dropout=0, embedding_size=64, metric_weight=0.4, **changes)

    _, losses, ratios = trained(config, 40)

    assert sum(losses[-5:]) / 5 < 0.5 * sum(losses[:5]) / 5
    assert ratios[-1] > 1.5 * ratios[0]
