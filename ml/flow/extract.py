"""Flow for every video of a dataset, on all cores: frame pack → flow pack and preview.

What is there and whole is kept, so an extraction that was stopped or killed goes on where it was, and several of them, on one
machine or on many, may work on the same dataset: as parts of it (`Shard`), or at the same videos, where one waits for the other.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from ml.config.data import FrameSpec, Manifest, VideoEntry
from ml.config.flow import FlowSpec
from ml.config.room import flow_bytes, stored_pixels
from ml.config.schema import Schema
from ml.errors import BadPack, BadVideo, DiskFull, UserError
from ml.events import Event, Finished, Progress, Started, Stopped, VideoDone, VideoFailed
from ml.flow import FROM_FILES, ON_TORCH, build_flow
from ml.flow.method import FlowMethod
from ml.flow.preview import write_flow_preview
from ml.flow.shard import WHOLE, Shard
from ml.parallel import in_processes
from ml.process import Stop
from ml.video.arrays import Floats
from ml.video.manifest import store_of
from ml.video.pack import FlowPack, FramePack, write_flow_pack
from ml.words import Words

GPU_DRIVERS = ("/dev/nvidiactl", "/dev/nvmap", "/dev/kfd", "/dev/dxg")
"""One of them is there wherever torch can find a GPU: NVIDIA's, NVIDIA's of small boards, AMD's, that of Windows below Linux."""

PROCESSES_ON_A_GPU = 4
"""They read, encode and draw on the CPU while one of them computes; each takes its share of the GPU's memory."""


@dataclass(frozen=True)
class Work:
    """One video: what is read, what is written."""

    name: str
    frames: Path
    flow: Path
    preview: Path
    fps: float
    num_pairs: int
    pixels: float
    frame_spec: FrameSpec
    flow_spec: FlowSpec
    device: str = "cpu"


@dataclass(frozen=True)
class Outcome:
    """What came of it: bytes on disk, or the reason why not."""

    work: Work
    bytes: int = 0
    is_new: bool = False
    error: UserError | None = None


def extract(folder: Path, manifest: Manifest, spec: FlowSpec, stop: Stop, num_processes: int = 0, shard: Shard = WHOLE) -> Iterator[Event]:
    """Make the flow packs and previews of a dataset or a part of it; `num_processes` 0 takes every core this process may use.

    Raises:
        UserError: this machine lacks the method or the room on disk, or a process was killed.
    """
    device = device_for(spec)
    if spec.method.kind in FROM_FILES:
        build_flow(spec.method, device)  # fails here once rather than in every process
    works = [work_of(folder, manifest, video, spec, device) for video in shard.of(manifest.videos)]
    check_room(works)
    works.sort(key=lambda work: work.num_pairs, reverse=True)  # no core waits for a long video at the end
    num_pairs = sum(work.num_pairs for work in works)
    yield Started("flow", num_pairs, "pairs")
    outcomes: list[Outcome] = []
    counted: set[Path] = set()
    done = kept = 0
    for outcome in in_processes(extract_video, works, stop, _num_processes(num_processes, device)):
        work = outcome.work
        outcomes.append(replace(outcome, bytes=0) if work.flow in counted else outcome)  # another video of the same content
        counted.add(work.flow)
        done += work.num_pairs
        kept += 0 if outcome.is_new else work.num_pairs
        yield _event(outcomes[-1])
        yield Progress(done, num_pairs, "pairs", work.name, kept)
    if len(outcomes) < len(works):
        yield Stopped(
            Words(
                "{done} of {total} videos have their flow or cannot have it; the rest follows when you go on.",
                done=len(outcomes),
                total=len(works),
            )
        )
    else:
        yield Finished(_summary(outcomes, spec))


def device_for(spec: FlowSpec) -> str:
    """Where the method does its work on this machine: “cuda” when it can and there is one."""
    if spec.method.kind not in ON_TORCH or not any(map(os.path.exists, GPU_DRIVERS)):
        return "cpu"
    import torch  # two seconds that the process which only hands out work does without

    return "cuda" if torch.cuda.is_available() else "cpu"


def _num_processes(asked: int, device: str) -> int:
    return min(asked or PROCESSES_ON_A_GPU, PROCESSES_ON_A_GPU) if device == "cuda" else asked


def work_of(folder: Path, manifest: Manifest, video: VideoEntry, spec: FlowSpec, device: str = "cpu") -> Work:
    """The paths and specs of one video."""
    store, frames_id, flow_id = store_of(folder, manifest), manifest.frame_spec.spec_id(), spec.spec_id()
    num_pairs = max(0, video.frames - 1)
    return Work(
        name=video.key,
        frames=store.frames(video.media, frames_id),
        flow=store.flow(video.media, frames_id, flow_id),
        preview=store.flow_preview(video.media, frames_id, flow_id),
        fps=video.fps,
        num_pairs=num_pairs,
        pixels=num_pairs * stored_pixels(video.width, video.height, manifest.frame_spec.short_side),
        frame_spec=manifest.frame_spec,
        flow_spec=spec,
        device=device,
    )


def check_room(works: Sequence[Work]) -> None:
    """Is there room for what is still to be made?

    Raises:
        DiskFull: no, by far.
    """
    missing = {work.flow: work for work in works if not work.flow.exists()}
    if not missing:
        return
    first = next(iter(missing.values()))
    needed = flow_bytes(first.flow_spec, sum(work.pixels for work in missing.values()))
    free = shutil.disk_usage(_existing(first.flow.parent)).free
    if needed > free:
        raise DiskFull(
            "The flow of {count} videos takes about {needed} GB, and {free} GB are free",
            "Free some space, or choose a lower quality or the fixed bound.",
            count=len(missing),
            needed=f"{needed / 1e9:.2f}",
            free=f"{free / 1e9:.2f}",
        )


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)


def extract_video(work: Work) -> Outcome:
    """Do what is still to do for one video; what is wrong with it is part of the answer."""
    try:
        with FramePack(work.frames, work.frame_spec) as frames, _alone_with(work.frames):
            is_new = not _has_flow(work, len(frames))
            size = _write_flow(work, frames) if is_new else work.flow.stat().st_size
            return Outcome(work, size + _preview_bytes(work, is_new), is_new)
    except UserError as error:
        return Outcome(work, error=error)


def flow_fields(pack: FramePack, flow: FlowMethod) -> Iterator[Floats]:
    """(2, H, W) from each frame to the next, one batch of frames in memory at a time, and the frame before it.

    Raises:
        BadVideo: one frame only, or a picture the method cannot handle.
    """
    if len(pack) < 2:
        raise BadVideo("No flow: needs two frames", "Leave the video out of the dataset, or train on RGB only.")
    before = pack.read_grey(range(1))
    for first in range(1, len(pack), flow.batch_size):
        following = pack.read_grey(range(first, min(first + flow.batch_size, len(pack))))  # (B, H, W)
        try:
            yield from flow(np.concatenate([before, following[:-1]]), following)
        except cv2.error as error:
            raise BadVideo(
                "No flow from frame {frame}: {problem}", "Try another flow method.", frame=first - 1, problem=error.err
            ) from error
        before = following[-1:]


@contextmanager
def _alone_with(frames: Path) -> Iterator[None]:
    """Wait until nobody else makes flow from these frames, here or on another machine that has the folder."""
    with frames.open("rb+") as handle:  # nothing is written; NFS locks no file that is open for reading only
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _has_flow(work: Work, num_frames: int) -> bool:
    try:
        with FlowPack(work.flow, work.flow_spec, work.frame_spec) as flow:
            return len(flow) == num_frames - 1
    except BadPack:
        return False


def _write_flow(work: Work, frames: FramePack) -> int:
    for path in (work.flow, work.preview):
        for leftover in path.parent.glob(f".{path.name}.*.tmp"):  # of a process that was killed: we are alone here
            leftover.unlink()
    return write_flow_pack(work.flow, flow_fields(frames, _built(work.flow_spec.method, work.device)), work.flow_spec, work.frame_spec)


def _preview_bytes(work: Work, is_new: bool) -> int:
    if not is_new and work.preview.exists():
        return work.preview.stat().st_size
    with FlowPack(work.flow, work.flow_spec, work.frame_spec) as pack:
        return write_flow_preview(work.preview, pack, work.fps)


@lru_cache(maxsize=1)
def _built(method: Schema, device: str) -> FlowMethod:
    return build_flow(method, device)


def _event(outcome: Outcome) -> Event:
    if outcome.error:
        return VideoFailed(outcome.work.name, outcome.error.message, outcome.error.advice)
    return VideoDone(outcome.work.name, outcome.bytes)


def _summary(outcomes: list[Outcome], spec: FlowSpec) -> dict[str, object]:
    return {
        "videos": sum(outcome.error is None for outcome in outcomes),
        "new": sum(outcome.is_new for outcome in outcomes),
        "failed": sum(outcome.error is not None for outcome in outcomes),
        "bytes": sum(outcome.bytes for outcome in outcomes),
        "method": spec.method.kind,
        "spec_id": spec.spec_id(),
    }
