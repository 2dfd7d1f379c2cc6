"""The lifted structured loss against pytorch-metric-learning's, forward and backward, one thread: time and peak memory."""

from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import torch
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import LiftedStructureLoss as OfLibrary
from torch import Tensor, nn

from benchmarks.measure import Row, best_of
from ml.config.losses import LiftedStructure, MarginFunction
from ml.losses import build_loss

D, VIDEOS_PER_CLASS = 1024, 4


def ours(margin: MarginFunction) -> nn.Module:
    return build_loss(LiftedStructure(margin=margin), D, 1)


def library() -> nn.Module:
    loss: nn.Module = OfLibrary(distance=LpDistance(normalize_embeddings=False))
    return loss


def batch(B: int) -> tuple[Tensor, Tensor]:
    """Embeddings (B, D) as a metric branch gives them at its start, and labels (B,)."""
    f = torch.randn(B, D, generator=torch.Generator().manual_seed(0))
    return f.requires_grad_(), torch.arange(B) // VIDEOS_PER_CLASS


def step(loss: nn.Module, f: Tensor, labels: Tensor) -> None:
    torch.autograd.grad(loss(f, labels), f)


def milliseconds(loss: nn.Module, B: int, repeats: int = 5) -> float:
    f, labels = batch(B)
    return 1000 * best_of(repeats, lambda: step(loss, f, labels))


def peak_bytes(build: Callable[[], nn.Module], B: int) -> int:
    """What a step adds at most to the memory of a fresh process."""
    with get_context("spawn").Pool(1) as fresh:
        return fresh.apply(_peak_of_step, (build, B))


def _peak_of_step(build: Callable[[], nn.Module], B: int) -> int:
    torch.set_num_threads(1)
    loss, (f, labels) = build(), batch(B)
    step(loss, *batch(2 * VIDEOS_PER_CLASS))  # what is loaded once
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
    before = _status("VmRSS")
    step(loss, f, labels)
    return _status("VmHWM") - before


def _status(name: str) -> int:
    """Bytes, as Linux counts them for this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def run() -> list[Row]:
    """The bars of the issue at B = 128 and 256; 64 stands beside them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rows = [row for B, bar in ((64, ""), (128, "≥ 10×"), (256, "≥ 25×")) for row in _times(B, bar)]
    torch.set_num_threads(threads)
    return [*rows, *(_memory(B) for B in (128, 256))]


def _times(B: int, bar: str) -> list[Row]:
    constant, adaptive, theirs = (milliseconds(loss, B) for loss in (ours("constant"), ours("exp"), library()))
    return [
        Row(f"lifted loss, B = {B}, constant margin", f"{constant:.1f} ms", f"library: {theirs:.1f} ms", theirs / constant, bar),
        Row(f"lifted loss, B = {B}, exp margin", f"{adaptive:.1f} ms", f"constant: {constant:.1f} ms", constant / adaptive, "≥ 0.67×"),
    ]


def _memory(B: int) -> Row:
    us, them = peak_bytes(partial(ours, "exp"), B), peak_bytes(library, B)
    return Row(
        f"lifted loss, B = {B}, peak memory", f"{us / 2**20:.0f} MiB", f"library: {them / 2**20:.0f} MiB", them / us, "linear in pairs × B"
    )
