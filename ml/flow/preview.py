"""A flow pack as a video, to be seen beside the one it was made from."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from ml.flow.color import color_flow
from ml.video.arrays import Floats, Pixels
from ml.video.mp4 import write_mp4
from ml.video.pack import FlowPack, reduced_size
from ml.video.sampling import equally_spaced_starts

SHORT_SIDE = 160  # px; drawing and encoding more of a smooth picture would take as long as fast methods need for the flow
SPEED_FIELDS = 8
SPEED_PERCENTILE = 99
SLOWEST_FULL_SPEED = 1.0  # px/frame: a still video is white, not noise


def write_flow_preview(path: Path, pack: FlowPack, fps: float) -> int:
    """Write the colour-coded flow as a small mp4, one frame for each of the video's (the last field twice); the file's size in bytes."""
    return write_mp4(path, _colored(pack, full_speed(pack)), fps)


def full_speed(pack: FlowPack) -> float:
    """px/frame that saturate the colours: the fastest of a few fields, but for its fastest hundredth."""
    fields = (pack.read([number])[0] for number in set(equally_spaced_starts(len(pack), 1, SPEED_FIELDS)))
    return max(SLOWEST_FULL_SPEED, *(float(np.percentile(np.hypot(*field), SPEED_PERCENTILE)) for field in fields))


def _colored(pack: FlowPack, speed: float) -> Iterator[Pixels]:
    for number in [*range(len(pack)), len(pack) - 1]:
        yield color_flow(_reduced(pack.read([number])[0]), speed)


def _reduced(field: Floats) -> Floats:
    """(2, H, W) at a short side of at most `SHORT_SIDE`, still in px/frame of the stored frames."""
    H, W = field.shape[1:]
    size = reduced_size(W, H, SHORT_SIDE)
    return field if size == (W, H) else np.stack([np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA)) for part in field])
