"""What needs an NVIDIA GPU: `python -m benchmarks.gpu`, with nothing installed but torch, torchvision and numpy.

A training on what the loader brings needs more (`benchmarks.gpu_training`); where that is missing, its row says what.
"""

import sys
import time
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.measure import Row, best_of, print_table
from ml.flow.images import warp
from ml.flow.tv_l1 import VARIANTS, Parameters, Variant, flow_of, method_of
from ml.flow.tv_l1_gpu import AT_ONCE, PLAIN, Kernels, Linear, Pairs, Unknowns, kernels, refined
from ml.video.arrays import Pixels

DEFAULT = Parameters()
SIZE = (256, 340)
BATCHES = (64, 256)
PUBLISHED_PAIRS_PER_SECOND = 30  # of OpenCV's CUDA TV-L1: 14 to 30 in the reports of TSN's and MMAction's users
BYTES_PER_PIXEL = 64  # of one iteration at the least: 16 floats read or written
COPIED_FLOATS = 2**28
FOR_TRAINING = ("cv2", "psutil", "pydantic", "safetensors", "timm")
"""What the loader and the networks are made with, beside torch, torchvision and numpy."""


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


def pixel_iterations(pairs: tuple[Pixels, Pixels], parameters: Parameters, variant: Variant, device: str) -> int:
    """Pixels × iterations that a batch takes until its last pair stands still."""
    pixels = 0

    def counted(x: Unknowns, *rest: Any) -> None:
        nonlocal pixels
        pixels += AT_ONCE * x.u1.numel()
        PLAIN.iterate(x, *rest)

    with torch.no_grad():
        I0, I1 = (torch.from_numpy(frames).to(device)[:, None].float() for frames in pairs)
        flow_of(I0, I1, parameters, variant, partial(refined, kernels=PLAIN._replace(iterate=counted)))
    return pixels


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
) -> Iterator[Row]:
    """Frames in, fields out, both in the host's memory: each variant and batch size."""
    bandwidth = bytes_per_second(device, num_floats)
    for name, variant in VARIANTS.items():
        flow = method_of(parameters, variant, device)
        for B in batches:
            pairs = moving_pairs(B, size, device)
            start = time.perf_counter()
            flow(*pairs)
            first = time.perf_counter() - start
            seconds = best_of(3, lambda flow=flow, pairs=pairs: flow(*pairs))  # type: ignore[misc]  # mypy asks for a type of the default
            floor = pixel_iterations(pairs, parameters, variant, device) * BYTES_PER_PIXEL / bandwidth
            yield tv_l1_row(f"TV-L1 {name}, {size[1]} × {size[0]}, batch {B}", B, seconds, floor, first)


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
    planes = torch.rand(9, num_pairs, *size, device=device)
    x, linear, pairs = Unknowns(*planes[:6].clone()), Linear(*planes[6:].clone()), Pairs.like(planes[0], 0.0)

    def seconds(known: Kernels) -> float:
        def work() -> None:
            for _ in range(10):
                known.iterate(x, linear, pairs, DEFAULT, VARIANTS["opencv_cpu"])
            x.u1[-1, -1, -1].item()  # waits for the device

        work()
        return best_of(3, work) / (10 * AT_ONCE)

    with torch.no_grad():
        compiled, plain = seconds(kernels(device)), seconds(PLAIN)
    rate = f"{1e6 * compiled:.0f} µs, {BYTES_PER_PIXEL * planes[0].numel() / compiled / 1e12:.2f} TB/s of what it cannot do without"
    return Row(f"one iteration of {num_pairs} pairs", rate, f"uncompiled: {1e6 * plain:.0f} µs", plain / compiled)


def training_rows(device: str) -> list[Row]:
    """A GPU that is fed by the loader, or what is missing for it."""
    if missing := [name for name in FOR_TRAINING if find_spec(name) is None]:
        ours = f"not measured: {', '.join(missing)} not installed"
        return [Row("BN-Inception TSN on what the loader brings: GPU busy", ours, bar="≥ 0.90×")]
    from benchmarks.gpu_training import busy_rows

    return busy_rows(device)


def run(device: str) -> Iterator[Row]:
    """Optical flow, then training."""
    yield from agreement_rows(device)
    yield compiling_row(device)
    yield from tv_l1_rows(device)
    yield from training_rows(device)


def main() -> None:
    if not torch.cuda.is_available():
        sys.exit("These benchmarks need an NVIDIA GPU and a torch built for CUDA; torch sees none here.")
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}\n")
    print_table(run("cuda"))


if __name__ == "__main__":
    main()
