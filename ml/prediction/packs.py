"""A new video as its streams want to read it: the same packs as in training, made on the fly."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ml.config.data import FrameSpec, VideoInput
from ml.config.flow import FlowSpec
from ml.errors import BadVideo
from ml.flow import build_flow
from ml.video.arrays import Floats
from ml.video.modality import Pack
from ml.video.pack import FlowPack, FramePack, write_flow_pack


class FlowOnDemand:
    """Reads like the flow pack of the same frames, but computes only the fields that are read: tests read few of a long video.

    Fields go through a flow pack of their own, so they are stored and read back exactly as in training.
    """

    def __init__(self, frames: FramePack, frame_spec: FrameSpec, flow_spec: FlowSpec, folder: Path) -> None:
        if len(frames) < 2:
            raise BadVideo("The video has one frame; motion needs two", "Choose a longer video, or predict with an RGB run.")
        self._frames, self._frame_spec, self._spec, self._folder = frames, frame_spec, flow_spec, folder
        self._method = build_flow(flow_spec.method)
        self._fields: dict[int, Floats] = {}
        self.seconds = 0.0

    def __len__(self) -> int:
        return len(self._frames) - 1

    def read(self, indices: Sequence[int]) -> Floats:
        """(n, 2, H, W) float32, px/frame of the stored frames, x then y."""
        missing = sorted(set(indices) - self._fields.keys())
        if missing:
            self._extract(missing)
        return np.stack([self._fields[index] for index in indices])

    def _extract(self, indices: list[int]) -> None:
        started = time.perf_counter()
        path = self._folder / f"fields-{indices[0]}-{indices[-1]}.pack"
        write_flow_pack(path, (self._field(index) for index in indices), self._spec, self._frame_spec)
        with FlowPack(path, self._spec, self._frame_spec) as pack:
            self._fields.update(zip(indices, pack.read(range(len(indices))), strict=True))
        path.unlink()
        self.seconds += time.perf_counter() - started

    def _field(self, index: int) -> Floats:
        before, after = self._frames.read_grey([index, index + 1])
        try:
            return self._method(before, after)
        except cv2.error as error:
            raise BadVideo(
                "No flow from frame {index}: {problem}", "Predict with a run that needs no flow.", index=index, problem=error.err
            ) from error

    def __enter__(self) -> "FlowOnDemand":
        return self

    def __exit__(self, *reason: Any) -> None:
        self._fields.clear()


def pack_for(frames: FramePack, spec: FrameSpec, seen: VideoInput, folder: Path) -> Pack:
    """What a stream with this input reads of the video whose frames these are."""
    return FlowOnDemand(frames, spec, seen.reads_flow, folder) if seen.reads_flow else frames
