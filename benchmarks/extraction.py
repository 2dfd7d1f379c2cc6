"""Flow extraction from video files to stored fields, on all cores, beside a script that does the same with OpenCV; and its memory.

Ours (`benchmarks.our_flow`) counts the import's decoding too: video → frame pack → flow pack and preview. The script
(`benchmarks.plain_flow`) keeps frames and flow as JPEG files, as the tools of two-stream networks do; without frames it is the flow alone.
Both are programs of their own, with one process a core, and take turns; all that they start counts. The ratio is that of CPU seconds: both
keep all cores busy, and on a machine that others use too the clock says little.
"""

import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from os import sched_getaffinity
from pathlib import Path

import cv2
import numpy as np
import psutil
import torch

from benchmarks import our_flow, plain_flow
from benchmarks.clips import real_clips
from benchmarks.listed import entry, frame_pack, manifest_of
from benchmarks.measure import Row
from ml.config.data import Manifest
from ml.config.flow import DIS, FlowSpec
from ml.events import Finished
from ml.flow.extract import extract
from ml.process import Stop, keep_freed_memory
from ml.video.arrays import Pixels
from ml.video.pack import write_frame_pack

HOUR = 25 * 3600  # frames
TURNS, STEADY_CLIPS = 2, 4


@dataclass(frozen=True)
class Case:
    """A method by OpenCV's name, what the script keeps, and how much of the clips both get."""

    name: str
    keeps_frames: bool
    num_clips: int
    num_frames: int
    bar: str

    @property
    def kept(self) -> str:
        return "frames kept by both" if self.keeps_frames else "the script keeps no frames"


CASES = (
    Case("TV-L1", True, 12, 26, "≥ 1.5×"),
    Case("Farnebäck", True, 30, 1000, "≥ 1×"),
    Case("DIS", True, 60, 1000, "≥ 1×"),
    Case("DIS", False, 60, 1000, ""),
)


def run() -> list[Row]:
    """Every method in turn, and an hour of video."""
    return [*map(speed_row, CASES), *map(steady_row, CASES), _memory_row()]


def speed_row(case: Case) -> Row:
    """Other clips each turn."""
    turns = [_turn(case, real_clips()[turn :: len(real_clips()) // case.num_clips][: case.num_clips]) for turn in range(TURNS)]
    ours, theirs = (sum(costs, start=Cost(0, 0.0, 0.0)) for costs in zip(*turns, strict=True))
    assert ours.num_pairs == theirs.num_pairs
    cores = len(sched_getaffinity(0))
    what = f"extraction end to end, {case.name}, {TURNS} × {case.num_clips} clips, {case.kept}, {ours.num_pairs:,} pairs, {cores} cores"
    return Row(what, str(ours), f"OpenCV script: {theirs}", theirs.cpu_seconds / ours.cpu_seconds, case.bar)


def _turn(case: Case, clips: list[Path]) -> tuple["Cost", "Cost"]:
    """Ours, the script's."""
    frames, paths = str(case.num_frames), [str(clip) for clip in clips]
    with tempfile.TemporaryDirectory() as folder:
        theirs = cost_of("benchmarks.plain_flow", [case.name, str(case.keeps_frames), frames, f"{folder}/jpeg", *paths])
        return cost_of("benchmarks.our_flow", [case.name, frames, f"{folder}/dataset", *paths]), theirs


@dataclass(frozen=True)
class Cost:
    """Of some pairs: seconds on the clock, and on all cores together."""

    num_pairs: int
    seconds: float
    cpu_seconds: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.num_pairs + other.num_pairs, self.seconds + other.seconds, self.cpu_seconds + other.cpu_seconds)

    def __str__(self) -> str:
        return f"{self.num_pairs / self.seconds:.1f} pairs/s ({1000 * self.cpu_seconds / self.num_pairs:.1f} ms of CPU a pair)"


def cost_of(program: str, arguments: list[str]) -> Cost:
    """Of a program that prints the number of its pairs, and of all processes that it waits for."""
    start, used = time.perf_counter(), _children_seconds()
    done = subprocess.run([sys.executable, "-m", program, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return Cost(int(done.stdout), time.perf_counter() - start, _children_seconds() - used)


def _children_seconds() -> float:
    use = resource.getrusage(resource.RUSAGE_CHILDREN)
    return use.ru_utime + use.ru_stime


# Without starts


def steady_row(case: Case) -> Row:
    """In one process that is up already, of each clip the fastest of three turns: what a long extraction comes to."""
    in_one_thread()
    clips = real_clips()[:: len(real_clips()) // STEADY_CLIPS][:STEADY_CLIPS]
    num_pairs, ours, theirs = (sum(parts) for parts in zip(*(_fastest_turns(case, clip) for clip in clips), strict=True))
    mine, other = (f"{1000 * seconds / num_pairs:.2f} ms of CPU a pair" for seconds in (ours, theirs))
    what = f"without starts, {case.name}, {case.kept}, {num_pairs} pairs"
    return Row(what, mine, f"OpenCV script: {other}", theirs / ours, case.bar)


def in_one_thread() -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    keep_freed_memory()  # as every ml process does


def _fastest_turns(case: Case, clip: Path) -> tuple[int, float, float]:
    """Pairs, our CPU seconds, the script's."""
    turns = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            start = time.process_time()
            num_pairs = plain_flow.extract_clip(case.name, case.num_frames, case.keeps_frames, folder / "jpeg", clip)
            middle = time.process_time()
            our_flow.extract_clip(case.name, case.num_frames, folder / "dataset", clip)
            turns.append((time.process_time() - middle, middle - start))
    ours, theirs = map(min, zip(*turns, strict=True))
    return num_pairs, ours, theirs


# Memory


def _memory_row() -> Row:
    """Anonymous memory of the process that makes the flow of an hour, a tenth into it and at the end; mapped files come and go."""
    with tempfile.TemporaryDirectory() as name:
        folder, manifest = Path(name), manifest_of([entry(0, frames=HOUR)])
        write_frame_pack(frame_pack(folder, manifest, manifest.videos[0]), _drawn(HOUR), manifest.frame_spec)
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
    """Bytes, a few times a second, while another process extracts: of the largest that it has started."""
    process = get_context("spawn").Process(target=_extract_all, args=(folder, manifest))
    process.start()
    while process.is_alive():
        if use := max((_anonymous_bytes(child.pid) for child in psutil.Process(process.pid).children(recursive=True)), default=0):
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
