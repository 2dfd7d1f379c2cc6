"""Networks that turn an image into features: the table of them, each with the scale of its input and its weights."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

import ml.torchvision_shim  # noqa: F401  (before torchvision and timm)
from ml.backbones import bn_inception, cnn_m, efficientnet, resnet, vgg
from ml.backbones.normalization import RGB_CHANNELS, Levels, Normalize, normalize
from ml.backbones.weights import Imagenet, load_weights
from ml.config.models import Backbone as Name


@dataclass(frozen=True)
class Recipe:
    """One row of the table. Mean and std are levels of 0..255; `weights` raises MissingWeights where there are none."""

    build: Callable[[int, float], nn.Module]
    num_features: int
    mean: Levels
    std: Levels
    weights: Imagenet
    min_size: int = 32


class Backbone(nn.Module):
    """Raw input (B, C, H, W) → features (B, D): normalises it itself."""

    def __init__(self, net: nn.Module, num_features: int, normalize: Normalize) -> None:
        super().__init__()
        self.num_features = num_features
        self.normalize = normalize
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        features: Tensor = self.net(self.normalize(x))  # (B, D)
        return features


def _cnn_m_2048(in_channels: int, dropout: float) -> nn.Module:
    return cnn_m.CNNM2048(in_channels, second_norm=in_channels == RGB_CHANNELS, dropout=dropout)


_TORCH_MEAN: Levels = (123.675, 116.28, 103.53)
_TORCH_STD: Levels = (58.395, 57.12, 57.375)
_CAFFE_MEAN: Levels = (123.68, 116.779, 103.939)
_TSN_MEAN: Levels = (123.0, 117.0, 104.0)
_CAFFE_STD: Levels = (1.0, 1.0, 1.0)

BACKBONES: dict[Name, Recipe] = {
    "cnn_m_2048": Recipe(_cnn_m_2048, 2048, _CAFFE_MEAN, _CAFFE_STD, Imagenet("cnn_m_2048", "full8"), cnn_m.MIN_SIZE),
    "bn_inception": Recipe(
        bn_inception.bn_inception,
        bn_inception.NUM_FEATURES,
        _TSN_MEAN,
        _CAFFE_STD,
        Imagenet("bn_inception", "last_linear", bn_inception.to_rgb),
    ),
    "vgg16": Recipe(vgg.vgg16, 4096, _TORCH_MEAN, _TORCH_STD, Imagenet("vgg16", "classifier.6")),
    "resnet10t": Recipe(resnet.resnet10t, 512, _TORCH_MEAN, _TORCH_STD, Imagenet("resnet10t", "fc")),
    "resnet18": Recipe(resnet.resnet18, 512, _TORCH_MEAN, _TORCH_STD, Imagenet("resnet18", "fc")),
    "resnet50": Recipe(resnet.resnet50, 2048, _TORCH_MEAN, _TORCH_STD, Imagenet("resnet50", "fc")),
    "efficientnet_lite0": Recipe(
        efficientnet.efficientnet_lite0,
        1280,
        (127.0, 127.0, 127.0),
        (128.0, 128.0, 128.0),
        Imagenet("efficientnet_lite0", "_fc", efficientnet.under_timms_names),
    ),
}


def build_backbone(name: Name, in_channels: int, pretrained: str = "none", dropout: float = 0.5, levels: float | None = None) -> Backbone:
    """A backbone for pictures (levels 0..255, three channels each), or for motion.

    Args:
        pretrained: "none", or "imagenet"; filters on RGB are widened to `in_channels`.
        dropout: for the fully connected layers inside CNN-M and VGG.
        levels: of 0..255 in one unit of the input, where that is centred on 0; None: pictures.

    Raises:
        MissingWeights: this machine has no ImageNet weights of this backbone.
    """
    recipe = BACKBONES[name]
    net = recipe.build(in_channels, dropout)
    if pretrained == "imagenet":
        load_weights(net, recipe.weights(), in_channels)
    return Backbone(net, recipe.num_features, normalize(in_channels, recipe.mean, recipe.std, levels))
