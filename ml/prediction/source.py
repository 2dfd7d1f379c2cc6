"""Who predicts: a run, or a fusion of runs with its weights or its SVM."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
from ml.evaluation.protocol import described
from ml.evaluation.results import files_of
from ml.evaluation.scores import Scores
from ml.evaluation.svm import LinearSVM
from ml.trained import load_run
from ml.training.sources import known_by
from ml.video.manifest import FILE_NAME
from ml.words import Words, joined

MARGINS = Words("shares are a softmax of the SVM's margins, good for ranking only")


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
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Of its run."""

    @property
    def description(self) -> Words:
        """How it is tested."""
        return described(self.protocol, self.num_segments, self.facts)


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


def load_source(path: Path, runs: Sequence[Path] = (), dataset: str = "") -> Source:
    """A run's folder, or a score file of `fuse` (or the folder that holds it).

    Args:
        runs: folders of a fusion's members in order, where they are no longer where they were.
        dataset: name or folder of the one whose classes are asked for, where a run learnt several; nothing means its own.

    Raises:
        BadCheckpoint: a run is missing or damaged.
        BadConfig: the run did not learn this dataset, or the source is a fusion, which is of one.
        BadScores: the file is no fusion.
    """
    score_file = files_of(path)[0]
    if path.suffix == ".npz" or score_file.exists():
        if dataset:
            raise BadConfig("A fusion names the classes of one dataset", "Leave --dataset out, or predict with one of its runs.")
        return _fusion(score_file, runs)
    stream, classes = load_stream(path, head=_wanted(dataset) if dataset else None)
    return Source(classes, (stream,))


def _wanted(dataset: str) -> dict[str, Any]:
    """What is known of a dataset that is given by its folder or its name."""
    folder = Path(dataset)
    return known_by(folder) if (folder / FILE_NAME).exists() else {"dataset": dataset}


def load_stream(folder: Path, protocol: Protocol | None = None, head: Mapping[str, Any] | None = None) -> tuple[Stream, tuple[str, ...]]:
    """One run and its classes, those of `head` where it learnt several datasets; `protocol` None means the run's own."""
    run = load_run(folder, head=head)
    spec = FrameSpec.model_validate(run.facts["frame_spec"])
    tested = protocol or run.config.evaluation, run.config.segments_tested
    return Stream(folder.name, folder, run.model, run.config.data, spec, *tested, run.facts), tuple(run.classes)


def _fusion(path: Path, runs: Sequence[Path]) -> Source:
    scores = Scores.load(path)
    config, members = _fusion_config(path, scores), scores.about["members"]
    folders = list(runs) or [Path(member["run"]) for member in members]
    if len(folders) != len(members):
        raise BadConfig(
            "{runs} runs for a fusion of {streams} streams",
            "Give one a stream, in the fusion's order.",
            runs=len(folders),
            streams=len(members),
        )
    streams = []
    for folder, member in zip(folders, members, strict=True):
        stream, classes = load_stream(_existing(folder), Protocol.model_validate(member["protocol"]), _head_of(member, scores))
        if classes != tuple(scores.classes):
            raise BadCheckpoint("The run {folder} has other classes than the fusion", "Fuse its scores again.", folder=folder)
        streams.append(stream)
    svm = LinearSVM.from_arrays(scores.arrays, len(scores.classes)) if config.method == "svm" else None
    fused = describe(config, len(streams), scores.about["fusion"]["fitted"])
    return Source(tuple(map(str, scores.classes)), tuple(streams), Fusion(config, svm, joined([fused, MARGINS]) if svm else fused))


def _head_of(member: Mapping[str, Any], scores: Scores) -> dict[str, Any]:
    """What a member's run knows the fusion's dataset by."""
    classes, folder = list(map(str, scores.classes)), str(member.get("dataset", ""))
    return {"snapshot": member.get("trained_on", ""), "classes": classes, "dataset": Path(folder).name}


def _fusion_config(path: Path, scores: Scores) -> FusionConfig:
    stored: dict[str, Any] = dict(scores.about.get("fusion", {}))
    if not stored:
        raise BadScores("{path} holds the scores of one run, not a fusion", "Give the run's folder instead.", path=path)
    stored.pop("fitted", None)
    try:
        return FusionConfig.model_validate(stored)
    except ValidationError as error:
        raise BadScores("The fusion in {path} is of another version", "Write it again with `fuse`.", path=path) from error


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise BadCheckpoint(
            "A stream of this fusion is gone: {folder}", "Name the runs' folders with --runs, or fuse other runs.", folder=folder
        )
    return folder
