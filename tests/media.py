"""Draws tiny videos of every kind: what people upload, and what they should not."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


def picture(index: int, width: int = 64, height: int = 48, seed: int = 0) -> NDArray[np.uint8]:
    """(height, width, 3) RGB: a red corner top left tells which way is up, a white bar moves with `index`, `seed` tints the ground."""
    pixels = np.full((height, width, 3), (20, 40 + seed * 37 % 160, 60 + seed * 61 % 160), np.uint8)
    pixels[: height // 2, : width // 2] = (220, 30, 30)
    left = width // 2 + index % max(1, width // 2 - 3)
    pixels[height // 2 :, left : left + 3] = 250
    return pixels


def draw_video(
    path: Path,
    *,
    frames: int = 8,
    width: int = 64,
    height: int = 48,
    fps: int = 25,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    rotation: int = 0,
    times: Sequence[float] | None = None,
    seed: int = 0,
    container: str | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """A video at `path`. `rotation` turns it counter-clockwise on display; `times` in seconds give it a variable frame rate."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format=container, options=container_options or {}) as output:
        stream = output.add_stream(codec, rate=fps, options=options or {})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            stream.set_display_rotation(rotation)
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(index, width, height, seed), format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = round(times[index] * 1000), Fraction(1, 1000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def draw_kind(kind: str, folder: Path) -> Path:
    """One of `KINDS`, drawn in `folder`."""
    suffix, settings = KINDS[kind]
    return draw_video(folder / f"{kind}{suffix}", **settings)  # type: ignore[arg-type]


HEVC = {"x265-params": "log-level=none:pools=1"}

KINDS: dict[str, tuple[str, dict[str, object]]] = {
    "h264": (".mp4", {}),
    "hevc": (".mp4", {"codec": "libx265", "options": HEVC}),
    "hevc_10_bit": (".mov", {"codec": "libx265", "pixel_format": "yuv420p10le", "options": HEVC}),
    "mpeg4_avi": (".avi", {"codec": "mpeg4"}),
    "xvid_b_frames": (".avi", {"codec": "mpeg4", "options": {"bf": "2"}}),
    "h264_in_avi": (".avi", {"options": {"bf": "2", "g": "12"}, "frames": 40}),
    "matroska": (".mkv", {}),
    "quicktime": (".mov", {}),
    "vp9": (".webm", {"codec": "libvpx-vp9", "options": {"cpu-used": "8", "deadline": "realtime"}}),
    "mpeg_ps": (".mpg", {"codec": "mpeg2video", "container": "mpeg"}),
    "wmv": (".wmv", {"codec": "wmv2", "container": "asf"}),
    "motion_jpeg": (".avi", {"codec": "mjpeg", "pixel_format": "yuvj420p"}),
    "flash": (".flv", {"frames": 30}),
    "av1": (".webm", {"codec": "libsvtav1", "options": {"preset": "12"}, "width": 128, "height": 96}),
    "camcorder": (".mxf", {"codec": "mpeg2video"}),
    "interlaced": (".mts", {"container": "mpegts", "options": {"flags": "+ilme+ildct", "x264-params": "tff=1"}, "height": 64}),
    "grey": (".mkv", {"codec": "ffv1", "pixel_format": "gray"}),
    "coarse_colours": (".mkv", {"codec": "ffv1", "pixel_format": "yuv410p"}),
    "odd_sized": (".mkv", {"codec": "ffv1", "pixel_format": "yuv444p", "width": 35, "height": 33}),
    "one_frame": (".mp4", {"frames": 1}),
    "variable_rate": (".mp4", {"times": [0, 0.04, 0.2, 0.24, 0.6, 0.64, 0.68, 0.9]}),
    "wrong_extension": (".mp4", {"codec": "mpeg4", "container": "avi"}),
}
"""Every one of these is to be accepted: name → suffix, arguments of `draw_video`."""


def draw_hidden_start(path: Path, *, frames: int = 30, hidden: int = 10) -> Path:
    """An mp4 whose edit list leaves out its first frames, as editors and phones cut."""
    with av.open(str(path), "w", options={"avoid_negative_ts": "disabled", "use_editlist": "1"}) as output:
        stream = output.add_stream("libx264", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(index), format="rgb24")
            frame.pts, frame.time_base = index - hidden, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def draw_sound(path: Path) -> Path:
    """An mp4 with a second of tone and no picture."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=16000)
        tone = np.sin(np.arange(16000, dtype=np.float32) / 8)[None]
        frame = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        frame.sample_rate = 16000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def draw_truncated(path: Path, *, frames: int = 60, keep: float = 0.5) -> Path:
    """An mp4 whose index is whole and whose last pictures are missing: a copy that was cut off."""
    draw_video(path, frames=frames, options={"g": "6", "bf": "0"}, container_options={"movflags": "+faststart"})
    whole = path.read_bytes()
    start = whole.index(b"mdat")
    path.write_bytes(whole[: start + int((len(whole) - start) * keep)])
    return path


def draw_cut_stream(path: Path, *, frames: int = 60, keep: float = 0.6, **settings: object) -> Path:
    """A container whose header is whole and whose stream of pictures ends early: mkv, avi."""
    draw_video(path, frames=frames, **settings)  # type: ignore[arg-type]
    whole = path.read_bytes()
    start = max(whole.find(b"movi"), 0)
    path.write_bytes(whole[: start + int((len(whole) - start) * keep)])
    return path


def draw_no_frames(path: Path) -> Path:
    """An avi with a video stream of no frames."""
    with av.open(str(path), "w", format="avi") as output:
        stream = output.add_stream("mpeg4", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        output.start_encoding()
    return path


def draw_headless(path: Path) -> Path:
    """An mp4 cut off before its index: nothing can be read."""
    draw_video(path)
    path.write_bytes(path.read_bytes()[:200])
    return path


def write_playlist(path: Path, target: Path) -> Path:
    """A text that asks a careless reader to open `target`."""
    path.write_text(f"ffconcat version 1.0\nfile '{target.name}'\n")
    return path
