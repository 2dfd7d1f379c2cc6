"""Which window of a picture a training sees, and how it is brought to the size of the network's input.

Wang et al., "Temporal Segment Networks", ECCV 2016, section 3.2 (corner cropping, scale jittering), with the numbers of the authors'
code: a network that sees corners does not come to rely on the middle, and windows of other heights and widths are other distances and
aspect ratios. All snippets of a video share one window. The vectors of flow are left as they are when a window is resized, as there.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.config.data import CropPolicy
from ml.video.arrays import Floats
from ml.video.transforms import random_corner

SCALES = (1.0, 0.875, 0.75, 0.66)
"""Of the short side. Height and width take scales that are no further apart than neighbours in this list."""

SNAP = 3
"""Sides nearer to the input's than this, in pixels, are made equal to it: nothing need be resized."""

CORNERS = ((0, 0), (0, 4), (4, 0), (4, 4), (2, 2))
PLACES = (*CORNERS, (0, 2), (2, 0), (2, 4), (4, 2), (1, 1), (1, 3), (3, 1), (3, 3))
"""Quarters of the free height and width above and left of a window: corners, centre; middles of the edges; quarter points."""


class Window(NamedTuple):
    """Of a picture, in pixels."""

    top: int
    left: int
    height: int
    width: int


def anywhere(picture: NDArray[Any], size: int, generator: np.random.Generator, _smallest: float = 0.0) -> Window:
    """A square of the input's size from anywhere in the whole picture (two-stream paper, section 5)."""
    return Window(*random_corner(picture, size, generator), size, size)


def corner(picture: NDArray[Any], size: int, generator: np.random.Generator, _smallest: float = 0.0) -> Window:
    """A square of the input's size in one of the corners or in the centre."""
    return _placed(picture, (size, size), CORNERS, generator)


def multiscale_corner(picture: NDArray[Any], size: int, generator: np.random.Generator, smallest: float = 0.0) -> Window:
    """Height and width jittered, none with a scale below `smallest`, in one of 13 places."""
    sides = window_sides(min(picture.shape[-2:]), size, smallest)
    return _placed(picture, sides[int(generator.integers(len(sides)))], PLACES, generator)


def window_sides(short_side: int, size: int, smallest: float = 0.0) -> list[tuple[int, int]]:
    """(height, width) of every window that scale jittering may choose."""
    sides = [int(short_side * scale) for scale in SCALES if scale >= smallest]
    snapped = [size if abs(side - size) < SNAP else side for side in sides]
    return [(height, width) for i, height in enumerate(snapped) for j, width in enumerate(snapped) if abs(i - j) <= 1]


def _placed(picture: NDArray[Any], sides: tuple[int, int], places: Sequence[tuple[int, int]], generator: np.random.Generator) -> Window:
    (H, W), (height, width) = picture.shape[-2:], sides
    down, right = places[int(generator.integers(len(places)))]
    return Window(down * ((H - height) // 4), right * ((W - width) // 4), height, width)


WINDOWS: dict[CropPolicy, Callable[[NDArray[Any], int, np.random.Generator, float], Window]] = {
    "anywhere": anywhere,
    "corners": corner,
    "multiscale": multiscale_corner,
}


def cut(snippets: Sequence[NDArray[Any]], window: Window, size: int) -> Floats:
    """K snippets (C, H, W) → (K, C, size, size) float32; cut before anything is copied or made a float."""
    top, left, height, width = window
    cuts = [snippet[:, top : top + height, left : left + width] for snippet in snippets]
    if (height, width) != (size, size):
        cuts = [_resized(each, size) for each in cuts]
    return np.stack(cuts, dtype=np.float32)


def _resized(image: NDArray[Any], size: int) -> Floats:
    planes = [cv2.resize(np.asarray(plane, np.float32), (size, size), interpolation=cv2.INTER_LINEAR) for plane in image]
    return np.asarray(planes, np.float32)
