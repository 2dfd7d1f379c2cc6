"""Reading predictions: they are their owner's alone (and a superuser's)."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from webapp.datasets.models import Import
from webapp.datasets.selectors import AnyUser
from webapp.experiments.heads import Head
from webapp.experiments.models import Fusion, Run
from webapp.experiments.selectors.access import visible_fusions, visible_heads, visible_runs
from webapp.experiments.selectors.folding import parted
from webapp.jobs.models import Job
from webapp.predictions.models import Prediction
from webapp.words import translated

Ranking = list[tuple[str, float]]
"""Class names with their shares (0…1), the largest first."""


@dataclass(frozen=True)
class Answer:
    """`Prediction.result`, typed. `streams`: name, modality and ranking of each; `seconds` in all."""

    top: Ranking
    streams: list[tuple[str, str, Ranking]]
    protocol: str
    video: dict[str, Any]
    seconds: float | None

    @classmethod
    def of(cls, result: dict[str, Any]) -> "Answer | None":
        """None before there is a result."""
        if not result:
            return None
        streams = [(stream["name"], stream["modality"], _ranking(stream["top"])) for stream in result.get("streams", [])]
        return cls(
            _ranking(result["top"]),
            streams,
            translated(result.get("protocol", "")),
            result.get("video", {}),
            result.get("seconds", {}).get("total"),
        )


def _ranking(top: list[list[Any]]) -> Ranking:
    return [(str(name), float(share)) for name, share in top]


def visible_predictions(user: AnyUser) -> QuerySet[Prediction]:
    rule = Q() if getattr(user, "is_superuser", False) else Q(user_id=user.pk)
    related = ("upload", "run__dataset", "fusion__dataset", "other_split__dataset", "job", "confirmed_label", "sent_as")
    return Prediction.objects.filter(rule).select_related(*related).order_by("-id")


def own_predictions(user: AnyUser) -> QuerySet[Prediction]:
    """What the user asked for, newest first: for lists and downloads, which do not show a superuser everybody's."""
    return visible_predictions(user).filter(user=user.pk)


def model_groups(user: AnyUser) -> list[tuple[str, list[Head]]]:
    """Who can predict, under their titles: fusions and runs that stand alone, then all that studies launched.

    A run stands there once for every dataset that it learnt and the user sees.
    """
    (fusions, fusions_of_studies), (runs, runs_of_studies) = parted(predicting_fusions(user)), parted(predicting_runs(user))
    return [
        (_("Fusions"), [*map(Head, fusions)]),
        (_("Runs"), visible_heads(user, runs)),
        (_("In studies"), [*map(Head, fusions_of_studies), *visible_heads(user, runs_of_studies)]),
    ]


def predicting_runs(user: AnyUser) -> QuerySet[Run]:
    """Runs whose training is finished."""
    return visible_runs(user).filter(job__state=Job.State.DONE, is_archived=False)


def predicting_fusions(user: AnyUser) -> QuerySet[Fusion]:
    """Fusions that have been computed, and so know how to weigh their streams."""
    return visible_fusions(user).filter(evaluation__job__state=Job.State.DONE)


def sending_job(prediction: Prediction) -> Job | None:
    """The job that takes the video into the dataset it was sent to; a failed or cancelled one does not count."""
    imports = Import.objects.filter(uploads=prediction.upload_id, dataset_id=prediction.dataset.pk)
    jobs = Job.objects.filter(kind=Job.Kind.INGEST, subject_id__in=imports.values("pk"))
    return jobs.exclude(state__in=(Job.State.FAILED, Job.State.CANCELLED)).first()
