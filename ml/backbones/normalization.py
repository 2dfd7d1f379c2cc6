"""Raw input → the scale a backbone expects. RGB comes as levels 0..255, flow as pixels per frame."""

import torch
from torch import Tensor, nn

RGB_CHANNELS = 3
LEVELS_PER_PIXEL = 255 / 40
"""8-bit levels per px/frame where ±20 px/frame fill the byte: the flow images that temporal streams are commonly fed with (TSN)."""

Levels = tuple[float, float, float]


class Normalize(nn.Module):
    """(x − mean) / std per channel, x of shape (B, C, H, W)."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean)[:, None, None])  # (C, 1, 1)
        self.register_buffer("std", torch.tensor(std)[:, None, None])  # (C, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.std


def normalize(in_channels: int, mean: Levels, std: Levels) -> Normalize:
    """For three channels: the RGB statistics in levels. For any other number: stacked flow.

    Flow has zero mean by symmetry. It is brought to 8-bit levels and divided by the mean RGB deviation, so that filters learnt
    on RGB meet input of the scale they know.
    """
    if in_channels == RGB_CHANNELS:
        return Normalize(mean, std)
    flow_std = sum(std) / len(std) / LEVELS_PER_PIXEL
    return Normalize((0.0,) * in_channels, (flow_std,) * in_channels)
