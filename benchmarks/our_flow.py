"""Flow extraction as the product does it: clips → frame packs → flow packs and previews; the counterpart of `benchmarks.plain_flow`."""

import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

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
    manifest, spec = manifest_of([clip.stem for clip in clips]), spec_of(method)
    works = [(clip, path, num_frames) for clip, path in zip(clips, frame_packs(out, manifest), strict=True)]
    list(in_processes(pack_clip, works, Stop()))
    assert isinstance(list(extract(out, manifest, spec, Stop()))[-1], Finished)
    return sum(_num_fields(out, manifest, video, spec) for video in manifest.videos)


def extract_clip(method: str, num_frames: int, out: Path, clip: Path) -> None:
    """In this process."""
    manifest = manifest_of([clip.stem])
    work = work_of(out, manifest, manifest.videos[0], spec_of(method))
    pack_clip((clip, work.frames, num_frames))
    if error := extract_video(work).error:
        raise error


def pack_clip(work: tuple[Path, Path, int]) -> int:
    """(clip, pack, number of frames) → bytes."""
    clip, path, num_frames = work
    return write_frame_pack(path, itertools.islice(decode_frames(clip), num_frames), FrameSpec())


def frame_packs(out: Path, manifest: Manifest) -> list[Path]:
    store = store_of(out, manifest)
    return [store.frames(video.media, manifest.frame_spec.spec_id()) for video in manifest.videos]


def spec_of(method: str) -> FlowSpec:
    """The encoding of the script's files."""
    return FlowSpec(method=METHODS[method], encoding="bound", bound=BOUND)


def manifest_of(names: Sequence[str], num_frames: int = 2) -> Manifest:
    facts = {"label": "a", "frames": num_frames, "fps": 25, "width": 64, "height": 48, "duration_seconds": 1, "size_bytes": 1}
    videos = [
        VideoEntry.model_validate({"key": name, "path": name, "media": f"{number:064x}", **facts}) for number, name in enumerate(names)
    ]
    return Manifest(name="clips", layout="none", classes=("a",), videos=tuple(videos))


def _num_fields(out: Path, manifest: Manifest, video: VideoEntry, spec: FlowSpec) -> int:
    path = store_of(out, manifest).flow(video.media, manifest.frame_spec.spec_id(), spec.spec_id())
    with FlowPack(path, spec, manifest.frame_spec) as pack:
        return len(pack)


if __name__ == "__main__":
    method, num_frames, out, *clips = sys.argv[1:]
    print(extract_all(method, [Path(clip) for clip in clips], int(num_frames), Path(out)))
