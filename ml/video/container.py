"""Opening a file as a video, and nothing but that file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import av.error
from av.container import InputContainer
from av.video.stream import VideoStream

from ml.errors import BadVideo
from ml.video.impostors import SOUND, no_video
from ml.words import Words

MAX_SIDE = 8192
"""Longest side of a frame, in pixels; more would let one file take all memory."""

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,m4v,h264,hevc,asf,flv,ogg,gif,rm,mxf,dv,ivf"
"""Containers that hold their frames themselves. Playlists, lists of images and network formats name other files: never opened."""

AS_ONE_LOCAL_FILE = {"protocol_whitelist": "file", "format_whitelist": FORMATS}


@contextmanager
def open_video(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and its video stream, ready to decode in one thread.

    Raises:
        BadVideo: empty, no container of ours, no video stream, or larger than `MAX_SIDE`.
    """
    if path.stat().st_size == 0:
        raise BadVideo("The file is empty (0 bytes)", "Copy or upload it again.")
    try:
        container = av.open(f"file:{path.resolve()}", "r", options=AS_ONE_LOCAL_FILE, metadata_errors="replace")
    except (av.error.FFmpegError, UnicodeDecodeError) as error:
        raise no_video(path) from error
    with container:
        stream = _video_stream(container)
        stream.codec_context.thread_count = 1
        yield container, stream


def _video_stream(container: InputContainer) -> VideoStream:
    streams = [stream for stream in container.streams.video if not stream.disposition & stream.disposition.attached_pic]
    if not streams:
        without_pictures = Words("The file has no video stream"), SOUND[1]
        raise BadVideo(*(SOUND if container.streams.audio else without_pictures))
    stream = streams[0]
    if stream.codec_context is None:
        raise BadVideo("The video is in a format nobody here can decode", "Convert it to H.264.")
    if max(stream.width, stream.height) > MAX_SIDE:
        raise BadVideo(
            "Frames of {width}×{height} pixels are too large (limit {limit})",
            "Scale the video down.",
            width=stream.width,
            height=stream.height,
            limit=MAX_SIDE,
        )
    return stream
