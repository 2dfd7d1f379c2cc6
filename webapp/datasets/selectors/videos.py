"""What the page of one video shows beside its row."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.datasets.models import Video
from webapp.datasets.selectors import AnyUser
from webapp.datasets.selectors.flow import FlowRow
from webapp.experiments.models import VideoScore
from webapp.experiments.selectors.access import visible_evaluations


def flow_choices(video: Video) -> list[FlowRow]:
    """The dataset's flow caches that have a preview of this video."""
    if not video.media:
        return []
    caches = video.dataset.flow_caches.select_related("dataset")
    return [FlowRow(cache) for cache in caches if cache.preview(video.media).is_file()]


@dataclass(frozen=True)
class ScoreRow:
    """What one evaluation says of the video. `scored_as`: the class it had then, where that is another one now; else empty."""

    score: VideoScore
    predicted: str
    share: float
    scored_as: str = ""


def score_rows(user: AnyUser, video: Video) -> list[ScoreRow]:
    """Newest evaluation first. The share is that of the predicted class."""
    names = dict(video.dataset.labels.values_list("index", "name"))
    scores = VideoScore.objects.filter(video=video, evaluation__in=visible_evaluations(user).values("pk"))
    scores = scores.select_related("evaluation__run", "evaluation__fusion").order_by("-evaluation_id")
    return [_score_row(score, names, video.label.index if video.label else None) for score in scores]


def _score_row(score: VideoScore, names: dict[int, str], index_now: int | None) -> ScoreRow:
    scored_as = "" if score.label_index == index_now else names.get(score.label_index, "?")
    return ScoreRow(score, names.get(score.predicted_index, "?"), score.top[0][1] if score.top else 0.0, scored_as)
