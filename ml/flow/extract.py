"""Flow for every video of a dataset, on all cores: frame pack → flow pack and preview.

What is there and whole is kept, so an extraction that was stopped or killed goes on where it was.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from ml.config.data import FrameSpec, Manifest, VideoEntry
from ml.config.flow import FlowSpec
from ml.config.schema import Schema
from ml.errors import BadPack, BadVideo, UserError
from ml.events import Event, Finished, Progress, Started, Stopped, VideoDone, VideoFailed
from ml.flow import build_flow
from ml.flow.method import FlowMethod
from ml.flow.preview import write_flow_preview
from ml.parallel import in_processes
from ml.process import Stop
from ml.video.arrays import Floats, Pixels
from ml.video.manifest import store_of
from ml.video.pack import FlowPack, FramePack, write_flow_pack


@dataclass(frozen=True)
class Work:
    """One video: what is read, what is written."""

    name: str
    frames: Path
    flow: Path
    preview: Path
    fps: float
    frame_spec: FrameSpec
    flow_spec: FlowSpec


@dataclass(frozen=True)
class Outcome:
    """What came of it: bytes on disk, or the reason why not."""

    name: str
    bytes: int = 0
    is_new: bool = False
    error: UserError | None = None


def extract(folder: Path, manifest: Manifest, spec: FlowSpec, stop: Stop, num_processes: int = 0) -> Iterator[Event]:
    """Make the flow packs and previews of a dataset; `num_processes` 0 takes every core this process may use.

    Raises:
        UserError: this machine lacks the method, or a process was killed.
    """
    build_flow(spec.method)  # fails here once rather than in every process
    works = [work_of(folder, manifest, video, spec) for video in manifest.videos]
    yield Started("flow", len(works), "videos")
    outcomes: list[Outcome] = []
    for outcome in in_processes(extract_video, works, stop, num_processes):
        outcomes.append(outcome)
        yield _event(outcome)
        yield Progress(len(outcomes), len(works), "videos", outcome.name)
    if len(outcomes) < len(works):
        yield Stopped(f"{len(outcomes)} of {len(works)} videos have their flow or cannot have it; the rest follows when you go on.")
    else:
        yield Finished(_summary(outcomes, spec))


def work_of(folder: Path, manifest: Manifest, video: VideoEntry, spec: FlowSpec) -> Work:
    """The paths and specs of one video."""
    store, frames_id, flow_id = store_of(folder, manifest), manifest.frame_spec.spec_id(), spec.spec_id()
    return Work(
        name=video.key,
        frames=store.frames(video.media, frames_id),
        flow=store.flow(video.media, frames_id, flow_id),
        preview=store.flow_preview(video.media, flow_id),
        fps=video.fps,
        frame_spec=manifest.frame_spec,
        flow_spec=spec,
    )


def extract_video(work: Work) -> Outcome:
    """Do what is still to do for one video; what is wrong with it is part of the answer."""
    try:
        is_new = not _has_flow(work)
        size = _write_flow(work) if is_new else work.flow.stat().st_size
        return Outcome(work.name, size + _preview_bytes(work, is_new), is_new)
    except UserError as error:
        return Outcome(work.name, error=error)


def flow_fields(pack: FramePack, flow: FlowMethod) -> Iterator[Floats]:
    """(2, H, W) from each frame to the next, two frames in memory at a time.

    Raises:
        BadVideo: one frame only, or a picture the method cannot handle.
    """
    if len(pack) < 2:
        raise BadVideo("No flow: needs two frames", "Leave the video out of the dataset, or train on RGB only.")
    previous = _grey(pack, 0)
    for number in range(1, len(pack)):
        following = _grey(pack, number)
        try:
            yield flow(previous, following)
        except cv2.error as error:
            raise BadVideo(f"No flow from frame {number - 1}: {error.err}", "Try another flow method.") from error
        previous = following


def _grey(pack: FramePack, number: int) -> Pixels:
    return np.asarray(cv2.cvtColor(pack.read([number])[0], cv2.COLOR_RGB2GRAY), np.uint8)


def _has_flow(work: Work) -> bool:
    try:
        with FlowPack(work.flow, work.flow_spec, work.frame_spec) as flow, FramePack(work.frames, work.frame_spec) as frames:
            return len(flow) == len(frames) - 1
    except BadPack:
        return False


def _write_flow(work: Work) -> int:
    with FramePack(work.frames, work.frame_spec) as pack:
        return write_flow_pack(work.flow, flow_fields(pack, _built(work.flow_spec.method)), work.flow_spec, work.frame_spec)


def _preview_bytes(work: Work, is_new: bool) -> int:
    if not is_new and work.preview.exists():
        return work.preview.stat().st_size
    with FlowPack(work.flow, work.flow_spec, work.frame_spec) as pack:
        return write_flow_preview(work.preview, pack, work.fps)


@lru_cache(maxsize=1)
def _built(method: Schema) -> FlowMethod:
    return build_flow(method)


def _event(outcome: Outcome) -> Event:
    if outcome.error:
        return VideoFailed(outcome.name, str(outcome.error), outcome.error.advice)
    return VideoDone(outcome.name, outcome.bytes)


def _summary(outcomes: list[Outcome], spec: FlowSpec) -> dict[str, object]:
    return {
        "videos": sum(outcome.error is None for outcome in outcomes),
        "new": sum(outcome.is_new for outcome in outcomes),
        "failed": sum(outcome.error is not None for outcome in outcomes),
        "bytes": sum(outcome.bytes for outcome in outcomes),
        "method": spec.method.kind,
        "spec_id": spec.spec_id(),
    }
