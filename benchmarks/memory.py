"""Memory of a training with its loader processes over ten epochs: what they have written and share with nobody."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import psutil
from torch.utils.data import DataLoader

from benchmarks.listed import entry, frame_pack, manifest_of
from benchmarks.measure import Row
from ml.config.data import DataConfig
from ml.config.presets import PRESETS
from ml.process import keep_freed_memory
from ml.training.loading import keep_objects_shared
from ml.video.dataset import TrainingDataset
from ml.video.pack import write_frame_pack
from ml.video.samplers import UniformClassSampler

EPOCHS, WORKERS, LONG_EPOCHS = 10, 2, 80
SETTLED = 20
"""Epochs of the loader by itself until its processes have written once to most pages that they were forked with."""
NUM_VIDEOS = 50_000


def memory_of(process: psutil.Process, kind: str = "Private_Dirty") -> int:
    """Bytes of a process and all below it. Private dirty: pages copied on writing count, libraries that others load too do not."""
    return sum(_bytes_of(one, kind) for one in (process, *process.children(recursive=True)))


def _bytes_of(process: psutil.Process, kind: str) -> int:
    lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
    [kibibytes] = [line.split()[1] for line in lines if line.startswith(f"{kind}:")]
    return int(kibibytes) * 1024


def row(what: str, after_each_epoch: list[int], first: int = 2) -> Row:
    """From epoch `first` on; the second is the first in which everything has been allocated once."""
    early, late = after_each_epoch[first - 1], after_each_epoch[-1]
    ours, before = f"{late / 2**20:.1f} MiB", f"after epoch {first}: {early / 2**20:.1f} MiB"
    return Row(f"{what}, {WORKERS} loader processes, after {len(after_each_epoch)} epochs", ours, before, early / late, "flat: ≥ 0.97×")


def training_row(root: Path) -> Row:
    """Ten epochs with loader processes."""
    return row("training", _after_each_epoch(root, EPOCHS, WORKERS, memory_of))


def long_training_row(root: Path) -> Row:
    """The process itself over many epochs, by resident memory: what grows by a little each epoch shows here."""
    after_each_epoch = _after_each_epoch(root, LONG_EPOCHS, 0, lambda process: int(process.memory_info().rss))
    early, late = (f"{size / 2**20:.1f} MiB" for size in (after_each_epoch[1], after_each_epoch[-1]))
    ratio = after_each_epoch[1] / after_each_epoch[-1]
    return Row(f"training, resident after {LONG_EPOCHS} epochs", late, f"after the second: {early}", ratio, "flat: ≥ 0.97×")


def _after_each_epoch(root: Path, epochs: int, workers: int, memory: Callable[[psutil.Process], int]) -> list[int]:
    """`python -m ml train`, looked at from outside whenever an epoch ends."""
    root.mkdir()
    for command in (
        ["draw", "--out", str(root / "clips"), "--groups", "4", "--clips-per-group", "2"],
        ["ingest", str(root / "clips"), "--out", str(root / "dataset")],
    ):
        subprocess.run([sys.executable, "-m", "ml", *command], check=True, capture_output=True)
    config = PRESETS["cpu_spatial"].config
    data = config.data.replace(dataset=str(root / "dataset"), short_side=40, crop_size=32)
    training = config.training.replace(epochs=epochs + 1, steps_per_epoch=20, batch_size=8, loader_workers=workers, milestones=())
    (root / "config.json").write_text(config.replace(data=data, training=training).model_dump_json())
    command = [sys.executable, "-m", "ml", "train", str(root / "config.json"), "--out", str(root / "run")]
    found: list[int] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            if json.loads(line)["event"] == "EpochEnded" and len(found) < epochs:  # while its loader is still there
                found.append(memory(psutil.Process(process.pid)))
    assert process.returncode == 0, "the training failed"
    return found


def loader_rows(root: Path) -> list[Row]:
    """A loader over many videos: what is kept of each must not be copied into every process as it is looked at.

    Pages of its own tell that; what is resident, shared or not, tells whether it takes ever more.
    """
    cv2.setNumThreads(0)
    one, manifest = entry(0, frames=4), manifest_of([])
    videos = [one.model_copy(update={"path": f"a/video {number:06}.mp4"}) for number in range(NUM_VIDEOS)]
    write_frame_pack(frame_pack(root, manifest, one), np.zeros((4, 48, 64, 3), np.uint8), manifest.frame_spec)
    dataset = TrainingDataset(root, manifest, DataConfig(short_side=48, crop_size=40), videos, seed=0)
    del videos  # as in a training: the manifest is gone when the loader starts
    sampler = UniformClassSampler(dataset.labels, NUM_VIDEOS // 10, seed=0)
    loader = DataLoader(dataset, 50, sampler=sampler, num_workers=WORKERS, persistent_workers=True, worker_init_fn=keep_objects_shared)
    own, resident = [], []
    for epoch in range(SETTLED + EPOCHS):
        sampler.go_to(epoch)
        for _ in loader:
            pass
        own.append(memory_of(psutil.Process()))
        resident.append(memory_of(psutil.Process(), "Anonymous"))
    what = f"loader over {NUM_VIDEOS:,} videos, all seen"
    return [row(what, own, SETTLED), row(f"{what}: resident, shared or not", resident, SETTLED)]


def run() -> list[Row]:
    """A training, a long one, and a loader by itself."""
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        return [training_row(root / "short"), long_training_row(root / "long"), *loader_rows(root / "many")]
