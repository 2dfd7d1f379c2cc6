"""A GPU that trains BN-Inception TSN on what the loader brings: how much of the time it is busy.

Beside torch, torchvision and numpy it needs what the loader and the networks need (`benchmarks.gpu.FOR_TRAINING`).
"""

import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import torch

from benchmarks.listed import entry, frame_pack, manifest_of
from benchmarks.measure import Row
from ml.config.data import FrameSpec, Manifest
from ml.config.experiment import ExperimentConfig
from ml.config.models import TSN
from ml.config.presets import PRESETS
from ml.models import build_model
from ml.process import keep_freed_memory
from ml.training.loading import Batch, RemainingBatches, TrainingData, training_loader
from ml.training.objective import classification
from ml.training.step import Learner
from ml.training.team import Team, placed
from ml.video.arrays import Pixels
from ml.video.dataset import SAMPLERS, TrainingDataset
from ml.video.pack import write_frame_pack

SIZE, NUM_FRAMES, NUM_VIDEOS, NUM_CLASSES = (256, 340), 60, 64, 101
STEPS, SETTLING = 100, 40
"""Steps that are timed, and those before them: until what the loader brought ahead while the first ran has been used up."""

PRECISIONS: tuple[dict[str, object], ...] = ({"precision": "float32"}, {"precision": "bfloat16", "channels_last": True})


def busy_rows(device: str) -> list[Row]:
    """The authors' recipe for RGB, from scratch: K = 3 crops of 224 px, 128 videos a batch; a loader process for every core."""
    recipe = PRESETS["tsn_rgb"].config
    model, workers = TSN(dropout=0.8), len(os.sched_getaffinity(0))
    trainings = (recipe.training.replace(device=device, loader_workers=workers, **precision) for precision in PRECISIONS)
    return [busy_row(recipe.replace(model=model, training=training), STEPS, SETTLING) for training in trainings]


def busy_row(config: ExperimentConfig, num_steps: int, num_settling: int, size: tuple[int, int] = SIZE) -> Row:
    """The GPU is busy for as long as the same steps take on one batch that is there already."""
    cv2.setNumThreads(0)
    keep_freed_memory()
    learner = learner_of(config)
    with TemporaryDirectory() as folder:
        batches = loaded(Path(folder), config, 2 * num_settling + num_steps, size)
        batch = next(batches)
        seconds_of_steps(learner, itertools.repeat(batch), num_settling)  # kernels are chosen, loader processes start
        seconds_of_steps(learner, batches, num_settling)
        fed = seconds_of_steps(learner, batches, num_steps)
        del batches
    busy = seconds_of_steps(learner, itertools.repeat(batch), num_steps)
    training, K = config.training, config.data.num_segments
    network = getattr(config.model, "backbone", config.model.kind)
    what = f"TSN on {network}, K = {K}, batches of {training.batch_size}, {training.precision}, {training.loader_workers} loader processes"
    ours, alone = (f"{num_steps * training.batch_size / seconds:.0f} videos/s" for seconds in (fed, busy))
    return Row(f"{what}: GPU busy", ours, f"batch in memory: {alone}", busy / fed, "≥ 0.90×")


def learner_of(config: ExperimentConfig) -> Learner:
    team = Team(torch.device(config.training.device))
    model = build_model(config.model, 3, NUM_CLASSES, config.data.num_segments)
    return Learner(placed(model, config.training, team).train(), classification, config.training, team)


def loaded(folder: Path, config: ExperimentConfig, num_batches: int, size: tuple[int, int]) -> Iterator[Batch]:
    """Batches by the loader of a training."""
    manifest, training = packed(folder, size), config.training
    dataset = TrainingDataset(folder, manifest, config.data, manifest.videos, seed=0)
    sampler = SAMPLERS["shuffle"](dataset.labels, num_batches * training.batch_size, seed=0)
    batches = RemainingBatches(sampler, training.batch_size, epochs=1)
    return iter(training_loader(TrainingData(dataset, sampler, num_batches), batches, training.loader_workers, torch.cuda.is_available()))


def packed(folder: Path, size: tuple[int, int]) -> Manifest:
    """A dataset of drawn videos, each in a frame pack."""
    videos = (entry(number, frames=NUM_FRAMES) for number in range(NUM_VIDEOS))
    manifest = manifest_of(videos, FrameSpec(short_side=min(size)))
    for number, video in enumerate(manifest.videos):
        write_frame_pack(frame_pack(folder, manifest, video), drawn(number, size), manifest.frame_spec)
    return manifest


def drawn(seed: int, size: tuple[int, int]) -> Iterator[Pixels]:
    """A coarse and a fine texture that pass: a JPEG of about the size of a real frame's."""
    generator = np.random.default_rng(seed)
    coarse, fine = (cv2.GaussianBlur(generator.normal(0, 1, (*size, 3)), (0, 0), sigma) * sigma for sigma in (12, 2))
    texture = np.asarray((128 + 120 * coarse + 30 * fine).clip(0, 255), np.uint8)
    for number in range(NUM_FRAMES):
        yield np.roll(texture, number, axis=1)


def seconds_of_steps(learner: Learner, batches: Iterator[Batch], num_steps: int) -> float:
    """By the clock; each step ends with its loss as a number, for which it waits."""
    start = time.perf_counter()
    for step, (x, labels) in enumerate(itertools.islice(batches, num_steps)):
        learner.learn(x, labels, step)
    return time.perf_counter() - start
