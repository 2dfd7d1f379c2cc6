"""Datasets that were never imported: a manifest of videos that benchmarks have drawn or packed themselves."""

from collections.abc import Iterable
from pathlib import Path

from ml.config.data import FrameSpec, Manifest, VideoEntry
from ml.video.manifest import store_of

USUAL = FrameSpec()
FACTS = {"label": "a", "frames": 2, "fps": 25, "width": 64, "height": 48, "duration_seconds": 1, "size_bytes": 1}


def entry(number: int, **facts: object) -> VideoEntry:
    """Video `number`, by those of its facts that matter to the benchmark."""
    return VideoEntry.model_validate({"key": f"{number}", "path": f"{number}", "media": f"{number:064x}", **FACTS, **facts})


def manifest_of(videos: Iterable[VideoEntry], frame_spec: FrameSpec = USUAL) -> Manifest:
    return Manifest(name="benchmark", layout="none", classes=("a",), videos=tuple(videos), frame_spec=frame_spec)


def frame_pack(folder: Path, manifest: Manifest, video: VideoEntry) -> Path:
    """Where the dataset in `folder` has the frames of a video."""
    return store_of(folder, manifest).frames(video.media, manifest.frame_spec.spec_id())
