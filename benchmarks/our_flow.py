"""Flow extraction as the product does it: clips → frame packs → flow packs and previews; the counterpart of `benchmarks.plain_flow`."""

import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.listed import entry, frame_pack, manifest_of
from ml.config.data import FrameSpec, Manifest, VideoEntry
from ml.config.flow import DIS, TVL1, Farneback, FlowSpec
from ml.config.schema import Schema
from ml.events import Finished
from ml.flow.extract import extract, extract_video, work_of
from ml.parallel import in_processes
from ml.process import Stop
from ml.video.decode import decode_frames
from ml.video.manifest import store_of
from ml.video.pack import FlowPack, write_frame_pack

BOUND = 20.0

METHODS: dict[str, Schema] = {"TV-L1": TVL1(), "Farnebäck": Farneback(), "DIS": DIS()}


def extract_all(method: str, clips: Sequence[Path], num_frames: int, out: Path) -> int:
    """On all cores, by the processes that an import starts and by those of an extraction; the number of pairs."""
    manifest, spec = manifest_of(entry(number, path=clip.stem) for number, clip in enumerate(clips)), spec_of(method)
    works = [(clip, frame_pack(out, manifest, video), num_frames) for clip, video in zip(clips, manifest.videos, strict=True)]
    list(in_processes(pack_clip, works, Stop()))
    assert isinstance(list(extract(out, manifest, spec, Stop()))[-1], Finished)
    return sum(_num_fields(out, manifest, video, spec) for video in manifest.videos)


def extract_clip(method: str, num_frames: int, out: Path, clip: Path) -> None:
    """In this process."""
    manifest = manifest_of([entry(0, path=clip.stem)])
    work = work_of(out, manifest, manifest.videos[0], spec_of(method))
    pack_clip((clip, work.frames, num_frames))
    if error := extract_video(work).error:
        raise error


def pack_clip(work: tuple[Path, Path, int]) -> int:
    """(clip, pack, number of frames) → bytes."""
    clip, path, num_frames = work
    return write_frame_pack(path, itertools.islice(decode_frames(clip), num_frames), FrameSpec())


def spec_of(method: str) -> FlowSpec:
    """The encoding of the script's files."""
    return FlowSpec(method=METHODS[method], encoding="bound", bound=BOUND)


def _num_fields(out: Path, manifest: Manifest, video: VideoEntry, spec: FlowSpec) -> int:
    path = store_of(out, manifest).flow(video.media, manifest.frame_spec.spec_id(), spec.spec_id())
    with FlowPack(path, spec, manifest.frame_spec) as pack:
        return len(pack)


if __name__ == "__main__":
    method, num_frames, out, *clips = sys.argv[1:]
    print(extract_all(method, [Path(clip) for clip in clips], int(num_frames), Path(out)))
