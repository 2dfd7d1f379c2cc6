"""Residual networks (He et al., CVPR 2016): torchvision's ResNet-18 and ResNet-50, timm's ten-layer ResNet-10-T.

`dropout` is part of every backbone's signature; no layer inside these networks drops.
"""

import timm
from torch import nn
from torchvision import models


def resnet10t(in_channels: int, dropout: float) -> nn.Module:  # noqa: ARG001
    """Images (B, C, H, W) → features (B, 512)."""
    backbone: nn.Module = timm.create_model("resnet10t", pretrained=False, num_classes=0, in_chans=in_channels)
    return backbone


def resnet18(in_channels: int, dropout: float) -> nn.Module:  # noqa: ARG001
    """Images (B, C, H, W) → features (B, 512)."""
    return _headless(models.resnet18(), in_channels)


def resnet50(in_channels: int, dropout: float) -> nn.Module:  # noqa: ARG001
    """Images (B, C, H, W) → features (B, 2048)."""
    return _headless(models.resnet50(), in_channels)


def _headless(net: models.ResNet, in_channels: int) -> nn.Module:
    if in_channels != 3:
        net.conv1 = nn.Conv2d(in_channels, 64, 7, stride=2, padding=3, bias=False)
        nn.init.kaiming_normal_(net.conv1.weight, mode="fan_out", nonlinearity="relu")  # torchvision's own start
    net.fc = nn.Identity()
    backbone: nn.Module = net
    return backbone
