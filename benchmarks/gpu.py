"""What needs an NVIDIA GPU: `python -m benchmarks.gpu`, with nothing installed but torch, torchvision and numpy.

A training on what the loader brings needs more (`benchmarks.gpu_training`); where that is missing, its row says what.
"""

import sys
import time

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.measure import Row, best_of, print_table
from ml.flow.images import warp
from ml.flow.tv_l1 import VARIANTS, Iteration, Linear, Parameters, State, Steps, Variant, flow_of, iteration_for, method_of, plain_iteration
from ml.video.arrays import Pixels

DEFAULT = Parameters()
SIZE = (256, 340)
BATCHES = (64, 256)
PUBLISHED_PAIRS_PER_SECOND = 30  # of OpenCV's CUDA TV-L1: 14 to 30 in the reports of TSN's and MMAction's users
BYTES_PER_PIXEL = 64  # of one iteration at the least: 16 floats read or written
COPIED_FLOATS = 2**28


def moving_pairs(num_pairs: int, size: tuple[int, int], device: str) -> tuple[Pixels, Pixels]:
    """Drawn textures that move by smooth fields of some pixels, with noise: (B, H, W) twice."""
    generator = torch.Generator().manual_seed(0)
    H, W = size

    def smooth(channels: int, cells: int) -> Tensor:
        coarse = torch.randn(num_pairs, channels, cells, cells, generator=generator)
        return functional.interpolate(coarse, size=size, mode="bicubic", align_corners=False)

    first = (128 + 30 * smooth(1, 8) + 25 * smooth(1, 32) + 15 * smooth(1, 96)).to(device)
    second = warp(first, 2.5 * smooth(2, 5).to(device), -0.5, is_clamped=True)
    frames = (image[:, 0].cpu() + 2 * torch.randn(num_pairs, H, W, generator=generator) for image in (first, second))
    previous, following = (frame.clamp(0, 255).round().to(torch.uint8).numpy() for frame in frames)
    return previous, following


class Counter:
    """`plain_iteration`, and how many pixels it has been over."""

    def __init__(self) -> None:
        self.pixels = 0

    def __call__(self, state: State, linear: Linear, steps: Steps) -> Tensor:
        self.pixels += linear.constant.numel()
        return plain_iteration(state, linear, steps)


def pixel_iterations(pairs: tuple[Pixels, Pixels], parameters: Parameters, variant: Variant, device: str) -> int:
    """Pixels × iterations that a batch takes until its last pair stands still."""
    counter = Counter()
    with torch.inference_mode():
        I0, I1 = (torch.from_numpy(frames).to(device, torch.float32)[:, None] for frames in pairs)
        flow_of(I0, I1, parameters, variant, counter)
    return counter.pixels


def bytes_per_second(device: str, num_floats: int = COPIED_FLOATS) -> float:
    """Of the device's memory, by copying: what is read and what is written."""
    source = torch.ones(num_floats, device=device)
    target = torch.empty_like(source)

    def copy() -> None:
        for _ in range(10):
            target.copy_(source)
        target[-1].item()  # waits for the device

    copy()
    return 10 * 2 * source.nbytes / best_of(5, copy)


def tv_l1_rows(
    device: str,
    parameters: Parameters = DEFAULT,
    size: tuple[int, int] = SIZE,
    batches: tuple[int, ...] = BATCHES,
    num_floats: int = COPIED_FLOATS,
) -> list[Row]:
    """Frames in, fields out, both in the host's memory: each variant and batch size."""
    bandwidth, rows = bytes_per_second(device, num_floats), []
    for name, variant in VARIANTS.items():
        flow = method_of(parameters, variant, device)
        for B in batches:
            pairs = moving_pairs(B, size, device)
            start = time.perf_counter()
            flow(*pairs)
            first = time.perf_counter() - start
            seconds = best_of(3, lambda flow=flow, pairs=pairs: flow(*pairs))  # type: ignore[misc]  # mypy asks for a type of the default
            floor = pixel_iterations(pairs, parameters, variant, device) * BYTES_PER_PIXEL / bandwidth
            rows.append(tv_l1_row(f"TV-L1 {name}, {size[1]} × {size[0]}, batch {B}", B, seconds, floor, first))
    return rows


def tv_l1_row(what: str, num_pairs: int, seconds: float, floor: float, first: float) -> Row:
    """Pairs a second, and how far that is from what the device's memory allows."""
    rate = num_pairs / seconds
    least = f"{1000 * floor / num_pairs:.2f} ms/pair of its memory traffic"
    ours = f"{rate:.0f} pairs/s; {seconds / floor:.1f}× the {least}; first call {first:.0f} s"
    return Row(what, ours, "OpenCV's CUDA: 14–30 pairs/s, published", rate / PUBLISHED_PAIRS_PER_SECOND, "≥ 300 pairs/s")


def agreement_rows(device: str, parameters: Parameters = DEFAULT, size: tuple[int, int] = SIZE, num_pairs: int = 8) -> list[Row]:
    """The device beside this machine's CPU."""
    pairs = moving_pairs(num_pairs, size, "cpu")
    rows = []
    for name, variant in VARIANTS.items():
        here, there = (method_of(parameters, variant, where)(*pairs) for where in ("cpu", device))
        epe = np.hypot(*(here - there).transpose(1, 0, 2, 3)).mean()
        rows.append(Row(f"TV-L1 {name} against the CPU's, {num_pairs} pairs", f"mean EPE {epe:.5f} px", bar="< 0.01 px"))
    return rows


def compiling_row(device: str, size: tuple[int, int] = SIZE, num_pairs: int = BATCHES[0]) -> Row:
    """One iteration at full size, compiled and as it is."""
    H, W = size
    state = State(torch.zeros(num_pairs, 2, H, W, device=device))
    random = [torch.randn(num_pairs, channels, H * W, device=device) for channels in (2, 1, 1)]
    linear = Linear(random[0], random[1], random[2].abs())
    steps = Parameters().steps(torch.ones(num_pairs, dtype=torch.bool, device=device))

    def seconds(function: Iteration) -> float:
        def work() -> None:
            for _ in range(20):
                error = function(state, linear, steps)
            error.sum().item()

        work()
        return best_of(3, work) / 20

    compiled, plain = seconds(iteration_for(device)), seconds(plain_iteration)
    return Row(f"one iteration of {num_pairs} pairs", f"{1e6 * compiled:.0f} µs", f"uncompiled: {1e6 * plain:.0f} µs", plain / compiled)


def training_rows(device: str) -> list[Row]:
    """A GPU that is fed by the loader, or what is missing for it."""
    try:
        from benchmarks.gpu_training import busy_rows
    except ModuleNotFoundError as missing:
        return [
            Row("BN-Inception TSN on what the loader brings: GPU busy", f"not measured: {missing.name} is not installed", bar="≥ 0.90×")
        ]
    return busy_rows(device)


def run(device: str) -> list[Row]:
    """Optical flow, then training."""
    return [*agreement_rows(device), compiling_row(device), *tv_l1_rows(device), *training_rows(device)]


def main() -> None:
    if not torch.cuda.is_available():
        sys.exit("These benchmarks need an NVIDIA GPU and a torch built for CUDA; torch sees none here.")
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}\n")
    print_table(run("cuda"))


if __name__ == "__main__":
    main()
