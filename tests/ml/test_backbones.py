"""CNN-M-2048 to the papers' table, input scales, and the widening of the first convolution."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ml.backbones import build_backbone
from ml.backbones.cnn_m import CNNM2048, MIN_SIZE, krizhevsky_norm
from ml.backbones.normalization import normalize
from ml.backbones.weights import widen
from ml.config.models import TSN
from ml.models import build_model
from ml.video.modality import LEVELS_PER_PIXEL


def parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@pytest.mark.parametrize(("in_channels", "second_norm", "expected"), [(3, True, 90_627_813), (20, False, 90_707_781)])
def test_cnn_m_2048_has_the_parameters_of_the_papers_table(in_channels: int, second_norm: bool, expected: int) -> None:
    with torch.device("meta"):
        net = nn.Sequential(CNNM2048(in_channels, second_norm), nn.Linear(2048, 101))

    assert parameters(net) == expected


def test_cnn_m_2048_leaves_the_shapes_of_the_papers_table() -> None:
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str, _layer: nn.Module, _x: tuple[Tensor, ...], y: Tensor) -> None:
        shapes.setdefault(name, tuple(y.shape[1:]))

    with torch.device("meta"):
        net = CNNM2048()
        for name, layer in net.named_children():
            layer.register_forward_hook(partial(note, name))
        features = net(torch.empty(2, 3, 224, 224))

    assert shapes["conv1"] == (96, 109, 109)
    assert shapes["pool"] == (96, 54, 54)
    assert shapes["conv2"] == (256, 26, 26)
    assert shapes["conv5"] == (512, 13, 13)
    assert shapes["to_6x6"] == (512, 6, 6)
    assert features.shape == (2, 2048)


def test_pooling_to_6x6_changes_nothing_at_the_papers_crop() -> None:
    x = torch.rand(1, 4, 6, 6)

    assert torch.equal(nn.AdaptiveAvgPool2d(6)(x), x)


def test_cnn_m_2048_takes_crops_down_to_its_declared_minimum_and_no_smaller() -> None:
    with torch.device("meta"):
        net = CNNM2048()
        assert net(torch.empty(1, 3, MIN_SIZE, MIN_SIZE)).shape == (1, 2048)
        with pytest.raises(RuntimeError, match="too small"):
            net(torch.empty(1, 3, MIN_SIZE - 1, MIN_SIZE - 1))


def test_local_response_normalisation_is_krizhevskys_formula() -> None:
    generator = torch.Generator().manual_seed(1)
    a = torch.randn(1, 9, 2, 3, generator=generator, dtype=torch.float64) * 60
    expected = torch.empty_like(a)
    for i in range(9):
        near = sum(a[0, j] ** 2 for j in range(max(0, i - 2), min(9, i + 3)))
        expected[0, i] = a[0, i] / (2 + 1e-4 * near) ** 0.75

    torch.testing.assert_close(krizhevsky_norm()(a), expected)


def test_the_temporal_cnn_m_leaves_out_the_second_normalisation_only() -> None:
    with torch.device("meta"):
        spatial, temporal = build_backbone("cnn_m_2048", 3).net, build_backbone("cnn_m_2048", 20, levels=1.0).net

    assert isinstance(spatial.norm1, nn.LocalResponseNorm) and isinstance(spatial.norm2, nn.LocalResponseNorm)
    assert isinstance(temporal.norm1, nn.LocalResponseNorm) and isinstance(temporal.norm2, nn.Identity)


def test_rgb_is_normalised_with_the_backbones_own_statistics() -> None:
    x = torch.tensor([123.675 + 58.395, 116.28, 103.53 - 57.375])[None, :, None, None]

    torch.testing.assert_close(build_backbone("resnet10t", 3).normalize(x).flatten(), torch.tensor([1.0, 0.0, -1.0]))


def test_flow_is_brought_to_levels_and_keeps_its_sign_and_its_zero() -> None:
    scale = normalize(4, (127.0,) * 3, (128.0,) * 3, LEVELS_PER_PIXEL)
    x = torch.tensor([-20.0, 0.0, 1.0, 20.0])[None, :, None, None]

    torch.testing.assert_close(scale(x).flatten() * 128, torch.tensor([-127.5, 0.0, LEVELS_PER_PIXEL, 127.5]))


@pytest.mark.parametrize(("name", "deviation"), [("bn_inception", 1.0), ("resnet10t", (58.395 + 57.12 + 57.375) / 3)])
def test_differences_are_divided_by_the_deviation_of_rgb_alone_which_is_1_for_bn_inception(name: Any, deviation: float) -> None:
    with torch.device("cpu"):
        net = build_model(TSN(backbone=name), 15, 2, 3, levels=1.0).features.backbone  # type: ignore[union-attr]
    x = torch.randn(2, 15, 4, 4) * 100

    torch.testing.assert_close(net.normalize(x), x / deviation)  # type: ignore[operator, union-attr]


def test_widened_filters_are_the_mean_over_rgb_in_every_channel() -> None:
    weight = torch.randn(5, 3, 2, 2)

    wide = widen(weight, 10)

    assert wide.shape == (5, 10, 2, 2)
    for channel in range(10):
        torch.testing.assert_close(wide[:, channel], (weight[:, 0] + weight[:, 1] + weight[:, 2]) / 3)
    assert widen(weight, 3) is weight


def test_the_first_layer_from_scratch_has_different_filters_per_channel() -> None:
    first: Tensor = next(p for p in build_backbone("resnet18", 10, levels=1.0).parameters())

    assert first.shape[1] == 10
    assert not torch.equal(first[:, 0], first[:, 1])
