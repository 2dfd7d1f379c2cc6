"""What a network can be shown of a video: one row a modality. No code compares a modality's name; it asks its row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np

from ml.config.compare import side_by_side
from ml.config.data import FlowInput, FrameSpec, RGBDiffInput, RGBInput, RGBStackInput
from ml.config.flow import FlowSpec
from ml.config.schema import Schema
from ml.config.store import MediaStore
from ml.errors import MissingFlow
from ml.flow.stacking import flow_input
from ml.video.arrays import Floats, Pixels
from ml.video.blobs import read_stamp
from ml.video.pack import FlowPack, FramePack
from ml.video.sampling import clip_span
from ml.video.transforms import mirror, mirror_flow, pca_jitter, rescale, rescale_flow, rescale_planes, upend, upend_flow

LEVELS_PER_PIXEL = 255 / 40
"""8-bit levels per px/frame where ±20 px/frame fill the byte: the flow images that temporal streams are commonly fed with (TSN)."""


class Pack(Protocol):
    """Units of one video by number: frames (H, W, 3) uint8 or flow fields (2, H, W) float32."""

    def __len__(self) -> int: ...

    def read(self, indices: Sequence[int]) -> Any: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *reason: Any) -> None: ...


@dataclass(frozen=True)
class Modality:
    """One way of seeing a video; the functions that take `Any` take the modality's own schema."""

    title: str
    channels: Callable[[Any], int]
    snippet_len: Callable[[Any], int]
    open_pack: Callable[[MediaStore, str, str, FrameSpec, Any], Pack]
    """(store, media, name for messages, frame spec, input)"""
    compose: Callable[[Any, Any], Any]
    """Units as a pack reads them, input → (C, H, W): RGB still as uint8, flow as float32"""
    rescale: Callable[[Any, int], Any]
    mirror: Callable[[Any], Any]
    upend: Callable[[Any], Any]
    jitter: Callable[[Floats, float, np.random.Generator], Floats]
    stride: Callable[[Any], int] = lambda _: 1
    """From each unit of a snippet to the next"""
    levels: float | None = None
    """Of the 256 of a picture, in one unit of an input that is centred on 0; None of pictures: red, green and blue of each in turn"""

    def span(self, seen: Any) -> int:
        """Units from the first of a snippet to its last, both included: the length with which its starts are drawn."""
        return clip_span(self.snippet_len(seen), self.stride(seen))


def _open_frames(
    store: MediaStore, media: str, _name: str, frames: FrameSpec, _input: RGBInput | RGBDiffInput | RGBStackInput
) -> FramePack:
    return FramePack(store.frames(media, frames.spec_id()), frames)


def _open_flow(store: MediaStore, media: str, name: str, frames: FrameSpec, seen: FlowInput) -> FlowPack:
    path = store.flow(media, frames.spec_id(), seen.flow.spec_id())
    if not path.exists():
        raise MissingFlow(
            "{name} has no {method} flow of the spec asked for",
            "Extract it first: on the dataset's flow page, or with python -m ml flow DATASET --spec CONFIG.json, the run's config",
            _beside_what_there_is(path, seen.flow),
            name=name,
            method=seen.flow.method.kind,
        )
    return FlowPack(path, seen.flow, frames)


def _beside_what_there_is(path: Path, asked: FlowSpec) -> str:
    """The spec asked for beside that of each flow pack of the video; empty when there is none."""
    prefix = path.stem.rpartition("-")[0]
    others = sorted(path.parent.glob(f"{prefix}-*.pack"))
    return "\n\n".join(side_by_side(read_stamp(other)["flow"], asked.model_dump(mode="json")) for other in others)


def _compose_frame(frames: Pixels, _input: RGBInput) -> Pixels:
    return np.moveaxis(frames[0], -1, 0)  # (1, H, W, 3) → (3, H, W), 0..255


def _compose_differences(frames: Pixels, seen: RGBDiffInput) -> Floats:
    """(L + 1, H, W, 3) → (3L, H, W) levels, −255..255: red, green and blue of the first difference, then of the next."""
    differences = np.diff(frames.astype(np.float32), axis=0)  # (L, H, W, 3)
    return differences.transpose(0, 3, 1, 2).reshape(3 * seen.stack_len, *frames.shape[1:3])


def _compose_frames(frames: Pixels, seen: RGBStackInput) -> Pixels:
    """(L, H, W, 3) → (3L, H, W), 0..255: red, green and blue of the first frame, then of the next."""
    return np.moveaxis(frames, -1, 1).reshape(3 * seen.clip_len, *frames.shape[1:3])


def _rescale_frames(image: Pixels, short_side: int) -> Pixels:
    """(3L, H, W), frame by frame: OpenCV takes four channels at most."""
    return np.concatenate([rescale(frame, short_side) for frame in image.reshape(-1, 3, *image.shape[1:])])


def _jitter_frames(image: Floats, sigma: float, generator: np.random.Generator) -> Floats:
    """(..., 3L, H, W): one colour shift for all frames."""
    return pca_jitter(image.reshape(-1, 3, *image.shape[-2:]), sigma, generator).reshape(image.shape)


def _compose_stack(fields: Any, seen: FlowInput) -> Floats:
    return flow_input(
        fields,
        along_trajectories=seen.representation == "trajectory",
        is_bidirectional=seen.bidirectional,
        has_mean_subtracted=seen.mean_subtraction,
    )


def _no_jitter(image: Floats, _sigma: float, _generator: np.random.Generator) -> Floats:
    return image


MODALITIES: dict[type[Schema], Modality] = {
    RGBInput: Modality(
        title="RGB",
        channels=lambda _: 3,
        snippet_len=lambda _: 1,
        open_pack=_open_frames,
        compose=_compose_frame,
        rescale=rescale,
        mirror=mirror,
        upend=upend,
        jitter=pca_jitter,
    ),
    FlowInput: Modality(
        title="Optical flow",
        channels=lambda seen: 2 * seen.stack_len,
        snippet_len=lambda seen: seen.stack_len,
        open_pack=_open_flow,
        compose=_compose_stack,
        rescale=rescale_flow,
        mirror=mirror_flow,
        upend=upend_flow,
        jitter=_no_jitter,
        levels=LEVELS_PER_PIXEL,
    ),
    RGBDiffInput: Modality(
        title="RGB difference",
        channels=lambda seen: 3 * seen.stack_len,
        snippet_len=lambda seen: seen.stack_len + 1,
        open_pack=_open_frames,
        compose=_compose_differences,
        rescale=rescale_planes,
        mirror=mirror,
        upend=upend,
        jitter=_no_jitter,  # a colour shift is the same in both frames
        levels=1.0,
    ),
    RGBStackInput: Modality(
        title="RGB stack",
        channels=lambda seen: 3 * seen.clip_len,
        snippet_len=lambda seen: seen.clip_len,
        stride=lambda seen: seen.frame_stride,
        open_pack=_open_frames,
        compose=_compose_frames,
        rescale=_rescale_frames,
        mirror=mirror,
        upend=upend,
        jitter=_jitter_frames,
    ),
}


def modality_of(seen: Schema) -> Modality:
    """The row of an input."""
    return MODALITIES[type(seen)]
