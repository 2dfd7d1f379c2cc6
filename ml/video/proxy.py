"""What a browser shows of a video: an H.264 copy that plays everywhere, and a still."""

from collections import deque
from collections.abc import Iterable
from fractions import Fraction
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from ml.errors import BadVideo
from ml.process import atomic_path
from ml.video.arrays import Pixels
from ml.video.decode import decode_timed
from ml.video.probe import probe

LONG_SIDE, SHORT_SIDE = 1280, 720
POSTER_SIDE = 480
CLOCK = Fraction(1, 90_000)
"""Fine enough to keep the rhythm of a variable frame rate."""

X264 = {"preset": "veryfast", "crf": "23", "g": "24"}


def proxy_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) that fits 1280×720 upright or lying, both even as H.264 wants them."""
    scale = min(1.0, LONG_SIDE / max(width, height), SHORT_SIDE / min(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


class ProxyWriter:
    """H.264 yuv420p mp4 without sound, its index in front so that it plays while it loads. Frames keep their times.

    `path` is written in place: give it a temporary one.
    """

    def __init__(self, path: Path, width: int, height: int, fps: float) -> None:
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self._stream = self._container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001), options=X264)
        self._stream.width, self._stream.height = proxy_size(width, height)
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = CLOCK
        self._stream.codec_context.thread_count = 1
        self._step, self._convert = 1 / fps, VideoReformatter()

    def add(self, pixels: Pixels, seconds: float) -> None:
        """The next frame, (H, W, 3) RGB, and when it is shown."""
        whole = VideoFrame.from_ndarray(pixels, format="rgb24")
        frame = self._convert.reformat(whole, self._stream.width, self._stream.height, "yuv420p")
        frame.pts, frame.time_base = round(seconds / CLOCK), CLOCK
        frame.duration = round(self._step / CLOCK)
        self._container.mux(self._stream.encode(frame))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self._container.mux(self._stream.encode(None))
        self._container.close()


def write_proxy(path: Path, out: Path) -> None:
    """Make `out`, a proxy of the video at `path`; whole or not at all.

    Raises:
        BadVideo: the file is no usable video.
    """
    facts = probe(path)
    with atomic_path(out) as temporary, ProxyWriter(temporary, facts.width, facts.height, facts.fps) as proxy:
        for frame in decode_timed(path):
            proxy.add(frame.pixels, frame.seconds)


def write_poster(path: Path, out: Path) -> None:
    """Make `out`, a JPEG of the frame in the middle (the first is often black).

    Raises:
        BadVideo: the file is no usable video.
    """
    middle = probe(path).frames // 2
    save_poster(_frame_near((frame.pixels for frame in decode_timed(path)), middle), out)


def save_poster(pixels: Pixels, out: Path) -> None:
    """One (H, W, 3) RGB frame as a JPEG, at most 480 px long."""
    height, width, _ = pixels.shape
    scale = min(1.0, POSTER_SIDE / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    _, jpeg = cv2.imencode(".jpg", np.ascontiguousarray(small[:, :, ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 85])
    with atomic_path(out) as temporary:
        temporary.write_bytes(jpeg.tobytes())


def _frame_near(frames: Iterable[Pixels], index: int) -> Pixels:
    last = deque(islice(frames, index + 1), maxlen=1)
    if not last:
        raise BadVideo("No frame of it can be decoded", "Check that it plays; convert it to H.264 if it does.")
    return last[0]
