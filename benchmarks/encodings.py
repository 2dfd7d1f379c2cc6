"""How should a pack keep frames? `python -m benchmarks.encodings` measures what there is; docs/decisions has the table and the choice.

Every way keeps the same ten seconds of 320×240. Times are CPU time of one thread, opening the file included.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from benchmarks.clips import FPS, long_shot, read_with_pyav, write_video
from benchmarks.measure import best_of
from benchmarks.store import PATTERNS
from ml.process import keep_freed_memory
from ml.video.arrays import Pixels
from ml.video.blobs import BlobFile, write_blobs
from ml.video.proxy import ProxyWriter

Write = Callable[[Path, Sequence[Pixels]], object]
Read = Callable[[Path, Sequence[int]], Pixels]


@dataclass(frozen=True)
class Encoding:
    """A way to keep frames; `gpu` says what decodes it on a GPU, `plays` whether browsers play the file."""

    title: str
    suffix: str
    write: Write
    read: Read
    gpu: str = ""
    plays: bool = False


def write_images(path: Path, frames: Sequence[Pixels], suffix: str, options: Sequence[int]) -> None:
    """One image a frame, in a file as the packs are."""
    write_blobs(path, {}, (cv2.imencode(suffix, np.ascontiguousarray(f[:, :, ::-1]), options)[1].tobytes() for f in frames))


def read_images(path: Path, indices: Sequence[int]) -> Pixels:
    with BlobFile(path, {}) as blobs:
        return np.stack([_decoded(blobs[index]) for index in indices])


def _decoded(blob: bytes) -> Pixels:
    return np.asarray(cv2.imdecode(np.frombuffer(blob, np.uint8), cv2.IMREAD_COLOR_RGB), np.uint8)


def write_raw(path: Path, frames: Sequence[Pixels]) -> None:
    write_blobs(path, {}, (frame.tobytes() for frame in frames))


def read_raw(path: Path, indices: Sequence[int]) -> Pixels:
    with BlobFile(path, {}) as blobs:
        return np.stack([np.frombuffer(blobs[index], np.uint8).reshape(240, 320, 3) for index in indices])


def write_proxy(path: Path, frames: Sequence[Pixels]) -> None:
    with ProxyWriter(path, 320, 240, FPS) as proxy:
        for number, frame in enumerate(frames):
            proxy.add(frame, number / FPS)


def images(title: str, suffix: str, *options: int, gpu: str = "") -> Encoding:
    return Encoding(title, ".pack", partial(write_images, suffix=suffix, options=options), read_images, gpu)


def video(title: str, suffix: str, codec: str, gop: int, pixels: str, gpu: str = "", plays: bool = False, **options: str) -> Encoding:
    write = partial(write_video, codec=codec, options={"g": str(gop), **options}, pixels=pixels)
    return Encoding(title, suffix, write, partial(read_with_pyav, gop=gop), gpu, plays)


QUALITY, SAMPLING = cv2.IMWRITE_JPEG_QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR
FULL = (SAMPLING, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)

ENCODINGS = (
    images("JPEG, quality 95, 4:2:0 (ours)", ".jpg", QUALITY, 95, gpu="nvJPEG"),
    images("JPEG, quality 95, 4:4:4", ".jpg", QUALITY, 95, *FULL, gpu="nvJPEG"),
    images("JPEG, quality 90, 4:2:0", ".jpg", QUALITY, 90, gpu="nvJPEG"),
    images("JPEG, quality 80, 4:2:0", ".jpg", QUALITY, 80, gpu="nvJPEG"),
    images("WebP, quality 90", ".webp", cv2.IMWRITE_WEBP_QUALITY, 90),
    images("AVIF, quality 80", ".avif", cv2.IMWRITE_AVIF_QUALITY, 80, cv2.IMWRITE_AVIF_SPEED, 9),
    images("PNG", ".png", cv2.IMWRITE_PNG_COMPRESSION, 1),
    Encoding("raw", ".pack", write_raw, read_raw, gpu="nothing to decode"),
    video("MJPEG, q 2", ".avi", "mjpeg", 1, "yuvj420p", qmin="2", qmax="2"),
    video("FFV1", ".mkv", "ffv1", 1, "bgr0"),
    video("H.264, g = 1, crf 14", ".mp4", "libx264", 1, "yuv420p", "NVDEC", True, crf="14"),
    video("H.264, g = 1, crf 23", ".mp4", "libx264", 1, "yuv420p", "NVDEC", True, crf="23"),
    video("H.264, g = 16, no B, crf 14", ".mp4", "libx264", 16, "yuv420p", "NVDEC", True, bf="0", crf="14"),
    video("H.264, g = 16, no B, crf 23", ".mp4", "libx264", 16, "yuv420p", "NVDEC", True, bf="0", crf="23"),
    video("H.264, g = 250, crf 23", ".mp4", "libx264", 250, "yuv420p", "NVDEC", True, crf="23"),
    Encoding("the browser's proxy (H.264, g = 24, crf 23)", ".mp4", write_proxy, partial(read_with_pyav, gop=24), "NVDEC", True),
)


def psnr(frames: Sequence[Pixels], kept: Pixels) -> float:
    """dB over all frames; infinite where nothing is lost."""
    error = np.mean([np.square(a.astype(np.float64) - b).mean() for a, b in zip(frames, kept, strict=True)])
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def measured(encoding: Encoding, frames: Sequence[Pixels], folder: Path) -> list[str]:
    """The cells of one row."""
    path = folder / f"clip{encoding.suffix}"
    write = best_of(1, lambda: encoding.write(path, frames), time.process_time)
    quality = psnr(frames, encoding.read(path, range(len(frames))))
    cells = [f"{path.stat().st_size / 1e3:,.0f}", f"{quality:.1f}", f"{1000 * write / len(frames):.1f}"]
    generator = np.random.default_rng(0)
    for draw, _bar in PATTERNS.values():
        draws = [draw(len(frames), generator) for _ in range(3)]
        seconds = best_of(5, lambda draws=draws: [encoding.read(path, indices) for indices in draws], time.process_time)  # type: ignore[misc]
        cells.append(f"{1000 * seconds / len(draws):.1f}")
    path.unlink()
    return [encoding.title, *cells, encoding.gpu, "yes" if encoding.plays else ""]


def main() -> None:
    cv2.setNumThreads(1)
    keep_freed_memory()
    frames = long_shot()
    print("| | KB | PSNR, dB | write, ms a frame | 3 random, ms | 11 in a row, ms | 25 spread, ms | on a GPU | browsers play it |")
    print("|---" * 9 + "|")
    with tempfile.TemporaryDirectory() as folder:
        for encoding in ENCODINGS:
            print("| " + " | ".join(measured(encoding, frames, Path(folder))) + " |", flush=True)


if __name__ == "__main__":
    main()
