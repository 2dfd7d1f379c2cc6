"""Flow as colours: hue is the direction, saturation the speed, white stands still.

The colour wheel of Baker et al., "A Database and Evaluation Methodology for Optical Flow" (IJCV 2011): 55 hues, spaced as
the eye tells them apart.
"""

import cv2
import numpy as np

from ml.video.arrays import Floats, Pixels

# (steps, from, to): how many hues lead from one corner of the colour cube to the next
_ARCS = (
    (15, (255, 0, 0), (255, 255, 0)),
    (6, (255, 255, 0), (0, 255, 0)),
    (4, (0, 255, 0), (0, 255, 255)),
    (11, (0, 255, 255), (0, 0, 255)),
    (13, (0, 0, 255), (255, 0, 255)),
    (6, (255, 0, 255), (255, 0, 0)),
)


def color_wheel() -> Pixels:
    """(55, 3) uint8 RGB, red first; the first hue is the direction to the left, and on it goes counterclockwise in the picture."""
    hues = [
        np.array(start) + np.sign(np.subtract(end, start)) * (255 * step // steps) for steps, start, end in _ARCS for step in range(steps)
    ]
    return np.array(hues, np.uint8)


FINE_STEPS = 256  # between two hues of the wheel: finer than 8 bits can show


def _fine_wheel() -> Floats:
    """(54 · FINE_STEPS + 1, 3): how far below 255 each colour of a saturated hue is, hues mixed in between, from the first to the last."""
    wheel = 255.0 - color_wheel()
    places = np.arange((len(wheel) - 1) * FINE_STEPS + 1) / FINE_STEPS
    return np.stack([np.interp(places, np.arange(len(wheel)), channel) for channel in wheel.T], axis=1).astype(np.float32)


_BELOW_WHITE = _fine_wheel()


def color_flow(field: Floats, full_speed: float) -> Pixels:
    """(2, H, W) px/frame → (H, W, 3) uint8 RGB; at `full_speed` px/frame a colour is saturated, faster motion is darkened."""
    x, y = field / np.float32(full_speed)
    speed = np.sqrt(x * x + y * y)  # (H, W)
    angle = cv2.phase(x, y)  # 0 .. 2π, off by at most 0.01° and fifty times as fast as `arctan2`
    hue = (angle * np.float32((len(_BELOW_WHITE) - 1) / (2 * np.pi)) + np.float32(0.5)).astype(np.intp)
    color = _BELOW_WHITE.take(hue, axis=0, mode="clip")  # (H, W, 3)
    is_fast = speed > 1
    color *= np.where(is_fast, np.float32(0.75), speed)[..., None]
    np.subtract(np.where(is_fast, np.float32(0.75 * 255), np.float32(255))[..., None], color, out=color)
    return np.asarray(color, np.uint8)
