"""What optical flow of a dataset will take: disk and time, from its frames and their stored size."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Sum

from webapp.datasets.models import Dataset, Video

MEASURED_PIXELS = 340 * 256
SECONDS_PER_FIELD = {"DIS": 0.018, "Farnebäck": 0.028, "TV-L1, ε = 0.05": 0.34, "TV-L1, ε = 0.01": 1.7}
"""One field of 340 × 256 pixels on one thread."""

BYTES_PER_PIXEL = 0.2
"""Two JPEG planes of quality 95: 0.18 was measured on real clips of 320 × 180 pixels with DIS."""


@dataclass(frozen=True)
class FlowEstimate:
    """Bytes and time of one method, on all cores of this machine."""

    method: str
    bytes: int
    time: timedelta


def flow_estimates(dataset: Dataset) -> list[FlowEstimate]:
    """One line a method, fastest first."""
    pixels = _stored_pixels(dataset)
    cores = os.cpu_count() or 1
    return [
        FlowEstimate(method, round(pixels * BYTES_PER_PIXEL), timedelta(seconds=seconds * pixels / MEASURED_PIXELS / cores))
        for method, seconds in SECONDS_PER_FIELD.items()
    ]


def _stored_pixels(dataset: Dataset) -> float:
    """Pixels of all stored frames: every size in the dataset, reduced to the stored short side, times its frames."""
    sizes = dataset.videos.filter(status=Video.Status.OK, width__gt=0, height__gt=0).order_by()
    stored = dataset.frames.short_side
    pixels: float = sum(
        frames * width * height * min(1.0, stored / min(width, height)) ** 2
        for width, height, frames in sizes.values_list("width", "height").annotate(Sum("frames"))
    )
    return pixels
