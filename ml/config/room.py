"""What the flow of some videos will take on disk, said before any of it is made."""

from collections.abc import Iterable
from itertools import pairwise

from ml.config.flow import FlowSpec

BYTES_PER_PIXEL = {
    "range": ((50, 0.057), (75, 0.079), (90, 0.139), (95, 0.214), (100, 0.447)),
    "bound": ((50, 0.040), (75, 0.048), (90, 0.077), (95, 0.132), (100, 0.408)),
}
"""JPEG quality → bytes of both components of a field, by encoding: TV-L1 on real clips of 320 × 180 to 320 × 240 pixels.

Of the bound the figures are those of ±10. DIS and Farnebäck are smoother and take up to 30 % less, of quality 100 up to 60 % less.
"""

PREVIEW_BYTES_PER_PIXEL = 0.016


def stored_pixels(width: int, height: int, short_side: int) -> float:
    """Of one frame, reduced to the short side."""
    return width * height * min(1.0, short_side / min(width, height)) ** 2


def flow_bytes(spec: FlowSpec, pixels: float) -> int:
    """About what packs and previews of so many pixels, over all fields, take."""
    return round(pixels * (_interpolated(BYTES_PER_PIXEL[spec.encoding], spec.quality) + PREVIEW_BYTES_PER_PIXEL))


def _interpolated(points: Iterable[tuple[int, float]], quality: int) -> float:
    (low, fewer), (high, more) = next(pair for pair in pairwise(points) if quality <= pair[1][0])
    return fewer + (more - fewer) * (quality - low) / (high - low)
