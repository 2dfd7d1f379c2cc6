"""The step between convolutions and fully connected layers: a map of one size, whatever the picture's."""

from torch import Tensor, nn
from torch.nn import functional as F


class FixedMap(nn.Module):
    """Maps (B, C, h, w) → (B, C, size, size), averaged to that size where they have another.

    With `window`, every square of window × window positions goes on as a picture of its own: (B·P, C, size, size), P = (h − window + 1)
    (w − window + 1), row by row. Behind it, fully connected layers become what convolutions of that size are (Sermanet et al.,
    "OverFeat", ICLR 2014): the network slides over the picture, at the stride of its map.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.window: int | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.window is not None:
            x = windows(x, self.window)  # (B·P, C, window, window)
        return F.adaptive_avg_pool2d(x, self.size)  # (B, C, size, size)


def windows(x: Tensor, side: int) -> Tensor:
    """(B, C, h, w) → (B·P, C, side, side): every square of that side, one position apart."""
    B, C = x.shape[:2]
    columns = F.unfold(x, side).view(B, C, side, side, -1)  # (B, C, side, side, P)
    return columns.permute(0, 4, 1, 2, 3).flatten(0, 1)
