"""From a video file to its frames, as a viewer would see them: right way up, one size, RGB."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av.error
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from ml.errors import BadVideo
from ml.video.arrays import Pixels
from ml.video.container import MAX_SIDE, open_video

USUAL_FPS = Fraction(25)
TICK = 1e-4
"""Seconds between two frames that count as two moments: finer differences are noise of the arithmetic, and no clock of ours tells them."""

WITHOUT_SHOW_TIMES = "avi"
"""A container that says when each frame is decoded and not when it is shown. Frames leave the decoder in the order of both."""


@dataclass(frozen=True)
class TimedFrame:
    """Pixels (H, W, 3) uint8 RGB, shown from `seconds` on; the first frame at 0, each later than the one before.

    An interlaced frame is woven of two moments, line by line; it stays so.
    """

    pixels: Pixels
    seconds: float
    is_interlaced: bool = False


def decode_frames(path: Path) -> Iterator[Pixels]:
    """Every frame that can be decoded, (H, W, 3) uint8 RGB, display-rotated.

    Raises:
        BadVideo: the file is no usable video; one frame that cannot be read is left out, not an error.
    """
    for frame in decode_timed(path):
        yield frame.pixels


def decode_timed(path: Path) -> Generator[TimedFrame, None, None]:
    """`decode_frames` with times: a variable frame rate keeps its rhythm."""
    with open_video(path) as (container, stream):
        step = 1 / float(frame_rate(stream))
        convert, size = VideoReformatter(), None
        clock = _decoding_time if container.format.name == WITHOUT_SHOW_TIMES else _show_time
        start: float | None = None
        seconds = 0.0
        for frame in _decoded(container, stream):
            size = size or _first_size(frame)
            time = clock(frame)
            if start is None:
                start = time or 0.0
            elif time is not None and time - start > seconds + TICK:
                seconds = time - start
            else:
                seconds += step
            yield TimedFrame(upright(frame, size, convert), seconds, frame.interlaced_frame)


def _show_time(frame: VideoFrame) -> float | None:
    return frame.time


def _decoding_time(frame: VideoFrame) -> float | None:
    return None if frame.dts is None or frame.time_base is None else float(frame.dts * frame.time_base)


def frame_rate(stream: VideoStream) -> Fraction:
    """Frames per second: the average, else what the codec says; a stream that says neither is taken for 25."""
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate and 0 < rate <= 1000:
            return rate
    return USUAL_FPS


def upright(frame: VideoFrame, size: tuple[int, int], convert: VideoReformatter) -> Pixels:
    """(H, W, 3) RGB scaled to the stored (width, height) `size`, then turned as the file's display matrix says.

    `convert` is one for all frames of a video: to set up another for each takes as long as the conversion.
    """
    pixels = convert.reformat(frame, *size, "rgb24").to_ndarray()
    return np.ascontiguousarray(np.rot90(pixels, quarter_turns(frame)))


def quarter_turns(frame: VideoFrame) -> int:
    """Counter-clockwise quarter turns, 0..3."""
    return round(frame.rotation / 90) % 4


def _first_size(frame: VideoFrame) -> tuple[int, int]:
    if max(frame.width, frame.height) > MAX_SIDE:
        raise BadVideo(
            "Frames of {width}×{height} pixels are too large (limit {limit})",
            "Scale the video down.",
            width=frame.width,
            height=frame.height,
            limit=MAX_SIDE,
        )
    return frame.width, frame.height


def _decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Frames of the packets that can be read; damaged packets are skipped, a broken end ends it."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError):
            return
        try:
            yield from (frame for frame in packet.decode() if isinstance(frame, VideoFrame))
        except (av.error.InvalidDataError, av.error.PatchWelcomeError, av.error.EOFError, av.error.ExternalError):
            continue
