"""Failure cards that the site and the worker write; those of the engine come in its `Failed` events (`ml/failure.py`)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop as _

from ml.events import Failed
from ml.words import Words
from webapp.jobs.models import Job

DEPENDENCY = "Dependency"
DETAIL_LIMIT = 20_000

KILLED = Failed(
    "Killed",
    _("The system killed the process, most likely because memory ran out."),
    _("Close other programs or choose a smaller batch and fewer loader processes, then retry."),
)
CRASHED = Failed(
    "Crashed", _("The process ended without a word."), _("Retry; if it happens again, send us the log at the bottom of this page.")
)
BUG = Failed("Bug", _("This is our mistake: the program met something it was not made for."), _("Please report it with the details below."))
WORKER_LOST = Failed(
    "Interrupted",
    _("The worker that ran this job was not heard any more."),
    _("It goes on by itself when attempts are left; otherwise retry."),
)
WORKER_SHUT_DOWN = Failed(
    "Interrupted", _("The worker was shut down. What was done is saved."), _("The job goes on by itself when a worker is back.")
)
TOO_LONG = Failed("Timeout", _("The job took longer than it may."), _("Try a shorter video, or a model with fewer views."))

HEADLINES = {
    "BadVideo": _("A file is no usable video"),
    "BadArchive": _("An archive is damaged or not safe to open"),
    "BadLayout": _("No dataset can be recognised in the files"),
    "BadPack": _("A stored file of frames or flow is damaged"),
    "BadConfig": _("A setting does not fit"),
    "BadCheckpoint": _("A checkpoint is damaged or of another model"),
    "BadScores": _("Score files are damaged or do not fit each other"),
    "UnlikeScores": _("These tests do not fit each other"),
    "MissingFlow": _("Optical flow is missing"),
    "MissingWeights": _("Pretrained weights are missing"),
    "NotANumber": _("The loss became NaN or infinite"),
    "FolderBusy": _("Another process works in the same folder"),
    "OutOfMemory": _("Memory ran out"),
    "DiskFull": _("The disk is full"),
    "BadPath": _("A path can not be read or written"),
}
"""What kind of failure it is, by code; the engine's own message then says which file or number."""


def card(failure: Failed) -> dict[str, Any]:
    """What is stored in the job's row."""
    return {
        "code": failure.code,
        "message": failure.message,
        "advice": failure.advice,
        "detail": failure.detail[-DETAIL_LIMIT:],
    }


def dependency(lost: Job) -> dict[str, Any]:
    """The card of a job whose predecessor is lost."""
    return {
        "code": DEPENDENCY,
        "message": Words(_("A job that this one needs did not succeed: {job}"), job=lost.words),
        "advice": _("Retry that job; this one then follows by itself."),
        "detail": "",
        "job": lost.pk,
    }


def is_lost(job: Job) -> bool:
    """Whether nothing will come of the job unless somebody restarts it."""
    if job.state == Job.State.INTERRUPTED:
        return job.attempts >= job.max_attempts
    if job.state == Job.State.RUNNING:
        return job.cancel_requested
    return job.state in (Job.State.FAILED, Job.State.CANCELLED)
