"""What a job works on, as an address: the next step from a job's page."""

from typing import Any, NamedTuple

from django.apps import apps
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from webapp.jobs.models import Job


class Subject(NamedTuple):
    """The table of a kind's subjects, the page of one of them, and what the link to it says."""

    model: str
    url_name: str
    words: Promise


SUBJECTS: dict[str, Subject] = {
    Job.Kind.INSPECT: Subject("datasets.Import", "datasets:import_detail", _("Open the import")),
    Job.Kind.INGEST: Subject("datasets.Import", "datasets:import_detail", _("Open the import")),
    Job.Kind.COMBINE: Subject("datasets.Dataset", "datasets:dataset_detail", _("Open the dataset")),
    Job.Kind.TRAIN: Subject("experiments.Run", "experiments:run_detail", _("Open the run")),
    Job.Kind.EVALUATE: Subject("experiments.Evaluation", "experiments:evaluation_detail", _("Open the results")),
    Job.Kind.FUSE: Subject("experiments.Evaluation", "experiments:evaluation_detail", _("Open the results")),
    Job.Kind.EMBED: Subject("experiments.Evaluation", "experiments:embedding", _("Open the map")),
    Job.Kind.PREDICT: Subject("predictions.Prediction", "predictions:prediction_detail", _("Open the prediction")),
}


def subject_link(job: Job) -> dict[str, Any] | None:
    """`url` and `words` of the page to go on to; None where the subject has no page, or is gone."""
    subject = SUBJECTS.get(job.kind)
    if subject is None or not apps.get_model(subject.model)._default_manager.filter(pk=job.subject_id).exists():
        return None
    return {"url": reverse(subject.url_name, args=(job.subject_id,)), "words": subject.words}
