"""Raw input → the scale a backbone expects. RGB comes as levels 0..255, flow as pixels per frame, RGB differences as levels."""

import torch
from torch import Tensor, nn

RGB_CHANNELS = 3
LEVELS_PER_PIXEL = 255 / 40
"""8-bit levels per px/frame where ±20 px/frame fill the byte: the flow images that temporal streams are commonly fed with (TSN)."""

Levels = tuple[float, float, float]


class Normalize(nn.Module):
    """(x − mean) / std per channel, x of shape (B, C, H, W). `deviation` is that of RGB, in levels, which the filters know."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...], deviation: float) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean)[:, None, None])  # (C, 1, 1)
        self.register_buffer("std", torch.tensor(std)[:, None, None])  # (C, 1, 1)
        self.deviation = deviation

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.std

    def centred(self, levels: float) -> "Normalize":
        """For as many channels of input that has zero mean by symmetry, as flow and differences have: `levels` of 256 in one unit of it.

        It is divided by the mean deviation of RGB, so that filters learnt on RGB meet input of the scale they know. That of BN-Inception
        is 1: as in the TSN authors' code, it sees differences as they are. For other networks theirs divides them by 255 instead.
        """
        C = len(self.mean)
        return Normalize((0.0,) * C, (self.deviation / levels,) * C, self.deviation)


def normalize(in_channels: int, mean: Levels, std: Levels) -> Normalize:
    """For three channels: the RGB statistics in levels. For any other number: stacked flow."""
    deviation = sum(std) / len(std)
    if in_channels == RGB_CHANNELS:
        return Normalize(mean, std, deviation)
    return Normalize((0.0,) * in_channels, (1.0,) * in_channels, deviation).centred(LEVELS_PER_PIXEL)
