"""What OpenCV does to pictures, on tensors (B, C, H, W): resizing, derivatives, warping by a flow, the median of 5 × 5."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

_SORT_FIVE = ((0, 1), (3, 4), (2, 4), (2, 3), (1, 4), (0, 3), (0, 2), (1, 3), (1, 2))
"""Places that change when out of order: afterwards five values are sorted."""


def resize(image: Tensor, size: tuple[int, int], scale: float | None = None, centre: float = 0.5) -> Tensor:
    """Bilinear (B, C, H, W) → (B, C, *size); pixel i of the result lies at (i + c) s - c of `image`, kept inside the picture.

    Args:
        scale: s; by default old size ÷ new size, which differs from the scale asked for where the new size was rounded.
        centre: c; 0.5 where a pixel is a square (OpenCV on the CPU), 0 where it is a point (OpenCV's CUDA module).
    """
    for dim, new in ((-1, size[1]), (-2, size[0])):
        old = image.shape[dim]
        place = ((torch.arange(new, dtype=torch.float64) + centre) * (scale or old / new) - centre).clamp(0, old - 1)
        low = place.long()
        share = (place - low).to(image).view((1, new) if dim == -1 else (new, 1))
        here, there = (image.index_select(dim, index.clamp(max=old - 1).to(image.device)) for index in (low, low + 1))
        image = torch.addcmul(here, there.sub_(here), share)
    return image


def centred_gradient(image: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 1, H, W) → ∂x and ∂y, half the difference of the neighbours; beyond the border its last value."""
    padded = functional.pad(image, (1, 1, 1, 1), mode="replicate")
    x = 0.5 * (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2])
    y = 0.5 * (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1])
    return x, y


def destinations(u: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 2, H, W) flow → the x and y (B, H, W) where each pixel has gone."""
    H, W = u.shape[-2:]
    return u[:, 0] + torch.arange(W, device=u.device), u[:, 1] + torch.arange(H, device=u.device)[:, None]


def warp(images: Tensor, u: Tensor, A: float, is_clamped: bool) -> Tensor:
    """(B, C, H, W) read at x + u by cubic convolution (Keys 1981).

    Sums and products come in the order in which `cv2.remap` takes them, whose last bit decides where pictures do not change.

    Args:
        A: the cubic's slope at 1: -0.75 in `cv2.remap`, -0.5 in OpenCV's CUDA TV-L1.
        is_clamped: beyond the border lies its last value, as in the latter; otherwise 0, as in the former.
    """
    B, C, H, W = images.shape
    x, y = (place.flatten(1) for place in destinations(u))  # (B, N)
    rows, columns = _cubic_taps(y, H, A, is_clamped), _cubic_taps(x, W, A, is_clamped)
    flat, index = images.flatten(2), torch.empty_like(x, dtype=torch.int64)
    value, line, warped = torch.empty_like(flat), torch.empty_like(flat), torch.zeros_like(flat)
    for row, row_weight in rows:
        row *= W
        line.zero_()
        for column, weight in columns:
            torch.add(row, column, out=index)
            torch.gather(flat, 2, index[:, None].expand(B, C, -1), out=value)
            line.addcmul_(value, weight[:, None])
        warped.addcmul_(line, row_weight[:, None])
    return warped.view_as(images)


def _cubic_taps(place: Tensor, size: int, A: float, is_clamped: bool) -> list[tuple[Tensor, Tensor]]:
    """The four pixels around each place, and what each weighs."""
    first = place.floor()
    s = place - first
    t = 1 - s
    w0, w3 = t * t * s * A, s * s * t * A
    w1 = torch.addcmul(torch.ones_like(s), torch.full_like(s, -A - 3).add_(s, alpha=A + 2), s * s)
    weights = (w0, w1, 1 - w0 - w1 - w3, w3)
    indices = [first.long() + k for k in (-1, 0, 1, 2)]
    inside = [index.clamp(0, size - 1) for index in indices]
    if is_clamped:
        return list(zip(inside, weights, strict=True))
    return [(tap, weight * (tap == index)) for tap, weight, index in zip(inside, weights, indices, strict=True)]


def median_5x5(image: Tensor) -> Tensor:
    """The exact median around each pixel of (B, C, H, W); beyond the border its last value.

    Once the columns of a window are sorted, and then its rows, the one at row r and column c is not below (r + 1)(c + 1) - 1 others and
    not above (5 - r)(5 - c) - 1; the thirteen of which neither is more than twelve hold the median, and it is theirs.
    """
    H, W = image.shape[-2:]
    padded = functional.pad(image, (2, 2, 2, 2), mode="replicate")
    columns = Planes([padded[..., r : r + H, :] for r in range(5)])
    columns.sort()
    candidates = []
    for r in range(5):
        row = Planes([columns.planes[r][..., c : c + W] for c in range(5)])
        row.sort()
        candidates += [row.planes[c] for c in range(5) if (r + 1) * (c + 1) <= 13 and (5 - r) * (5 - c) <= 13]
    return Planes(candidates).median()


class Planes:
    """Copies of planes of equal size, compared pixel by pixel; all in memory of their own, as asking for more costs more than comparing."""

    def __init__(self, planes: Sequence[Tensor]) -> None:
        copies = torch.stack([*planes, planes[0]])
        self.planes: list[Tensor] = list(copies[:-1])
        self.spare: Tensor = copies[-1]

    def exchange(self, i: int, j: int) -> None:
        """The lower value of each pixel goes to plane i, the higher one to plane j."""
        torch.minimum(self.planes[i], self.planes[j], out=self.spare)
        torch.maximum(self.planes[i], self.planes[j], out=self.planes[j])
        self.planes[i], self.spare = self.spare, self.planes[i]

    def sort(self) -> None:
        """Five planes; afterwards each pixel's values ascend."""
        for i, j in _SORT_FIVE:
            self.exchange(i, j)

    def median(self) -> Tensor:
        """Of an odd number of planes: the least and the greatest of more than half cannot be it; drop both, take in the next plane."""
        while len(self.planes) > 1:
            last = len(self.planes) // 2 + 1
            for k in range(1, last + 1):
                self.exchange(0, k)
            for k in range(1, last):
                self.exchange(k, last)
            del self.planes[last], self.planes[0]
        return self.planes[0]
