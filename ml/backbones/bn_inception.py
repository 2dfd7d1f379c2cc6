"""BN-Inception, the network of TSN and of NFMML.

Ioffe & Szegedy, "Batch Normalization", ICML 2015, appendix, with the widths of the Caffe model that Wang et al., "Temporal Segment
Networks", ECCV 2016, start from: 10,373,765 parameters with a classifier of 101 classes. Every convolution has a bias, and batch
normalisation and ReLU behind it. Layers are named as in the checkpoints of pretrainedmodels and tsn-pytorch: `inception_3a_3x3_reduce`,
`inception_3a_3x3_reduce_bn`.

Deviation: a block that halves an odd side leaves it rounded up in all branches; Caffe's pass-through pooling rounds down there, and the
branches would not fit together. At 224 × 224 no side is odd.
"""

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ml.backbones.state_file import State


class Block(NamedTuple):
    """Widths of an inception block's branches: 1×1, 3×3 behind its reduction, two 3×3 behind theirs, and of the pooling's projection.

    A block without 1×1 and projection halves height and width; its pooled input passes through.
    """

    one: int
    three: tuple[int, int]
    double: tuple[int, int]
    project: int
    pool: str = "avg"

    @property
    def stride(self) -> int:
        return 1 if self.project else 2

    def out_channels(self, in_channels: int) -> int:
        return self.one + self.three[1] + self.double[1] + (self.project or in_channels)


BLOCKS = {
    "3a": Block(64, (64, 64), (64, 96), 32),
    "3b": Block(64, (64, 96), (64, 96), 64),
    "3c": Block(0, (128, 160), (64, 96), 0),
    "4a": Block(224, (64, 96), (96, 128), 128),
    "4b": Block(192, (96, 128), (96, 128), 128),
    "4c": Block(160, (128, 160), (128, 160), 128),
    "4d": Block(96, (128, 192), (160, 192), 128),
    "4e": Block(0, (128, 192), (192, 256), 0),
    "5a": Block(352, (192, 320), (160, 224), 128),
    "5b": Block(352, (192, 320), (192, 224), 128, "max"),
}
NUM_FEATURES = 1024

avg_pool = partial(F.avg_pool2d, kernel_size=3, stride=1, padding=1)
max_pool = partial(F.max_pool2d, kernel_size=3, stride=1, padding=1)


def halving_pool(x: Tensor) -> Tensor:
    """Caffe's 3×3 maximum at stride 2 without padding, of x ≥ 0; an odd side is made even by a zero, which no maximum notices."""
    H, W = x.shape[-2:]
    return F.max_pool2d(F.pad(x, (0, W % 2, 0, H % 2)), 3, stride=2, ceil_mode=True)


class BNInception(nn.Module):
    """Images (B, C, H, W) → features (B, 1024), the mean over the last block's positions."""

    def __init__(self, in_channels: int = 3) -> None:
        super().__init__()
        self._add("conv1_7x7_s2", in_channels, 64, 7, stride=2)
        self._add("conv2_3x3_reduce", 64, 64, 1)
        self._add("conv2_3x3", 64, 192, 3)
        width = 192
        for name, block in BLOCKS.items():
            self._add_block(f"inception_{name}", width, block)
            width = block.out_channels(width)

    def _add_block(self, name: str, width: int, block: Block) -> None:
        if block.one:
            self._add(f"{name}_1x1", width, block.one, 1)
        self._add(f"{name}_3x3_reduce", width, block.three[0], 1)
        self._add(f"{name}_3x3", *block.three, 3, block.stride)
        self._add(f"{name}_double_3x3_reduce", width, block.double[0], 1)
        self._add(f"{name}_double_3x3_1", *block.double, 3)
        self._add(f"{name}_double_3x3_2", block.double[1], block.double[1], 3, block.stride)
        if block.project:
            self._add(f"{name}_pool_proj", width, block.project, 1)

    def _add(self, name: str, in_channels: int, out_channels: int, size: int, stride: int = 1) -> None:
        self.add_module(name, nn.Conv2d(in_channels, out_channels, size, stride, padding=size // 2))
        self.add_module(f"{name}_bn", nn.BatchNorm2d(out_channels))

    def _unit(self, name: str, x: Tensor) -> Tensor:
        """Convolution, batch normalisation, ReLU."""
        return F.relu(self.get_submodule(f"{name}_bn")(self.get_submodule(name)(x)))

    def forward(self, x: Tensor) -> Tensor:
        # x: (B, C, 224, 224)
        x = halving_pool(self._unit("conv1_7x7_s2", x))  # (B, 64, 56, 56)
        x = self._unit("conv2_3x3", self._unit("conv2_3x3_reduce", x))  # (B, 192, 56, 56)
        x = halving_pool(x)  # (B, 192, 28, 28)
        for name, block in BLOCKS.items():
            x = self._block(f"inception_{name}", x, block)  # … (B, 576, 14, 14) … (B, 1056, 7, 7) … (B, 1024, 7, 7)
        return x.mean(dim=(2, 3))  # (B, 1024)

    def _block(self, name: str, x: Tensor, block: Block) -> Tensor:
        three = self._unit(f"{name}_3x3", self._unit(f"{name}_3x3_reduce", x))
        double = self._unit(f"{name}_double_3x3_1", self._unit(f"{name}_double_3x3_reduce", x))
        double = self._unit(f"{name}_double_3x3_2", double)
        if block.stride == 2:
            return torch.cat([three, double, halving_pool(x)], dim=1)
        pooled = (max_pool if block.pool == "max" else avg_pool)(x)
        return torch.cat([self._unit(f"{name}_1x1", x), three, double, self._unit(f"{name}_pool_proj", pooled)], dim=1)


def bn_inception(in_channels: int, dropout: float) -> nn.Module:  # noqa: ARG001  (no layer inside it drops)
    return BNInception(in_channels)


def to_rgb(state: State) -> State:
    """pretrainedmodels' checkpoint was learnt on BGR: its first filters are turned round, so that they take RGB as all others do."""
    return {**state, "conv1_7x7_s2.weight": state["conv1_7x7_s2.weight"].flip(1)}
