"""Flow as colours: hue is the direction, saturation the speed, white stands still.

The colour wheel of Baker et al., "A Database and Evaluation Methodology for Optical Flow" (IJCV 2011): 55 hues, spaced as
the eye tells them apart.
"""

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


_WHEEL = color_wheel().astype(np.float32)


def color_flow(field: Floats, full_speed: float) -> Pixels:
    """(2, H, W) px/frame → (H, W, 3) uint8 RGB; at `full_speed` px/frame a colour is saturated, faster motion is darkened."""
    x, y = field / full_speed
    speed = np.hypot(x, y)[..., None]  # (H, W, 1)
    position = (np.arctan2(-y, -x) / np.pi + 1) / 2 * (len(_WHEEL) - 1)  # 0 .. 54
    lower = np.floor(position).astype(np.int64)
    share = (position - lower)[..., None]
    hue = (1 - share) * _WHEEL[lower] / 255 + share * _WHEEL[(lower + 1) % len(_WHEEL)] / 255  # (H, W, 3)
    color = np.where(speed <= 1, 1 - speed * (1 - hue), 0.75 * hue)
    return np.asarray(np.floor(255 * color), np.uint8)
