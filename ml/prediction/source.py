"""Who predicts: a run, or a fusion of runs with its weights or its SVM."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError
from torch import nn

from ml.config.data import DataConfig, FrameSpec
from ml.config.evaluation import FusionConfig, Protocol
from ml.errors import BadCheckpoint, BadConfig, BadScores
from ml.evaluation.fusion import describe, fuse_rows
from ml.evaluation.results import files_of
from ml.evaluation.scores import Scores
from ml.evaluation.svm import LinearSVM
from ml.experiment import load_run

MARGINS = "; shares are a softmax of the SVM's margins, good for ranking only"


@dataclass(frozen=True)
class Stream:
    """One run, ready to predict: its network in eval mode on its device, and how it is to be tested."""

    name: str
    folder: Path
    model: nn.Module
    data: DataConfig
    frame_spec: FrameSpec
    protocol: Protocol
    num_segments: int = 1
    """Views that are one video to the network."""


@dataclass(frozen=True)
class Fusion:
    """How streams become one score; `svm` is the one that was fitted, where the method is one."""

    config: FusionConfig
    svm: LinearSVM | None
    description: str

    def __call__(self, streams: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Streams of (N,) scores → (N,)."""
        return np.asarray(fuse_rows([scores[None] for scores in streams], self.config, self.svm)[0])


@dataclass(frozen=True)
class Source:
    """`fusion` is None for a single run."""

    classes: tuple[str, ...]
    streams: tuple[Stream, ...]
    fusion: Fusion | None = None


def load_source(path: Path, runs: Sequence[Path] = ()) -> Source:
    """A run's folder, or a score file of `fuse` (or the folder that holds it).

    Args:
        runs: folders of a fusion's members in order, where they are no longer where they were.

    Raises:
        BadCheckpoint: a run is missing or damaged.
        BadScores: the file is no fusion.
    """
    score_file = files_of(path)[0]
    if path.suffix == ".npz" or score_file.exists():
        return _fusion(score_file, runs)
    stream, classes = load_stream(path, None)
    return Source(classes, (stream,))


def load_stream(folder: Path, protocol: Protocol | None) -> tuple[Stream, tuple[str, ...]]:
    """One run and its classes; `protocol` None means the run's own."""
    run = load_run(folder)
    spec = FrameSpec.model_validate(run.facts["frame_spec"])
    tested = protocol or run.config.evaluation, run.config.segments_tested
    return Stream(folder.name, folder, run.model, run.config.data, spec, *tested), tuple(run.classes)


def _fusion(path: Path, runs: Sequence[Path]) -> Source:
    scores = Scores.load(path)
    config, members = _fusion_config(path, scores), scores.about["members"]
    folders = list(runs) or [Path(member["run"]) for member in members]
    if len(folders) != len(members):
        raise BadConfig(f"{len(folders)} runs for a fusion of {len(members)} streams", "Give one a stream, in the fusion's order.")
    streams = []
    for folder, member in zip(folders, members, strict=True):
        stream, classes = load_stream(_existing(folder), Protocol.model_validate(member["protocol"]))
        if classes != tuple(scores.classes):
            raise BadCheckpoint(f"The run {folder} has other classes than the fusion", "Fuse its scores again.")
        streams.append(stream)
    svm = LinearSVM.from_arrays(scores.arrays, len(scores.classes)) if config.method == "svm" else None
    words = describe(config, len(streams), scores.about["fusion"]["fitted"]) + (MARGINS if svm else "")
    return Source(tuple(map(str, scores.classes)), tuple(streams), Fusion(config, svm, words))


def _fusion_config(path: Path, scores: Scores) -> FusionConfig:
    stored: dict[str, Any] = dict(scores.about.get("fusion", {}))
    if not stored:
        raise BadScores(f"{path} holds the scores of one run, not a fusion", "Give the run's folder instead.")
    stored.pop("fitted", None)
    try:
        return FusionConfig.model_validate(stored)
    except ValidationError as error:
        raise BadScores(f"The fusion in {path} is of another version", "Write it again with `fuse`.") from error


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise BadCheckpoint(f"A stream of this fusion is gone: {folder}", "Name the runs' folders with --runs, or fuse other runs.")
    return folder
