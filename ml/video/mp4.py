"""Frames → an H.264 mp4 that any browser plays."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from ml.process import atomic_path
from ml.video.arrays import Pixels

MAX_FPS_DENOMINATOR = 1001  # as in 30000/1001
GOOD = {"crf": "20", "preset": "veryfast"}
QUICK = {"crf": "20", "preset": "ultrafast"}
"""A third of the time, half as large again."""
EACH_FRAME_ALONE = {"qp": "20", "g": "1", "preset": "veryfast"}
"""No frame is predicted from another and all have one quantiser: a frame's pixels depend on that frame alone."""


def write_mp4(path: Path, frames: Iterable[Pixels], fps: float, options: Mapping[str, str] = GOOD) -> int:
    """Write (H, W, 3) uint8 RGB frames of one size, whole or not at all; the file's size in bytes.

    Odd sides get one more row or column, a copy of the last: H.264's 4:2:0 needs even ones. `options` are x264's.
    """
    rate = Fraction(fps).limit_denominator(MAX_FPS_DENOMINATOR)
    with atomic_path(path) as temporary:
        with av.open(str(temporary), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("libx264", rate=rate, options=dict(options))
            stream.pix_fmt, stream.thread_count = "yuv420p", 1
            for number, frame in enumerate(frames):
                even = _with_even_sides(frame)
                if number == 0:
                    stream.height, stream.width = even.shape[:2]
                container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
            container.mux(stream.encode(None))
        return temporary.stat().st_size


def _with_even_sides(frame: Pixels) -> Pixels:
    H, W, _ = frame.shape
    return np.pad(frame, ((0, H % 2), (0, W % 2), (0, 0)), mode="edge") if H % 2 or W % 2 else frame
