"""A flow pack as a video, to be seen beside the one it was made from."""

import math
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from ml.flow.color import color_flow
from ml.video.arrays import Floats, Pixels
from ml.video.mp4 import QUICK, write_mp4
from ml.video.pack import FlowPack, reduced_size
from ml.video.sampling import equally_spaced_starts

SHORT_SIDE, MAX_FPS = 128, 15.0
"""px and frames a second; drawing and encoding more of a smooth picture would take half as long as fast methods need for the flow."""

SPEED_FIELDS = 8
SPEED_PERCENTILE = 99
SLOWEST_FULL_SPEED = 1.0  # px/frame: a still video is white, not noise


def write_flow_preview(path: Path, pack: FlowPack, fps: float) -> int:
    """Write the colour-coded flow as a small mp4 that lasts as long as the video; the file's size in bytes.

    It has one frame for each of the video's (the last field twice), or for every n-th of a video faster than `MAX_FPS`.
    """
    step = math.ceil(fps / MAX_FPS)
    return write_mp4(path, _colored(pack, full_speed(pack), step), fps / step, QUICK)


def full_speed(pack: FlowPack) -> float:
    """px/frame that saturate the colours: the fastest of a few fields, but for its fastest hundredth."""
    fields = (pack.read([number])[0] for number in set(equally_spaced_starts(len(pack), 1, SPEED_FIELDS)))
    return max(SLOWEST_FULL_SPEED, *(float(np.percentile(np.hypot(*field), SPEED_PERCENTILE)) for field in fields))


def _colored(pack: FlowPack, speed: float, step: int) -> Iterator[Pixels]:
    for number in range(0, len(pack) + 1, step):
        yield color_flow(_reduced(pack.read([min(number, len(pack) - 1)])[0]), speed)


def _reduced(field: Floats) -> Floats:
    """(2, H, W) at a short side of at most `SHORT_SIDE`, still in px/frame of the stored frames."""
    H, W = field.shape[1:]
    size = reduced_size(W, H, SHORT_SIDE)
    if size == (W, H):
        return field
    interpolation = cv2.INTER_AREA if min(H, W) >= 2 * SHORT_SIDE else cv2.INTER_LINEAR  # below, all pixels count in either; it is faster
    return np.stack([np.asarray(cv2.resize(part, size, interpolation=interpolation)) for part in field])
