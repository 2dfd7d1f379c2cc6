"""Reading what evaluations say of videos: the rows behind every bar, cell and gallery."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, FloatField, IntegerField, OuterRef, QuerySet
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast

from webapp.datasets.models import Video
from webapp.datasets.selectors import AnyUser
from webapp.experiments.models import Evaluation, VideoScore
from webapp.experiments.selectors.access import editable_runs, visible_evaluations


@dataclass(frozen=True)
class ScoredVideo:
    """A video with its true and its predicted class by name, and the share (0…1) that each was given."""

    video: Video
    true: str
    predicted: str
    share: float
    true_share: float
    is_correct: bool


def evaluations_with_source(user: AnyUser) -> QuerySet[Evaluation]:
    """Visible evaluations with all that a page says of their source, in one query."""
    return visible_evaluations(user).select_related(
        "run__dataset", "run__split", "fusion__dataset", "fusion__split", "other_split__dataset", "job"
    )


def editable_tests(user: AnyUser) -> QuerySet[Evaluation]:
    """The evaluations of runs that the user may change, as `evaluations_with_source`."""
    return evaluations_with_source(user).filter(run__in=editable_runs(user).values("pk"))


def headline(metrics: str) -> dict[str, Any]:
    """What stands in a line of a list, drawn out of the metrics at this path: they are large, and stay in the database."""
    numbers = {"top1": FloatField(), "num_videos": IntegerField(), "num_classes": IntegerField()}
    drawn: dict[str, Any] = {name: Cast(KeyTextTransform(name, metrics), field) for name, field in numbers.items()}
    protocol = KeyTransform("protocol", metrics)
    return {**drawn, "short": KeyTextTransform("short", protocol), "described": KeyTransform("description", protocol)}


def outcome_on_same_video(evaluation_id: int, is_correct: bool) -> Exists:
    """Whether this evaluation is right (or wrong) on the video of a VideoScore."""
    return Exists(VideoScore.objects.filter(evaluation=evaluation_id, video=OuterRef("video"), is_correct=is_correct))


def relabelled_between(evaluations: Sequence[Evaluation]) -> list[str]:
    """Paths of the videos that these scored under different classes: they were relabelled between the trainings."""
    scores = (
        VideoScore.objects.filter(evaluation__in=evaluations).values("video__path").annotate(classes=Count("label_index", distinct=True))
    )
    return list(scores.filter(classes__gt=1).order_by("video__path").values_list("video__path", flat=True))


def scored_videos(
    evaluation: Evaluation,
    *,
    true: int | None = None,
    predicted: int | None = None,
    outcome: str = "",
    right: Iterable[int] = (),
    wrong: Iterable[int] = (),
) -> QuerySet[VideoScore]:
    """Scores that fit, by class, the most confident first; `right` and `wrong` are ids of other evaluations of the same videos."""
    scores = evaluation.video_scores.select_related("video")
    if true is not None:
        scores = scores.filter(label_index=true)
    if predicted is not None:
        scores = scores.filter(predicted_index=predicted)
    if outcome:
        scores = scores.filter(is_correct=outcome == "right")
    for ids, is_correct in ((right, True), (wrong, False)):
        for other in ids:
            scores = scores.filter(outcome_on_same_video(other, is_correct))
    return scores.order_by("label_index", "-top__0__1", "video_id")


def worst_mistakes(evaluation: Evaluation, limit: int = 12) -> QuerySet[VideoScore]:
    """Wrong answers given with the largest share."""
    return evaluation.video_scores.filter(is_correct=False).select_related("video").order_by("-top__0__1", "video_id")[:limit]


def with_names(scores: Iterable[VideoScore], names: Sequence[str]) -> list[ScoredVideo]:
    return [
        ScoredVideo(s.video, names[s.label_index], names[s.predicted_index], s.top[0][1], s.true_probability, s.is_correct) for s in scores
    ]
