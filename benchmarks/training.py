"""Our training step against a bare torch loop, and a 25 × 10 test in batches against one crop at a time. One thread."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import Dataset

from benchmarks.measure import Row
from ml.config.models import TwoStream
from ml.config.training import TrainingConfig
from ml.evaluation.views import Floats, score_views
from ml.events import CheckpointSaved, StepsDone
from ml.models import build_model
from ml.process import Stop
from ml.training.loading import TrainingData
from ml.training.optim import build_optimizer
from ml.training.trainer import Trainer
from ml.video.modality import LEVELS_PER_PIXEL

STEPS, REPEATS = 10, 5
BATCH, CHANNELS, SIDE, CLASSES = 16, 10, 64, 101
FRAMES, CROPS = 25, 10


class InMemory(Dataset[tuple[Tensor, int]]):
    """Stacks of flow that are there already: only the loop is measured."""

    def __init__(self) -> None:
        self.x = torch.randn(BATCH, CHANNELS, SIDE, SIDE, generator=torch.Generator().manual_seed(0))

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        return self.x[number], number


class InOrder:
    """The same batch again and again."""

    def go_to(self, epoch: int, start: int = 0) -> None:
        """Every epoch is the same."""

    def __iter__(self) -> Iterator[int]:
        return iter(list(range(BATCH)) * STEPS)


def network() -> nn.Module:
    torch.manual_seed(0)
    return build_model(TwoStream(), CHANNELS, CLASSES, levels=LEVELS_PER_PIXEL)


def our_epochs(folder: Path) -> Iterator[None]:
    """Epochs of the trainer with their events, and between two of them the checkpoint, which is not measured."""
    config = TrainingConfig(epochs=10**4, batch_size=BATCH, learning_rate=1e-3, device="cpu")
    trainer = Trainer(network(), TrainingData(InMemory(), InOrder(), STEPS), config, folder / "checkpoint", {}, Stop())
    for event in trainer.run():
        if isinstance(event, CheckpointSaved) or (isinstance(event, StepsDone) and event.step % STEPS == 0):
            yield


def bare_epoch() -> Callable[[], None]:
    """What a loop needs at least: batches, forward, backward, step, and the loss as a number."""
    model, dataset = network().train(), InMemory()
    optimizer = build_optimizer(model, 1e-3, 0.9, 5e-4)

    def epoch() -> None:
        for _ in range(STEPS):
            items = [dataset[number] for number in range(BATCH)]
            x, labels = torch.stack([x for x, _label in items]), torch.tensor([label for _x, label in items])
            loss = F.cross_entropy(model(x), labels)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            loss.item()

    return epoch


def pieces() -> Iterator[Floats]:
    """The ten crops of each of the 25 stacks of a video."""
    crops = np.random.default_rng(0).normal(size=(CROPS, CHANNELS, SIDE, SIDE)).astype(np.float32)
    return (crops for _ in range(FRAMES))


@torch.inference_mode()
def crop_by_crop(model: nn.Module) -> Tensor:
    return torch.cat([model(torch.from_numpy(crop[None])) for piece in pieces() for crop in piece])


def run() -> list[Row]:
    """The bars of the issue: at most 1.05 times the bare loop, at least twice the per-crop loop."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        rows = [_step(Path(folder)), _test()]
    torch.set_num_threads(threads)
    return rows


def _step(folder: Path) -> Row:
    ours, bare_loop = our_epochs(folder), bare_epoch()
    seconds: list[tuple[float, float]] = []
    for _ in range(REPEATS):
        seconds.append((cpu_seconds(lambda: next(ours)), cpu_seconds(bare_loop)))
        next(ours)
    mine, bare = (1000 * min(times) / STEPS for times in zip(*seconds, strict=True))
    return Row(f"training step, ResNet-10-T, batch of {BATCH}", f"{mine:.1f} ms", f"bare loop: {bare:.1f} ms", bare / mine, "≥ 0.95×")


def _test() -> Row:
    model = network().eval()
    works = (lambda: score_views(model, pieces()), lambda: crop_by_crop(model))
    ours, single = (min(times) for times in zip(*([cpu_seconds(work) for work in works] for _ in range(REPEATS)), strict=True))
    return Row(f"test of a video, {FRAMES} × {CROPS}", f"{ours:.2f} s", f"crop by crop: {single:.2f} s", single / ours, "≥ 2×")


def cpu_seconds(work: Callable[[], object]) -> float:
    """Processor time of one thread: what else the machine does falls on neither side, and the two take turns."""
    start = time.process_time()
    work()
    return time.process_time() - start
