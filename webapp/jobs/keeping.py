"""What stopping, cancelling and restarting a job keep of its work, in words for the buttons."""

from django.apps import apps
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webapp.jobs.links import SUBJECTS
from webapp.jobs.models import Job

GO_ON = (Job.Kind.FLOW, Job.Kind.INGEST)
"""Each video that is done stays done."""

READ_FILES = (Job.Kind.INSPECT, Job.Kind.INGEST, Job.Kind.PREDICT)
REFUSED_FILES = ("BadVideo", "BadArchive", "BadLayout")


def is_hopeless(job: Job) -> bool:
    """Whether it would only fail again: it was given files that are of no use, and a file that came does not change."""
    return job.state == Job.State.FAILED and job.kind in READ_FILES and job.failure.get("code") in REFUSED_FILES


def has_checkpoint(job: Job) -> bool:
    """Whether a training has come far enough to be gone on with."""
    if job.kind != Job.Kind.TRAIN:
        return False
    run = apps.get_model(SUBJECTS[job.kind].model)(pk=job.subject_id)
    return bool((run.folder / "checkpoint.safetensors").exists())


def restart_words(job: Job) -> str:
    """Where it begins when it is started again."""
    if has_checkpoint(job):
        return _("from the checkpoint")
    return _("what is done is kept") if job.kind in GO_ON else _("from the start")


CANCEL: dict[str, Promise] = {
    Job.Kind.INSPECT: gettext_lazy("Cancel the import"),
    Job.Kind.INGEST: gettext_lazy("Cancel the import"),
    Job.Kind.FLOW: gettext_lazy("Cancel the extraction"),
    Job.Kind.TRAIN: gettext_lazy("Cancel the run"),
    Job.Kind.EVALUATE: gettext_lazy("Cancel the test"),
    Job.Kind.FUSE: gettext_lazy("Cancel the fusion"),
    Job.Kind.PREDICT: gettext_lazy("Cancel the prediction"),
}
"""The button that says yes; one that says “Cancel” could mean the question."""


def cancel_verb(job: Job) -> str | Promise:
    return CANCEL.get(job.kind) or _("Cancel the job")


def cancel_words(job: Job) -> str:
    """What is lost when it is cancelled now."""
    if job.shown_state != Job.State.RUNNING:
        return _("It has not begun: nothing is lost.")
    if job.kind == Job.Kind.TRAIN:
        return _("It ends at once, and what was trained since the last checkpoint is lost. “Stop” saves a checkpoint first.")
    return _("What is done is kept; it can go on later.") if job.kind in GO_ON else _("It ends at once; a retry begins from the start.")
