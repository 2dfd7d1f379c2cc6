"""The fully convolutional test: the same as the network on a crop-size picture, and as convolutions on a larger one."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ml.backbones import build_backbone
from ml.backbones.cnn_m import CNNM2048
from ml.backbones.fixed_map import FixedMap, windows
from ml.backbones.vgg import vgg16
from ml.config.data import DataConfig
from ml.config.evaluation import Protocol
from ml.config.models import TwoStream
from ml.evaluation.whole_frames import prepare
from ml.layers.segments import SegmentFeatures
from ml.models import build_model
from ml.models.two_stream import Stream

WHOLE, CROPPED = Protocol(frames=2, crops=0), Protocol(frames=2, crops=1)
CROP = 224


def data(crop: int) -> DataConfig:
    return DataConfig(crop_size=crop, short_side=max(crop, 32))


def picture(height: int, width: int, count: int = 1) -> Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(0)) * 255


@pytest.fixture(scope="module")
def cnn_m() -> Iterator[Stream]:
    torch.manual_seed(0)
    stream = build_model(TwoStream(backbone="cnn_m_2048"), in_channels=3, num_classes=5)
    assert isinstance(stream, Stream)
    with torch.inference_mode():
        yield stream.eval()


@pytest.mark.parametrize("crop", [64, 112, CROP])
def test_a_picture_as_large_as_a_crop_has_one_position_which_is_the_network_itself(cnn_m: Stream, crop: int) -> None:
    prepare(cnn_m, data(crop), CROPPED)
    expected = cnn_m(picture(crop, crop, 2))
    prepare(cnn_m, data(crop), WHOLE)
    torch.testing.assert_close(cnn_m(picture(crop, crop, 2)), expected, rtol=0, atol=0)


def as_convolutions(stream: Stream, x: Tensor) -> Tensor:
    """full6, full7 and the classifier as convolutions of 6 × 6, 1 × 1 and 1 × 1, on the maps of the whole picture: (B, N, h, w)."""
    net: Any = stream.backbone.net
    maps: list[Tensor] = []
    hook = net.to_6x6.register_forward_pre_hook(lambda _, given: maps.append(given[0]))
    stream(x)
    hook.remove()
    x = F.relu(F.conv2d(maps[0], net.full6.weight.view(4096, 512, 6, 6), net.full6.bias))
    x = F.relu(F.conv2d(x, net.full7.weight[:, :, None, None], net.full7.bias))
    return F.conv2d(x, stream.classifier.weight[:, :, None, None], stream.classifier.bias)


def test_on_a_larger_picture_the_fully_connected_layers_are_convolutions(cnn_m: Stream) -> None:
    frames = picture(256, 340, 2)
    expected = as_convolutions(cnn_m, frames)  # (2, 5, 2, 5)
    prepare(cnn_m, data(CROP), WHOLE)
    scores = cnn_m(frames)
    assert expected.shape[2:] == (2, 5) and scores.shape == (2 * 2 * 5, 5)
    torch.testing.assert_close(scores, expected.flatten(2).transpose(1, 2).flatten(0, 1), rtol=1e-4, atol=1e-5)


def unpadded() -> CNNM2048:
    """CNN-M whose convolutions see nothing but the picture."""
    net = CNNM2048().eval()
    for layer in (net.conv2, net.conv3, net.conv4, net.conv5):
        layer.padding = (0, 0)
    return net


def test_without_padding_positions_are_crops_cut_at_the_stride_of_the_map() -> None:
    """Stride 32: two in the first convolution, in the second, and in each pooling. 203 px leave no half window in any of them."""
    net, crop, stride = unpadded(), 203, 32
    frame = picture(crop + stride, crop + 2 * stride)
    crops = torch.cat([frame[:, :, y : y + crop, x : x + crop] for y, x in product((0, stride), (0, stride, 2 * stride))])
    with torch.inference_mode():
        expected = net(crops)
        prepare(net, data(crop), WHOLE)
        torch.testing.assert_close(net(frame), expected, rtol=1e-4, atol=1e-5)


def test_a_network_that_averages_its_map_averages_that_of_the_whole_frame() -> None:
    torch.manual_seed(0)
    stream: Any = build_model(TwoStream(), in_channels=3, num_classes=5).eval()
    prepare(stream, data(64), WHOLE)
    with torch.inference_mode():
        frame = picture(64, 96)
        maps: Tensor = stream.backbone.net.forward_features(stream.backbone.normalize(frame))  # (1, 512, 2, 3)
        by_position = stream.classifier(maps.flatten(2).transpose(1, 2))  # (1, 6, 5): the classifier at each position
        torch.testing.assert_close(stream(frame), by_position.mean(dim=1), rtol=1e-4, atol=1e-5)


def test_windows_are_all_squares_row_by_row() -> None:
    x = torch.arange(2 * 3 * 4 * 5, dtype=torch.float32).view(2, 3, 4, 5)
    expected = torch.stack([one[:, i : i + 3, j : j + 3] for one in x for i, j in product(range(2), range(3))])
    assert torch.equal(windows(x, 3), expected)


def test_networks_of_segments_slide_too() -> None:
    backbone = build_backbone("resnet10t", 3)
    backbone.net = nn.Sequential(nn.Conv2d(3, 8, 3, stride=4), FixedMap(2), nn.Flatten(), nn.Linear(32, backbone.num_features))
    features = SegmentFeatures(backbone).eval()
    prepare(features, data(32), WHOLE)
    with torch.inference_mode():
        assert features(picture(32, 40, 3)).shape == (3 * 3, 1, backbone.num_features)


def test_vgg_slides_at_the_same_place() -> None:
    with torch.device("meta"):
        net: Any = vgg16(3, 0.5).eval()
        net.avgpool.window = 7
        assert net(torch.empty(2, 3, 256, 320)).shape == (2 * 2 * 4, 4096)
