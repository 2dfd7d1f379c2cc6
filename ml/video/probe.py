"""What a video file says of itself, checked on its first frame."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from av.container import InputContainer
from av.video.stream import VideoStream

from ml.errors import BadVideo
from ml.video.container import open_video
from ml.video.decode import TimedFrame, decode_timed, frame_rate

MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class VideoFacts:
    """Width and height as displayed; `frames` as the header says, if it counts them, or its duration implies (0: it does not say)."""

    frames: int
    counts_frames: bool
    fps: float
    width: int
    height: int
    duration_seconds: float
    codec: str
    pixel_format: str
    is_interlaced: bool
    suffixes: frozenset[str]


def probe(path: Path) -> VideoFacts:
    """Facts from the header and the first frame; quick, whatever the length.

    Raises:
        BadVideo: the file is no usable video.
    """
    with open_video(path) as (container, stream):
        fps = float(frame_rate(stream))
        duration = _duration_seconds(container, stream, fps)
        codec, pixel_format = stream.codec_context.codec.canonical_name, stream.codec_context.pix_fmt or ""
        frames = _num_frames(container, stream, duration * fps)
        suffixes = frozenset(f".{extension}" for extension in container.format.extensions)
    first = _first_frame(path)
    height, width, _ = first.pixels.shape
    return VideoFacts(
        frames, stream.frames > 0, fps, width, height, duration or frames / fps, codec, pixel_format, first.is_interlaced, suffixes
    )


def _duration_seconds(container: InputContainer, stream: VideoStream, fps: float) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration and container.duration > 0:
        return container.duration / MICROSECONDS
    return stream.frames / fps


def _num_frames(container: InputContainer, stream: VideoStream, lasting: float) -> int:
    """As the header counts them, without those that the edit list of an mp4 hides; else as many as last so long."""
    has_edit_list = "mp4" in container.format.name
    return min(stream.frames, round(lasting)) if stream.frames and has_edit_list and lasting else stream.frames or round(lasting)


def _first_frame(path: Path) -> TimedFrame:
    with closing(decode_timed(path)) as frames:
        for frame in frames:
            return frame
    raise BadVideo("No frame of it can be decoded", "Check that it plays; convert it to H.264 if it does.")
