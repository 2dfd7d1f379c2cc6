"""What the main job works on: real clips where they are, else drawn ones; all of them, or a few recordings."""

import csv
import os
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import av

from ml.demo import clips as demo_clips
from ml.demo import write_clip
from ml.video.decode import decode_frames

REAL = Path(os.environ.get("KINETOSCOPE_REAL_DATA", Path(__file__).parents[3] / "shared" / "data")) / "fight-surv"
DRAWN = ("amber_sway", "jade_spin")
TRAIN_GROUPS, TEST_GROUPS = 8, 4
"""Recordings of each class among a few clips."""


@dataclass(frozen=True)
class Clip:
    """One line of `clips.csv`, and where its file is. Without a subset the site makes the split."""

    file: Path
    path: str
    label: str
    group: str
    subset: str = ""


@dataclass(frozen=True)
class Material:
    """Clips to import, and one to predict: of a recording that is not in training."""

    clips: tuple[Clip, ...]
    unseen: Clip

    @property
    def labels(self) -> Counter[str]:
        return Counter(clip.label for clip in self.clips)

    @property
    def groups(self) -> set[str]:
        return {clip.group for clip in self.clips}

    @property
    def subsets(self) -> Counter[str]:
        return Counter(clip.subset for clip in self.clips)

    def write_zip(self, path: Path) -> Path:
        """The clips with their list, as a user zips a folder."""
        columns = ["path", "label", "group", *(["subset"] if any(self.subsets) else [])]
        lines = [columns, *([getattr(clip, column) for column in columns] for clip in self.clips)]
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("clips/clips.csv", "".join(f"{','.join(line)}\r\n" for line in lines))
            for clip in self.clips:
                archive.write(clip.file, f"clips/{clip.path}")
        return path


def all_clips() -> Material:
    """The real clips with their list as it is; the unseen one is a recording of its own, so it is trained on only if the split says so."""
    clips = _listed(REAL)
    alone = [clip for clip in clips if Counter(other.group for other in clips)[clip.group] == 1]
    return Material(tuple(clips), alone[0])


def few_clips(folder: Path) -> Material:
    """One clip from each of a few recordings, as many of each class; the list says which recordings test."""
    return _few(_listed(REAL) if REAL.is_dir() else _drawn(folder))


def _listed(folder: Path) -> list[Clip]:
    with (folder / "clips.csv").open(newline="") as lines:
        return [Clip(folder / line["path"], line["path"], line["label"], line["group"]) for line in csv.DictReader(lines)]


def _drawn(folder: Path) -> list[Clip]:
    chosen = [clip for clip in demo_clips(len(DRAWN) * (TRAIN_GROUPS + TEST_GROUPS) + 1, 1, 0) if clip.label in DRAWN]
    for clip in chosen:
        write_clip(clip, folder)
    return [Clip(folder / clip.path, clip.path, clip.label, f"g{clip.group:02}") for clip in chosen]


def _few(clips: Sequence[Clip]) -> Material:
    """Recordings of one class each: that a place tells the class makes training quick. No number here speaks of real life."""
    chosen: list[Clip] = []
    labels = sorted({clip.label for clip in clips})
    for _round, label in product(range(TRAIN_GROUPS + TEST_GROUPS), labels):
        seen = {clip.group for clip in chosen}
        chosen.append(next(clip for clip in clips if clip.label == label and clip.group not in seen))
    num_train = TRAIN_GROUPS * len(labels)
    placed = [replace(clip, subset="train" if number < num_train else "test") for number, clip in enumerate(chosen)]
    spare = next(clip for clip in clips if clip.group not in {one.group for one in chosen})
    return Material(tuple(placed), spare)


def write_avi(clip: Clip, path: Path) -> Path:
    """The clip as another camera would have saved it: MPEG-4 in .avi, which no browser plays."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mpeg4", rate=25, options={"q": "3"})
        assert isinstance(stream, av.VideoStream)
        for number, pixels in enumerate(decode_frames(clip.file)):
            if number == 0:
                stream.height, stream.width = pixels.shape[:2]
                stream.pix_fmt = "yuv420p"
            output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        output.mux(stream.encode(None))
    return path
