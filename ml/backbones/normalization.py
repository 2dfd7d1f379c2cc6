"""Raw input → the scale a backbone expects. Pictures come as levels 0..255, motion in units of its own, centred on 0."""

import torch
from torch import Tensor, nn

RGB_CHANNELS = 3
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


def normalize(in_channels: int, mean: Levels, std: Levels, levels: float | None = None) -> Normalize:
    """By the statistics of RGB in levels: for pictures, whose red, green and blue come in turn; or for input centred on 0.

    Motion has zero mean by symmetry. It is divided by the mean deviation of RGB, so that filters learnt on RGB meet input of the scale they
    know. That of BN-Inception is 1: as in the TSN authors' code, it sees differences as they are. For other networks theirs divides them by
    255 instead.

    Args:
        levels: of the 256 of a picture, in one unit of an input centred on 0; None: pictures.

    Raises:
        ValueError: pictures whose channels are no multiple of three.
    """
    if levels is not None:
        deviation = sum(std) / len(std)
        return Normalize((0.0,) * in_channels, (deviation / levels,) * in_channels)
    if in_channels % RGB_CHANNELS:
        raise ValueError(f"expected pictures of {RGB_CHANNELS} channels each, got {in_channels} channels")
    num_pictures = in_channels // RGB_CHANNELS
    return Normalize(mean * num_pictures, std * num_pictures)
