"""What shares a network over segments, and what becomes of them, against plain loops."""

import pytest
import torch
from torch import Tensor, nn

from ml.backbones import Backbone, build_backbone
from ml.backbones.fixed_map import FixedMap
from ml.backbones.normalization import normalize
from ml.layers.over_segments import Average, Convolution, Maximum, Weighted
from ml.layers.segments import SegmentFeatures

B, K, D = 2, 5, 4


def features(num_segments: int = K) -> Tensor:
    return torch.randn(B, num_segments, D, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def flat_backbone() -> Backbone:
    """Features are the pixels, in levels."""
    return Backbone(nn.Flatten(), 12, normalize(3, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)))


@pytest.mark.parametrize("module", [Average(), Maximum(), Weighted(K), Convolution(D)], ids=lambda module: type(module).__name__)
def test_one_segment_becomes_itself(module: nn.Module) -> None:
    x = features(1)

    torch.testing.assert_close(module.double()(x), x[:, 0])


@pytest.mark.parametrize("module", [Average(), Weighted(K)], ids=lambda module: type(module).__name__)
def test_average_and_untrained_weights_are_the_mean(module: nn.Module) -> None:
    x = features()

    torch.testing.assert_close(module.double()(x), sum(x[:, k] for k in range(K)) / K)


def test_the_maximum_is_taken_number_by_number() -> None:
    x = features()
    expected = [[max(x[b, k, d].item() for k in range(K)) for d in range(D)] for b in range(B)]

    assert Maximum()(x).tolist() == expected


def test_learnt_weights_sum_to_one() -> None:
    weighted = Weighted(K).double()
    with torch.no_grad():
        weighted.logits.copy_(torch.tensor([1.0, 3.0, 1.0, 1.0, 2.0]).log())
    x = features()

    torch.testing.assert_close(weighted(x), (x[:, 0] + 3 * x[:, 1] + x[:, 2] + x[:, 3] + 2 * x[:, 4]) / 8)


def test_another_number_of_segments_than_there_are_weights_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 5 segments, got 3"):
        Weighted(K)(features(3).float())


def test_the_convolution_is_that_of_each_feature_over_time_and_starts_as_the_mean() -> None:
    convolution, x = Convolution(D).double(), features()
    torch.testing.assert_close(convolution(x), x.mean(1))
    nn.init.normal_(convolution.filter.weight)
    w = convolution.filter.weight[:, 0]  # (D, 3)
    expected = torch.zeros(B, D, dtype=torch.float64)
    for k in range(K):
        for tap, neighbour in enumerate((k - 1, k, k + 1)):
            if 0 <= neighbour < K:
                expected += w[:, tap] * x[:, neighbour] / K

    torch.testing.assert_close(convolution(x), expected)


def test_features_of_segments_are_those_of_each_snippet_alone() -> None:
    net, x = SegmentFeatures(flat_backbone()), torch.rand(B, K, 3, 2, 2)

    together = net(x)

    assert together.shape == (B, K, 12)
    for k in range(K):
        assert torch.equal(together[:, k], net(x[:, k])[:, 0])


def test_a_backbone_that_slides_over_its_pictures_gives_videos_of_segments_at_every_position() -> None:
    net = SegmentFeatures(build_backbone("cnn_m_2048", 3)).eval()
    [fixed] = [part for part in net.modules() if isinstance(part, FixedMap)]
    fixed.window, x = 1, torch.rand(2, 2, 3, 96, 96) * 255

    with torch.inference_mode():
        together, alone = net(x), [net(x[b : b + 1, k])[:, 0] for b in range(2) for k in range(2)]  # (B·P, K, D); (P, D) each

    P = len(alone[0])
    assert P > 1 and together.shape == (2 * P, 2, 2048)
    for b in range(2):
        for k in range(2):
            torch.testing.assert_close(together[b * P : (b + 1) * P, k], alone[2 * b + k])


def changed_by_training(partial_norm: bool) -> set[str]:
    """Names of the running means that a batch moves."""
    torch.manual_seed(0)
    net = SegmentFeatures(build_backbone("resnet10t", 3), partial_norm).train()
    before = {name: buffer.clone() for name, buffer in net.named_buffers() if name.endswith("running_mean")}
    net(torch.rand(B, 2, 3, 64, 64) * 255)
    return {name for name, buffer in net.named_buffers() if name in before and not torch.equal(buffer, before[name])}


def test_partial_normalisation_re_estimates_the_first_statistics_only() -> None:
    assert len(changed_by_training(partial_norm=False)) > 5
    assert changed_by_training(partial_norm=True) == {"backbone.net.conv1.1.running_mean"}


def test_partial_normalisation_trains_convolutions_and_the_first_scale_and_shift() -> None:
    net = SegmentFeatures(build_backbone("bn_inception", 3), partial_norm=True)

    trained = {name.removeprefix("backbone.net.") for name, parameter in net.named_parameters() if parameter.requires_grad}

    assert {name for name in trained if "_bn." in name} == {"conv1_7x7_s2_bn.weight", "conv1_7x7_s2_bn.bias"}
    assert len(trained) == 69 * 2 + 2


def test_partial_normalisation_outlives_a_validation() -> None:
    net = SegmentFeatures(build_backbone("resnet10t", 3), partial_norm=True)

    net.eval()
    net.train()

    modes = [layer.training for layer in net.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert modes[0] and not any(modes[1:])
