"""What optical flow of a dataset will take: disk and time, from its frames and their stored size."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Sum

from ml.config.flow import FlowSpec
from ml.config.room import flow_bytes, stored_pixels
from webapp.datasets.models import Dataset, Video
from webapp.jobs.storage import disk

MEASURED_PIXELS = 340 * 256
SECONDS_PER_FIELD = {"DIS": 0.014, "Farnebäck": 0.021, "TV-L1, ε = 0.05": 0.19, "TV-L1, ε = 0.01": 0.55, "Brox": 0.58}
"""One field of 340 × 256 pixels on one thread: reading its frames, the method, 0.002 s for storing it and drawing its preview."""


@dataclass(frozen=True)
class Room:
    """Bytes on disk: about what flow with the chosen quality takes in either encoding, and what is free."""

    quality: int
    range_bytes: int
    bound_bytes: int
    free: int


def room_for_flow(dataset: Dataset, spec: FlowSpec) -> Room:
    """What the form says of the disk, for the quality in it."""
    each, fixed = (expected_bytes(dataset, spec.replace(encoding=encoding)) for encoding in ("range", "bound"))
    return Room(spec.quality, each, fixed, disk().free)


def expected_bytes(dataset: Dataset, spec: FlowSpec) -> int:
    """About what the packs and previews of all videos take."""
    return flow_bytes(spec, _stored_pixels(dataset))


@dataclass(frozen=True)
class FlowEstimate:
    """Time of one method, on all cores of this machine."""

    method: str
    time: timedelta


def flow_estimates(dataset: Dataset) -> list[FlowEstimate]:
    """One line a method, fastest first."""
    pixels = _stored_pixels(dataset)
    cores = os.cpu_count() or 1
    return [
        FlowEstimate(method, timedelta(seconds=seconds * pixels / MEASURED_PIXELS / cores)) for method, seconds in SECONDS_PER_FIELD.items()
    ]


def _stored_pixels(dataset: Dataset) -> float:
    """Pixels of all stored frames: every size in the dataset, reduced to the stored short side, times its frames."""
    sizes = dataset.videos.filter(status=Video.Status.OK, width__gt=0, height__gt=0).order_by()
    pixels: float = sum(
        frames * stored_pixels(width, height, dataset.frames.short_side)
        for width, height, frames in sizes.values_list("width", "height").annotate(Sum("frames"))
    )
    return pixels
