"""Reading where the videos of an evaluation lie, and which lie beside them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from ml.config.embedding import VERSION
from webapp.experiments.embedding import Embedding, Place
from webapp.experiments.models import Evaluation
from webapp.experiments.selectors.results import ScoredVideo, with_names
from webapp.jobs.models import Job

MISPLACED_SHOWN = 12


@dataclass(frozen=True)
class Neighbour:
    """A video near another one."""

    scored: ScoredVideo
    distance: float
    is_same_class: bool


@dataclass(frozen=True)
class Misplaced:
    """A video whose nearest neighbour is of another class."""

    scored: ScoredVideo
    neighbour: str
    distance: float


def embedding_of(evaluation: Evaluation) -> Embedding | None:
    """None where none was kept, as of a fusion, and where an earlier version said less of them than is shown now."""
    path = evaluation.folder / "embedding.json"
    said = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return Embedding.of(said) if said.get("version") == VERSION else None


def has_embeddings(evaluation: Evaluation) -> bool:
    """Whether they are there to be described."""
    return (evaluation.folder / "embeddings.npz").exists()


def map_job(evaluation: Evaluation) -> Job | None:
    """The job of the map that was asked for last."""
    return _newest(Job.Kind.EMBED, evaluation)


def newest_test(evaluation: Evaluation) -> Job | None:
    """The job that tested the run last."""
    return _newest(Job.Kind.EVALUATE, evaluation)


def _newest(kind: Job.Kind, evaluation: Evaluation) -> Job | None:
    return Job.objects.filter(kind=kind, subject_id=evaluation.pk).order_by("-id").first()


def places(evaluation: Evaluation, embedding: Embedding, which: str, outcome: str = "") -> list[Place]:
    """The videos on a map in the order of the file, all of them or those that the evaluation got `right` or `wrong`."""
    scores = evaluation.video_scores.filter(is_correct=outcome == "right") if outcome else evaluation.video_scores.all()
    rows = scores.values_list("video__key", "video_id", "video__path", "label_index", "predicted_index")
    known = {key: (pk, path, true, predicted) for key, pk, path, true, predicted in rows}
    at = zip(embedding.videos, embedding.maps[which]["positions"], strict=True)
    return [Place(*known[key], x, y) for key, (x, y) in at if key in known]


def neighbours(evaluation: Evaluation, embedding: Embedding, key: str) -> list[Neighbour]:
    """Nearest first. Videos that were deleted since are left out."""
    index = embedding.videos.index(key)
    found = _scored(evaluation, embedding, [embedding.videos[other] for other in embedding.neighbors[index]])
    return [
        Neighbour(found[embedding.videos[other]], distance, embedding.labels[other] == embedding.labels[index])
        for other, distance in zip(embedding.neighbors[index], embedding.distances[index], strict=True)
        if embedding.videos[other] in found
    ]


def misplaced(evaluation: Evaluation, embedding: Embedding) -> tuple[int, list[Misplaced]]:
    """How many there are, and those that lie nearest to the other class."""
    labels, first = embedding.labels, [(near[0], d[0]) for near, d in zip(embedding.neighbors, embedding.distances, strict=True) if near]
    across = sorted((d, index, other) for index, (other, d) in enumerate(first) if labels[index] != labels[other])
    shown = across[:MISPLACED_SHOWN]
    found = _scored(evaluation, embedding, [embedding.videos[index] for _distance, index, _other in shown])
    return len(across), [
        Misplaced(found[embedding.videos[index]], embedding.classes[labels[other]], distance)
        for distance, index, other in shown
        if embedding.videos[index] in found
    ]


def _scored(evaluation: Evaluation, embedding: Embedding, keys: Iterable[str]) -> dict[str, ScoredVideo]:
    scores = evaluation.video_scores.filter(video__key__in=list(keys)).select_related("video")
    return {scored.video.key: scored for scored in with_names(scores, embedding.classes)}
