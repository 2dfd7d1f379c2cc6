"""VGG-16 (Simonyan & Zisserman, ICLR 2015, configuration D) from torchvision."""

from torch import nn
from torchvision import models

from ml.backbones.fixed_map import FixedMap


def vgg16(in_channels: int, dropout: float) -> nn.Module:
    """Images (B, C, H, W) → features (B, 4096), the output of the second fully connected layer."""
    net = models.vgg16(dropout=dropout)
    if in_channels != 3:
        first = nn.Conv2d(in_channels, 64, 3, padding=1)
        nn.init.kaiming_normal_(first.weight, mode="fan_out", nonlinearity="relu")  # torchvision's own start
        net.features[0] = first
    net.avgpool = FixedMap(7)
    net.classifier = net.classifier[:-2]  # without the last dropout and the ImageNet classifier
    backbone: nn.Module = net
    return backbone
