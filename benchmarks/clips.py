"""Real clips to measure with, and readers of video files as careful as such readers get."""

import os
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from ml.video.arrays import Pixels
from ml.video.decode import decode_frames

DATA = Path(os.environ.get("KINETOSCOPE_REAL_DATA", "../shared/data"))
LONG_CLIP = "fight-surv/noFight/nofi001.mp4"
LONG_FRAMES, FPS = 300, 30
X264_DEFAULT = {"g": "250"}
"""x264 as everybody uses it: preset medium, crf 23, up to 250 frames from key frame to key frame."""


def real_clips() -> list[Path]:
    """Short surveillance clips, 320 px wide, 1 to 4 s, one key frame each."""
    clips = sorted((DATA / "fight-surv").rglob("*.mp4"))
    if not clips:
        raise SystemExit(f"There are no clips in {DATA / 'fight-surv'}; KINETOSCOPE_REAL_DATA names another folder.")
    return clips


def long_shot(clip: Path | None = None) -> list[Pixels]:
    """Ten seconds without a cut: a real clip there and back again, 320×240 if it is not named."""
    there = list(decode_frames(clip or DATA / LONG_CLIP))
    around = there + there[-2:0:-1]
    return [around[number % len(around)] for number in range(LONG_FRAMES)]


def write_video(path: Path, frames: Iterable[Pixels], codec: str, options: dict[str, str], pixels: str) -> None:
    """Encode (H, W, 3) RGB frames at `FPS` in one thread; what the container is, the suffix says."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=FPS, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.pix_fmt, stream.codec_context.thread_count = pixels, 1
        for number, frame in enumerate(frames):
            if number == 0:
                stream.height, stream.width = frame.shape[:2]
            output.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        output.mux(stream.encode(None))


def write_long_clip(path: Path, clip: Path | None = None, size: tuple[int, int] = (320, 240)) -> Path:
    """`long_shot` as H.264 with x264's own settings, brought to (width, height)."""
    frames = [np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC), np.uint8) for frame in long_shot(clip)]
    write_video(path, frames, "libx264", X264_DEFAULT, "yuv420p")
    return path


def read_with_pyav(path: Path, indices: Sequence[int], gop: int = 250) -> Pixels:
    """(n, H, W, 3): seeks only where a key frame may save decoding, and converts only the frames asked for."""
    found: dict[int, Pixels] = {}
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        rate, base, position = stream.average_rate or Fraction(FPS), stream.time_base or Fraction(1, FPS), 0
        frames = container.decode(stream)
        for index in sorted(set(indices)):
            if index // gop > position // gop or (gop == 1 and index != position):
                container.seek(round(index / rate / base) + (stream.start_time or 0), stream=stream)
                frames = container.decode(stream)
            for frame in frames:
                position = round(((frame.pts or 0) - (stream.start_time or 0)) * base * rate)
                if position >= index:
                    found[index] = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
                    position += 1
                    break
    return np.stack([found[index] for index in indices])
