"""Displacements ↔ 8 bits.

"range": each component of each field is rescaled to its own [min, max], which is kept beside it and restored
after decoding (Simonyan & Zisserman 2014, section 3); off by at most half a level.

"bound": one range [-b, b] for all, level = cvRound(255 (v + b) / 2b), as TSN and denseflow store it. Zero falls on
127.5 and, rounding half to even, on 128; what is read back is counted from there, so zero stays zero and the
error is below one level, always towards minus infinity.
"""

from typing import Literal

import numpy as np

from ml.video.arrays import Floats, Pixels

Encoding = Literal["range", "bound"]
ZERO_LEVEL = 128  # of "bound"


def to_levels(component: Floats, encoding: Encoding, bound: float) -> tuple[Pixels, float, float]:
    """(H, W) px/frame → (H, W) uint8 and the (low, high) that `from_levels` needs."""
    levels = component.astype(np.float64, order="C")
    low, high = (float(levels.min()), float(levels.max())) if encoding == "range" else (-bound, bound)
    levels -= low
    levels *= 255
    levels /= high - low or 1.0
    np.rint(levels, out=levels)
    return levels.clip(0, 255, out=levels).astype(np.uint8), low, high


def from_levels(levels: Pixels, encoding: Encoding, low: float, high: float) -> Floats:
    """(H, W) uint8 → (H, W) float32 px/frame."""
    level_size = (high - low) / 255
    if encoding == "range":
        return (low + level_size * levels.astype(np.float64)).astype(np.float32)
    return ((levels.astype(np.float64) - ZERO_LEVEL) * level_size).astype(np.float32)
