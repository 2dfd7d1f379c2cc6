"""A run × a subset × a protocol → scores and embeddings: the only place where test videos meet a network."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, cast
from typing import Protocol as Structure

import numpy as np
from numpy.typing import NDArray
from torch import nn

from ml.config.data import Manifest, Subset, VideoEntry
from ml.config.evaluation import Protocol
from ml.config.experiment import ExperimentConfig
from ml.errors import BadConfig, BadPack, BadScores, BadVideo
from ml.evaluation.embedding.file import Embeddings
from ml.evaluation.protocol import described
from ml.evaluation.scores import Scores
from ml.evaluation.views import aggregate, branch_views, middle, read_ahead
from ml.evaluation.whole_frames import prepare
from ml.events import Event, Log, Progress, Started, Stopped, VideoFailed
from ml.layers.branches import Embedder, Space
from ml.process import Stop
from ml.video.dataset import SnippetReader, iter_views, subset_videos
from ml.video.manifest import load_manifest, snapshot_id
from ml.words import Words, joined

AHEAD = 4
"""Pieces (all crops of one snippet) that are read while the network is busy."""

Floats = NDArray[np.float32]
Piece = tuple[VideoEntry, Floats | BadPack | BadVideo]


class Evaluated(NamedTuple):
    """What came of it; no embeddings where one is not finite, though the scores are."""

    scores: Scores
    embeddings: Embeddings | None


class Learnt(Structure):
    """What of a trained run is evaluated; `ml.trained.TrainedRun` is one."""

    @property
    def config(self) -> ExperimentConfig: ...

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def model(self) -> nn.Module: ...

    @property
    def facts(self) -> dict[str, Any]: ...


def evaluate(
    run: Learnt, run_folder: Path, dataset: Path, subset: Subset, protocol: Protocol, stop: Stop
) -> Generator[Event, None, Evaluated | None]:
    """Score every video of a subset; the generator returns scores and embeddings, or None when it was stopped.

    A video whose pack is bad is left out, and that is said with the scores.

    Raises:
        BadConfig: a class that the run does not know, or a subset without videos.
        MissingFlow: the flow that the run needs was not extracted.
        BadScores: not one video could be read.
    """
    manifest, data = load_manifest(dataset), run.config.data
    entries = subset_videos(manifest, data.split, subset, data.validation_fraction, run.config.training.seed, data.held_out_fold)
    labels = labels_of(entries, run.classes, subset)
    about = about_of(run, run_folder, dataset, manifest, subset, protocol)
    yield Started("evaluate", len(entries), "videos")
    if about["snapshot"] != about["trained_on"]:
        yield Log("The dataset is not as it was when this run was trained; the scores are of the dataset as it is now.", "warning")
    prepare(run.model, data, protocol)
    reader, rows, places = SnippetReader(dataset, manifest, data), {}, {}
    space = cast(Embedder, run.model).space
    pieces = read_ahead(((e, p) for e in entries for p in _pieces(reader, e, run, protocol)), AHEAD)
    for done, (entry, parts) in enumerate(groupby(pieces, key=lambda piece: piece[0]), start=1):
        if stop.requested:
            yield Stopped("No scores were written; evaluate again.")
            return None
        try:
            scores, embeddings = branch_views(run.model, _views(parts))
            rows[entry.key], places[entry.key] = aggregate(scores, protocol.aggregation), middle(embeddings, space.is_unit)
        except (BadPack, BadVideo) as error:
            about["left_out"].append(entry.key)
            yield VideoFailed(entry.key, error.message, error.advice)
        yield Progress(done, len(entries), "videos", entry.key)
    scored = _scores(entries, labels, rows, run.classes, about)
    try:
        return Evaluated(scored, _embeddings(scored, places, space))
    except BadScores as error:
        yield Log(f"{error}. The scores are kept without embeddings.", "warning")
        return Evaluated(scored, None)


def _pieces(reader: SnippetReader, entry: VideoEntry, run: Learnt, protocol: Protocol) -> Iterator[Floats | BadPack | BadVideo]:
    """The views of one video; a video that cannot be read ends with the error instead, so that the next one is read all the same."""
    try:
        yield from iter_views(reader, entry, run.config.data, protocol, run.config.segments_tested)
    except (BadPack, BadVideo) as error:
        yield error


def _views(parts: Iterable[Piece]) -> Iterator[Floats]:
    """The parts alone; raises the error among them, if there is one."""
    for _, part in parts:
        if isinstance(part, (BadPack, BadVideo)):
            raise part
        yield part


def labels_of(entries: Sequence[VideoEntry], classes: Sequence[str], subset: str) -> dict[str, int]:
    """Key → class index of the run.

    Raises:
        BadConfig: no videos, or one of a class that the run was not trained on.
    """
    if not entries:
        raise BadConfig("The {subset} subset has no videos", "Choose another subset, or a split that has one.", subset=subset)
    index = {name: number for number, name in enumerate(classes)}
    for entry in entries:
        if entry.label not in index:
            advice = "Evaluate on the dataset it was trained on, or on one with the same classes."
            raise BadConfig("{video} is of class “{label}”, which this run was not trained on", advice, video=entry.key, label=entry.label)
    return {entry.key: index[entry.label] for entry in entries}


def about_of(run: Learnt, run_folder: Path, dataset: Path, manifest: Manifest, subset: Subset, protocol: Protocol) -> dict[str, Any]:
    """Where the numbers come from."""
    return {
        "short": protocol.short(),
        "description": described(protocol, run.config.segments_tested, run.facts),
        "protocol": protocol.model_dump(mode="json"),
        "subset": subset,
        "split": run.config.data.split,
        **held_out_of(run, subset),
        "dataset": str(dataset.resolve()),
        "snapshot": snapshot_id(manifest),
        "trained_on": run.facts.get("snapshot", ""),
        "run": str(run_folder.resolve()),
        "modality": run.config.data.input.modality,
        "left_out": [],
    }


def held_out_of(run: Learnt, subset: Subset) -> dict[str, Any]:
    """Which fold of how many these videos are, where the run held one out."""
    fold = run.config.data.held_out_fold
    return {"fold": fold[0], "folds": fold[1]} if fold and subset == "validation" else {}


def _scores(
    entries: Sequence[VideoEntry], labels: dict[str, int], rows: dict[str, Floats], classes: Sequence[str], about: dict[str, Any]
) -> Scores:
    found = [entry for entry in entries if entry.key in rows]
    if not found:
        raise BadScores(
            "None of the {total} videos could be read",
            "Import the dataset again; the log names what is wrong with each.",
            total=len(entries),
        )
    if about["left_out"]:
        left_out = Words("{count} of {total} videos left out as unreadable", count=len(about["left_out"]), total=len(entries))
        about["description"] = joined([about["description"], left_out])
    return Scores(
        np.stack([rows[entry.key] for entry in found]),
        np.array([labels[entry.key] for entry in found], dtype=np.int64),
        np.array([entry.key for entry in found]),
        np.array([entry.group for entry in found]),
        np.array(list(classes)),
        about,
    )


def _embeddings(scores: Scores, places: dict[str, Floats], space: Space) -> Embeddings:
    """Of the videos that have scores, in their order.

    Raises:
        BadScores: one is not finite.
    """
    x = np.stack([places[video] for video in scores.videos])
    return Embeddings(x, scores.labels, scores.videos, scores.classes, {**scores.about, "space": space._asdict()})
