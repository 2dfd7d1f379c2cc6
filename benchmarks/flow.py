"""Optical flow: our TV-L1 beside OpenCV's, speed on one thread and agreement on real pairs of frames."""

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch

from benchmarks.measure import Row, best_of
from ml.flow.method import FlowMethod
from ml.flow.tv_l1 import VARIANTS, Parameters, Variant, method_of
from ml.process import keep_freed_memory
from ml.video.arrays import Floats, Pixels
from ml.video.decode import decode_frames

Pair = tuple[Pixels, Pixels]
CPU = VARIANTS["opencv_cpu"]
FIXED = replace(CPU, num_outer=1, has_median=False)
NUM_PAIRS = 1000
PAIRS_PER_CLIP = 4
BOUND = 20.0


def opencv(pair: Pair, **settings: float) -> Floats:
    """(2, H, W) by a fresh solver: OpenCV's keeps the number of scales of a small picture for the larger ones after it."""
    solver = cv2.optflow.DualTVL1OpticalFlow_create()  # type: ignore[attr-defined]  # OpenCV's stubs leave it out
    for name, value in settings.items():
        getattr(solver, f"set{name}")(value)
    return np.asarray(solver.calc(*pair, None), np.float32).transpose(2, 0, 1)


def real_pairs(data: Path, size: tuple[int, int] | None = None) -> Iterator[Pair]:
    """Frames and their successors in grey, from every clip in turn; `size` (W, H) resizes them."""
    for clip in sorted((data / "fight-surv").glob("*/*.mp4")):
        frames = list(itertools.islice(decode_frames(clip), 0, 60))
        for first in range(0, len(frames) - 1, max(1, len(frames) // PAIRS_PER_CLIP)):
            a, b = (np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8) for frame in frames[first : first + 2])
            yield (a, b) if size is None else (np.asarray(cv2.resize(a, size), np.uint8), np.asarray(cv2.resize(b, size), np.uint8))


@dataclass(frozen=True)
class Agreement:
    """Of two fields: mean end-point error in px, share of equal levels, and of levels that differ by more than one, at ±20 px in 8 bits."""

    epe: float
    equal: float
    apart: float


def agreement(ours: Floats, theirs: Floats) -> Agreement:
    """Levels as `ml.flow.encode` makes them of the encoding "bound"."""
    a, b = (np.rint(255 * (field.astype(np.float64).clip(-BOUND, BOUND) + BOUND) / (2 * BOUND)) for field in (ours, theirs))
    return Agreement(float(np.hypot(*(ours - theirs)).mean()), float((a == b).mean()), float((np.abs(a - b) > 1).mean()))


def seconds_of(pair: Pair, ours: FlowMethod, settings: dict[str, float]) -> tuple[float, float]:
    """CPU seconds of one thread, ours and OpenCV's: the fastest of three, taken in turns."""
    mine, theirs = [], []
    for _ in range(3):
        mine.append(best_of(1, lambda: ours(*pair), time.process_time))
        theirs.append(best_of(1, lambda: opencv(pair, **settings), time.process_time))
    return min(mine), min(theirs)


def speed_row(what: str, pairs: Sequence[Pair], ours: FlowMethod, settings: dict[str, float], bar: str) -> Row:
    """The mean of some pairs."""
    mine, theirs = np.mean([seconds_of(pair, ours, settings) for pair in pairs], axis=0)
    return Row(what, f"{1000 * mine:.0f} ms/pair", f"OpenCV: {1000 * theirs:.0f} ms/pair", float(theirs / mine), bar)


def built(parameters: Parameters, variant: Variant) -> FlowMethod:
    """On the CPU."""
    return method_of(parameters, variant, "cpu")


def speed_rows(data: Path) -> list[Row]:
    """Real pairs at 320 × 240: one with the same 5 × 5 × 30 iterations, and some, still and moving, with the default settings of both."""
    pairs = list(itertools.islice(real_pairs(data, (320, 240)), 10, 106, 16))
    fixed = {"Epsilon": 0.0, "OuterIterations": 1, "InnerIterations": 30, "MedianFiltering": 1}
    return [
        speed_row("TV-L1, 320 × 240, 5 × 5 × 30 iterations", pairs[:1], built(Parameters(epsilon=0), FIXED), fixed, "≥ 2×"),
        speed_row(f"TV-L1, 320 × 240, default settings, {len(pairs)} pairs", pairs, built(Parameters(), CPU), {}, "≥ 1×"),
    ]


def agreement_row(data: Path, num_pairs: int = NUM_PAIRS) -> Row:
    """Real pairs, default settings."""
    ours = built(Parameters(), CPU)
    found = [agreement(ours(*pair), opencv(pair)) for pair in itertools.islice(real_pairs(data), num_pairs)]
    epe, equal, apart = (np.mean([getattr(one, name) for one in found]) for name in ("epe", "equal", "apart"))
    worst = max(one.epe for one in found)
    words = f"mean EPE {epe:.4f} px (worst pair {worst:.3f}), {100 * equal:.1f} % equal levels, {100 * apart:.2f} % more than one apart"
    return Row(f"TV-L1 against OpenCV's, {len(found)} real pairs", words, bar="< 0.01 px, ≥ 95 %")


def run(data: Path) -> list[Row]:
    """All rows of this file; those on real pairs only where the clips are."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    keep_freed_memory()  # as every ml process does
    return [*speed_rows(data), agreement_row(data)]
