"""Training batches end to end: decode, rescale, crop, mirror, batch. From packs, and as one writes it with PyAV and torchvision."""

import importlib
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

import ml.torchvision_shim  # noqa: F401 - torchvision imports only after it
from benchmarks.clips import read_with_pyav, real_clips, write_long_clip
from benchmarks.listed import entry, frame_pack, manifest_of
from benchmarks.measure import Row, best_of
from ml.config.data import DataConfig, Manifest
from ml.process import keep_freed_memory
from ml.video.dataset import SAMPLERS, Draw, TrainingDataset
from ml.video.decode import decode_frames
from ml.video.pack import write_frame_pack
from ml.video.probe import probe
from ml.video.sampling import segment_starts

BATCH = 16


class UsersDataset(Dataset[tuple[Tensor, int]]):
    """As a user writes it: K random frames out of the mp4, torchvision's transforms. It knows the lengths and seeks when it must."""

    def __init__(self, videos: Sequence[Path], lengths: Sequence[int], data: DataConfig) -> None:
        v2 = importlib.import_module("torchvision.transforms.v2")
        self.videos, self.lengths, self.data = videos, lengths, data
        self.transform = v2.Compose([v2.Resize(data.short_side), v2.RandomCrop(data.crop_size), v2.RandomHorizontalFlip()])

    def __len__(self) -> int:
        return len(self.videos)

    def __getitem__(self, draw: Draw) -> tuple[Tensor, int]:
        generator = np.random.default_rng((draw.epoch, draw.position))
        indices = segment_starts(self.lengths[draw.video], 1, self.data.num_segments, generator)
        frames = torch.from_numpy(read_with_pyav(self.videos[draw.video], indices)).permute(0, 3, 1, 2)  # (K, 3, H, W)
        return self.transform(frames).float(), 0


def packed(folder: Path, videos: Sequence[Path]) -> Manifest:
    """A dataset in `folder` with the frame packs of some videos."""
    manifest = manifest_of(entry(number, frames=probe(path).frames) for number, path in enumerate(videos))
    for video, path in zip(manifest.videos, videos, strict=True):
        write_frame_pack(frame_pack(folder, manifest, video), decode_frames(path), manifest.frame_spec)
    return manifest


def seconds_per_video(dataset: Dataset[tuple[Tensor, int]], draws: Sequence[Draw], num_workers: int) -> float:
    """CPU time in one process; by the clock in several, which are up before it starts."""
    loader = DataLoader(dataset, BATCH, sampler=draws, num_workers=num_workers, persistent_workers=num_workers > 0)

    def drain() -> None:
        for _ in loader:
            pass

    drain()
    return best_of(3, drain, time.perf_counter if num_workers else time.process_time) / len(draws)


def compare(title: str, folder: Path, videos: Sequence[Path], bar: str) -> list[Row]:
    """K = 1 and 3, in one process and in two loader processes."""
    manifest, rows = packed(folder, videos), []
    lengths = [video.frames for video in manifest.videos]
    for K, workers in ((1, 0), (3, 0), (3, 2)):
        data = DataConfig(num_segments=K)
        ours, users = TrainingDataset(folder, manifest, data, manifest.videos, seed=0), UsersDataset(videos, lengths, data)
        draws = list(SAMPLERS["shuffle"](ours.labels, BATCH * max(1, 4 * workers), seed=0))
        mine, theirs = (1000 * seconds_per_video(dataset, draws, workers) for dataset in (ours, users))
        where = f"{workers} loader processes" if workers else "one process"
        rows.append(Row(f"{title}, K = {K}, {where}", f"{mine:.1f} ms a video", f"PyAV + torchvision: {theirs:.1f} ms", theirs / mine, bar))
    return rows


def run() -> list[Row]:
    """Eight clips of ten seconds as x264 makes them, then real clips of two seconds."""
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    keep_freed_memory()
    clips = real_clips()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        long_clips = [write_long_clip(folder / f"{number}.mp4", clips[number]) for number in range(8)]
        return [
            *compare("batches of 10 s clips, 320×240", folder / "long", long_clips, "≥ 4×"),
            *compare("batches of real 2 s clips, 320×180", folder / "short", clips[:200:13], ""),
        ]
