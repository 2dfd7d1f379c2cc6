"""Flow extraction from video files to stored fields, on all cores, beside a script that does the same with OpenCV; and its memory.

Ours counts the import's decoding too: video → frame pack → flow pack and preview. The script reads with `cv2.VideoCapture` and writes
two JPEG files a pair, as such scripts do, one process a core. The ratio is that of CPU seconds: both keep all cores busy, and on a machine
that others use too the clock says little.
"""

import itertools
import os
import re
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import psutil

from benchmarks.clips import real_clips
from benchmarks.measure import Row
from ml.config.data import FrameSpec, Manifest, VideoEntry
from ml.config.flow import DIS, TVL1, Farneback, FlowSpec
from ml.config.schema import Schema
from ml.events import Finished, Progress
from ml.flow.extract import extract
from ml.parallel import in_processes
from ml.process import Stop
from ml.video.arrays import Pixels
from ml.video.decode import decode_frames
from ml.video.manifest import store_of
from ml.video.pack import write_frame_pack

BOUND = 20.0
HOUR = 25 * 3600  # frames


@dataclass(frozen=True)
class Case:
    """A method, OpenCV's own of the same name, and how much of the clips it gets."""

    method: Schema
    alternative: Callable[[], object]
    num_clips: int
    num_frames: int


CASES = {
    "TV-L1": Case(TVL1(), lambda: cv2.optflow.DualTVL1OpticalFlow_create(), 16, 9),  # type: ignore[attr-defined]
    "Farnebäck": Case(Farneback(), lambda: cv2.FarnebackOpticalFlow.create(3, 0.5, False, 15, 3, 5, 1.2, 0), 60, 1000),
    "DIS": Case(DIS(), lambda: cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM), 60, 1000),
}


def run() -> list[Row]:
    """Every method in turn, and an hour of video."""
    return [*(_speed_row(name, case) for name, case in CASES.items()), _memory_row()]


def _speed_row(name: str, case: Case) -> Row:
    clips = real_clips()[:: len(real_clips()) // case.num_clips]
    with tempfile.TemporaryDirectory() as folder:
        theirs = _measured(lambda: _plain_script(name, case, clips, Path(folder) / "jpeg"))
        ours = _measured(lambda: _our_way(case, clips, Path(folder) / "dataset"))
    cores = len(os.sched_getaffinity(0))
    what = f"extraction end to end, {name}, {len(clips)} clips, {ours.num_pairs} pairs, {cores} cores"
    return Row(what, str(ours), f"OpenCV script: {theirs}", theirs.cpu_seconds / ours.cpu_seconds, "≥ 1.5×")


@dataclass(frozen=True)
class Cost:
    """Of some pairs: seconds on the clock, and on all cores together."""

    num_pairs: int
    seconds: float
    cpu_seconds: float

    def __str__(self) -> str:
        return f"{self.num_pairs / self.seconds:.1f} pairs/s ({self.cpu_seconds:.1f} s of CPU)"


def _measured(work: Callable[[], int]) -> Cost:
    start, used = time.perf_counter(), _cpu_seconds()
    num_pairs = work()
    return Cost(num_pairs, time.perf_counter() - start, _cpu_seconds() - used)


def _cpu_seconds() -> float:
    """Of this process and of its children that have ended."""
    uses = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses)


# The script


def _plain_script(name: str, case: Case, clips: list[Path], out: Path) -> int:
    with get_context("spawn").Pool(len(os.sched_getaffinity(0)), cv2.setNumThreads, (1,)) as pool:
        counts = pool.map(partial(_plain_clip, name, case.num_frames, out), clips, chunksize=1)
        pool.close()
        pool.join()
    return sum(counts)


def _plain_clip(name: str, num_frames: int, out: Path, clip: Path) -> int:
    folder = out / clip.stem
    folder.mkdir(parents=True)
    capture = cv2.VideoCapture(str(clip))
    previous, count = None, 0
    while count < num_frames - 1:
        is_read, frame = capture.read()
        if not is_read:
            break
        following = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        if previous is not None:
            flow = CASES[name].alternative().calc(previous, following, None)  # type: ignore[attr-defined]
            levels = np.rint((flow.clip(-BOUND, BOUND) + BOUND) * (255 / (2 * BOUND))).astype(np.uint8)
            for axis, letter in enumerate("xy"):
                cv2.imwrite(str(folder / f"{letter}_{count:05d}.jpg"), levels[..., axis])
            count += 1
        previous = following
    return count


# Ours


def _our_way(case: Case, clips: list[Path], folder: Path) -> int:
    manifest = _manifest([str(clip.stem) for clip in clips])
    store = store_of(folder, manifest)
    paths = [store.frames(video.media, manifest.frame_spec.spec_id()) for video in manifest.videos]
    works = [(clip, path, case.num_frames) for clip, path in zip(clips, paths, strict=True)]
    list(in_processes(_pack_clip, works, Stop()))
    spec = FlowSpec(method=case.method, encoding="bound", bound=BOUND)
    *_events, last, finished = extract(folder, manifest, spec, Stop())
    assert isinstance(last, Progress) and isinstance(finished, Finished)
    packs = (store.flow(video.media, manifest.frame_spec.spec_id(), spec.spec_id()) for video in manifest.videos)
    return sum(_num_fields(path, spec, manifest.frame_spec) for path in packs)


def _num_fields(path: Path, spec: FlowSpec, frame_spec: FrameSpec) -> int:
    from ml.video.pack import FlowPack

    with FlowPack(path, spec, frame_spec) as pack:
        return len(pack)


def _pack_clip(work: tuple[Path, Path, int]) -> int:
    clip, path, num_frames = work
    return write_frame_pack(path, itertools.islice(decode_frames(clip), num_frames), FrameSpec())


def _manifest(names: list[str], num_frames: int = 2) -> Manifest:
    facts = {"label": "a", "frames": num_frames, "fps": 25, "width": 64, "height": 48, "duration_seconds": 1, "size_bytes": 1}
    videos = [
        VideoEntry.model_validate({"key": name, "path": name, "media": f"{number:064x}", **facts}) for number, name in enumerate(names)
    ]
    return Manifest(name="clips", layout="none", classes=("a",), videos=tuple(videos))


# Memory


def _memory_row() -> Row:
    """Anonymous memory of the process that makes the flow of an hour, a tenth into it and at the end; mapped files come and go."""
    with tempfile.TemporaryDirectory() as name:
        folder, manifest = Path(name), _manifest(["hour"], HOUR)
        frames = store_of(folder, manifest).frames(manifest.videos[0].media, manifest.frame_spec.spec_id())
        write_frame_pack(frames, _drawn(HOUR), manifest.frame_spec)
        uses = list(_watched(folder, manifest))
    early, late = uses[len(uses) // 10], max(uses[-len(uses) // 10 :])
    ours, theirs = (f"{use / 2**20:.0f} MiB" for use in (late, early))
    return Row(
        f"extraction of one video of an hour ({HOUR:,} frames, 64×48, DIS): memory", ours, f"a tenth in: {theirs}", early / late, "flat"
    )


def _drawn(num_frames: int) -> Iterator[Pixels]:
    wide = np.random.default_rng(0).integers(0, 256, (48, 256, 3), np.uint8)
    wide = np.asarray(cv2.GaussianBlur(wide, (0, 0), 2), np.uint8)
    for number in range(num_frames):
        yield np.ascontiguousarray(np.roll(wide, number, axis=1)[:, :64])


def _watched(folder: Path, manifest: Manifest) -> Iterator[int]:
    """Bytes, a few times a second, while another process extracts."""
    process = get_context("spawn").Process(target=_extract_all, args=(folder, manifest))
    process.start()
    while process.is_alive():
        for child in psutil.Process(process.pid).children(recursive=True):
            if (use := _anonymous_bytes(child.pid)) > 0:
                yield use
        time.sleep(0.25)


def _extract_all(folder: Path, manifest: Manifest) -> None:
    assert isinstance(list(extract(folder, manifest, FlowSpec(method=DIS()), Stop(), 1))[-1], Finished)


def _anonymous_bytes(pid: int) -> int:
    try:
        match = re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return 1024 * int(match[1]) if match else 0
