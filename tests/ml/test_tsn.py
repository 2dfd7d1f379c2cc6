"""A temporal segment network: the mean of what its snippets say."""

import torch
from torch import Tensor, nn

from ml.backbones import Backbone
from ml.backbones.normalization import normalize
from ml.config import models as schemas
from ml.layers.over_segments import Average, Weighted
from ml.layers.segments import SegmentFeatures
from ml.models import build_model
from ml.models.tsn import TSN

B, K, N = 4, 3, 2


def snippets() -> Tensor:
    return torch.rand(B, K, 3, 2, 2, generator=torch.Generator().manual_seed(0)) * 255


def small_tsn(consensus: nn.Module) -> TSN:
    torch.manual_seed(0)
    backbone = Backbone(nn.Flatten(), 12, normalize(3, (104.0, 117.0, 123.0), (1.0, 1.0, 1.0)))
    return TSN(SegmentFeatures(backbone), consensus, N, dropout=0.5)


def test_the_scores_of_a_video_are_the_mean_of_the_scores_of_its_snippets() -> None:
    net, x = small_tsn(Average()).eval(), snippets()

    torch.testing.assert_close(net(x), (net(x[:, 0]) + net(x[:, 1]) + net(x[:, 2])) / K)


def test_a_view_is_scored_on_the_scale_of_a_video_whatever_the_weights() -> None:
    net, view = small_tsn(Weighted(K)).eval(), snippets()[:, 0]
    nn.init.normal_(net.consensus.logits)  # type: ignore[arg-type]

    torch.testing.assert_close(net(view), net(view[:, None].expand(-1, K, -1, -1, -1)))


def test_every_parameter_gets_a_gradient_through_every_consensus() -> None:
    for consensus in ("average", "max", "weighted"):
        net = build_model(schemas.TSN(backbone="bn_inception", consensus=consensus), 3, N, K).eval()
        scores = net(torch.rand(2, K, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 255)

        gradients = torch.autograd.grad(scores.square().sum(), list(net.parameters()))

        names = [name for name, _ in net.named_parameters()]
        assert [name for name, gradient in zip(names, gradients, strict=True) if not gradient.any()] == []


def test_the_config_reaches_the_network() -> None:
    net = build_model(schemas.TSN(backbone="resnet10t", consensus="weighted", partial_norm=True, dropout=0.7), 10, N, K, levels=1.0)

    assert isinstance(net, TSN) and isinstance(net.consensus, Weighted)
    assert net.consensus.logits.shape == (K,) and net.dropout.p == 0.7 and net.features.partial_norm
    assert net.features.backbone.normalize.mean.shape == (10, 1, 1)
