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


FINE_STEPS = 256  # between two hues of the wheel: finer than 8 bits can show


def _fine_wheel() -> Floats:
    """(54 · FINE_STEPS + 1, 3) in 0..1: the wheel with hues mixed in between, from the first hue to the last."""
    wheel = color_wheel() / 255
    places = np.arange((len(wheel) - 1) * FINE_STEPS + 1) / FINE_STEPS
    return np.stack([np.interp(places, np.arange(len(wheel)), channel) for channel in wheel.T], axis=1).astype(np.float32)


_WHEEL = _fine_wheel()


def color_flow(field: Floats, full_speed: float) -> Pixels:
    """(2, H, W) px/frame → (H, W, 3) uint8 RGB; at `full_speed` px/frame a colour is saturated, faster motion is darkened."""
    x, y = field / np.float32(full_speed)
    speed = np.sqrt(x * x + y * y)[..., None]  # (H, W, 1)
    turn = np.arctan2(-y, -x) / np.float32(2 * np.pi) + np.float32(0.5)  # (H, W), 0 .. 1
    hue = _WHEEL.take((turn * np.float32(len(_WHEEL) - 1) + np.float32(0.5)).astype(np.intp), axis=0, mode="clip")  # (H, W, 3)
    color = 1 - speed * (1 - hue)
    np.multiply(hue, np.float32(0.75), out=color, where=speed > 1)
    return np.asarray(color * np.float32(255), np.uint8)
