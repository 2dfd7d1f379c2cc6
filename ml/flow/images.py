"""What OpenCV does to pictures, on tensors (B, C, H, W): resizing, derivatives, warping by a flow, the median of 5 × 5."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

TINY = torch.finfo(torch.float32).tiny
"""Instead of a square of 0 that something is divided by."""

_SORT_FIVE = ((0, 1), (3, 4), (2, 4), (2, 3), (1, 4), (0, 3), (0, 2), (1, 3), (1, 2))
"""Places that change when out of order: afterwards five values are sorted."""

Choice = Callable[..., Tensor]
"""`torch.minimum` or `torch.maximum`."""


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
    left, above = x.floor(), y.floor()
    columns, rows = _cubic_weights(x - left, A), _cubic_weights(y - above, A)
    flat = functional.pad(images, (_BORDER,) * 4, mode="replicate" if is_clamped else "constant").flatten(2)
    line_len = W + 2 * _BORDER
    first = _first_tap(above, H) * line_len + _first_tap(left, W)
    index = first[:, None].expand(B, C, -1)
    line, warped = (torch.empty(B, C, H * W, device=u.device) for _ in range(2))
    warped.zero_()
    for j, row_weight in enumerate(rows):
        line.zero_()
        for i, weight in enumerate(columns):
            line.addcmul_(torch.gather(flat[..., j * line_len + i :], 2, index), weight[:, None])
        warped.addcmul_(line, row_weight[:, None])
    return warped.view_as(images)


_BORDER = 4  # px around the picture: all four taps of a place beyond it, however far, are read there


def _first_tap(pixel: Tensor, size: int) -> Tensor:
    """The pixel before, counted from the start of the border."""
    return (pixel.clamp(-_BORDER + 1, size + 1) + (_BORDER - 1)).long()


def _cubic_weights(s: Tensor, A: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of the pixel before, the two between which a place lies at the share `s`, and the one after."""
    t = 1 - s
    w0, w3 = t * t * s * A, s * s * t * A
    w1 = torch.addcmul(torch.ones_like(s), torch.full_like(s, -A - 3).add_(s, alpha=A + 2), s * s)
    return w0, w1, 1 - w0 - w1 - w3, w3


def median_5x5(image: Tensor) -> Tensor:
    """The exact median around each pixel of (B, C, H, W); beyond the border its last value.

    Were the columns of a window sorted, and then its rows, the one at row r and column c would not be below (r + 1)(c + 1) - 1 others
    and not above (5 - r)(5 - c) - 1; the thirteen of which neither is more than twelve hold the median, and it is theirs. From these the
    least and the greatest are dropped until one is left.

    Rows lie one behind the other, so that a neighbour is a shift; what it finds over the edge of the picture is left out in the end.
    """
    H, W = image.shape[-2:]
    row_len = W + 4
    line = functional.pad(image, (2, 2, 2, 2), mode="replicate").flatten(2)
    waiting = _thirteen(_sorted_five([line[..., r * row_len : (r + H) * row_len] for r in range(5)]))
    held, waiting = waiting[:8], waiting[8:]
    while len(held) > 1:
        held = _without(torch.minimum, torch.maximum, held)
        held = _without(torch.maximum, torch.minimum, held) + waiting[:1]
        waiting = waiting[1:]
    return held[0].unfold(-1, W, row_len)


def _sorted_five(planes: Sequence[Tensor]) -> list[Tensor]:
    planes = list(planes)
    for i, j in _SORT_FIVE:
        planes[i], planes[j] = torch.minimum(planes[i], planes[j]), torch.maximum(planes[i], planes[j])
    return planes


def _thirteen(rows: Sequence[Tensor]) -> list[Tensor]:
    """Of each five neighbours in a row, in no order: the greatest two in the least row, three in the next, the middle three, and so on."""
    lesser, greater = torch.minimum, torch.maximum
    one, _, low, high, most = _five(rows[0])
    found = [most, greater(greater(low, high), one)]
    one, _, low, high, most = _five(rows[1])
    found += [most, greater(low, high), greater(lesser(low, high), one)]
    one, least, low, high, most = _five(rows[2])
    found += [low, high, lesser(greater(least, one), most)]
    one, least, low, high, _ = _five(rows[3])
    found += [least, lesser(low, high), lesser(greater(low, high), one)]
    one, least, low, high, _ = _five(rows[4])
    return [*found, least, lesser(lesser(low, high), one)]


def _five(row: Tensor) -> tuple[Tensor, ...]:
    """Each pixel and the four that follow it: itself, then of those four the least, two in no order and the greatest."""
    low, high = torch.minimum(row[..., :-1], row[..., 1:]), torch.maximum(row[..., :-1], row[..., 1:])  # each pair serves two windows
    N = row.shape[-1] - 4
    (low, other_low), (high, other_high) = ((pairs[..., 1 : 1 + N], pairs[..., 3:]) for pairs in (low, high))
    return (
        row[..., :N],
        torch.minimum(low, other_low),
        torch.maximum(low, other_low),
        torch.minimum(high, other_high),
        torch.maximum(high, other_high),
    )


def _without(lesser: Choice, greater: Choice, planes: Sequence[Tensor]) -> list[Tensor]:
    """The values of each pixel but for its least, in no order and in the memory of `planes`; with the choices swapped, its greatest."""
    dropped, *kept = planes
    for plane in kept[:-1]:
        dropped, _ = lesser(dropped, plane), greater(dropped, plane, out=plane)
    greater(dropped, kept[-1], out=kept[-1])
    return kept
