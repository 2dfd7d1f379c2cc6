"""Frames of a video at random places: from the frame pack, and from the video file itself."""

import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from benchmarks.clips import read_with_pyav, real_clips, write_long_clip
from benchmarks.measure import Row, best_of
from ml.config.data import FrameSpec
from ml.process import keep_freed_memory
from ml.video.decode import decode_frames
from ml.video.pack import FramePack, write_frame_pack
from ml.video.sampling import equally_spaced_starts, segment_starts, snippet_indices

SPEC = FrameSpec()
DRAWS = 3
"""Draws of indices a figure is the mean of; the same for every reader."""

Reader = Callable[[Path, Sequence[int]], object]

PATTERNS: dict[str, tuple[Callable[[int, np.random.Generator], list[int]], str]] = {
    "TSN sampling, 3 random frames": (lambda count, generator: segment_starts(count, 1, 3, generator), "≥ 20×"),
    "11 frames in a row, for 10 flow fields": (
        lambda count, generator: snippet_indices(segment_starts(count, 11, 1, generator)[0], 11, count),
        "≥ 5×",
    ),
    "test sampling, 25 frames": (lambda count, _generator: equally_spaced_starts(count, 1, 25), "≥ 5×"),
}


def read_pack(path: Path, indices: Sequence[int]) -> object:
    with FramePack(path, SPEC) as pack:
        return pack.read(indices)


def read_with_decord(path: Path, indices: Sequence[int]) -> object:
    from decord import VideoReader  # type: ignore[import-not-found]  # no requirement: measured where somebody has it

    return VideoReader(str(path), num_threads=1).get_batch(list(indices)).asnumpy()


VIDEO_READERS: dict[str, Reader] = {"PyAV": read_with_pyav, **({"decord": read_with_decord} if find_spec("decord") else {})}


def milliseconds(read: Reader, paths: Sequence[Path], draws: Sequence[Sequence[list[int]]]) -> float:
    """CPU time of a draw, opening the file included."""
    work = [(path, indices) for path, lists in zip(paths, draws, strict=True) for indices in lists]
    seconds = best_of(3, lambda: [read(*each) for each in work], time.process_time)
    return 1000 * seconds / len(work)


def compare(title: str, videos: Sequence[Path], folder: Path, has_bar: bool) -> list[Row]:
    """Rows of one kind of video: every pattern, the pack against every reader of videos."""
    packs = [folder / f"{number}.pack" for number in range(len(videos))]
    for video, pack in zip(videos, packs, strict=True):
        write_frame_pack(pack, decode_frames(video), SPEC)
    lengths = [len(FramePack(pack, SPEC)) for pack in packs]
    rows = []
    for pattern, (draw, bar) in PATTERNS.items():
        generator = np.random.default_rng(0)
        draws = [[draw(length, generator) for _ in range(DRAWS)] for length in lengths]
        ours = milliseconds(read_pack, packs, draws)
        for name, read in VIDEO_READERS.items():
            other = milliseconds(read, videos, draws)
            rows.append(Row(f"{title}: {pattern}", f"{ours:.2f} ms", f"{name}: {other:.1f} ms", other / ours, bar if has_bar else ""))
    return rows


def run() -> list[Row]:
    """A ten-second clip as it comes from x264, the same in HD, and real clips of two seconds."""
    cv2.setNumThreads(1)
    keep_freed_memory()  # as every process of the engine does; it helps the others too
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [
            *compare("10 s, 320×240", [write_long_clip(folder / "long.mp4")], folder, has_bar=True),
            *compare("10 s, 1280×720 (pack: 455×256)", [write_long_clip(folder / "hd.mp4", size=(1280, 720))], folder, has_bar=False),
            *compare("real clips of 2 s, 320×180", real_clips()[:200:25], folder, has_bar=False),
        ]
