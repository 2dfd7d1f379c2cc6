"""What a user does with a job."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from ml.words import Words
from webapp.datasets.models import Dataset
from webapp.jobs.models import Job
from webapp.jobs.services.following import recall_followers, release_followers, settle
from webapp.jobs.services.moves import JobMoved, State, anew, ended_now, move, row

QUEUE_OF = dict.fromkeys((Job.Kind.PREDICT, Job.Kind.INSPECT, Job.Kind.COMBINE, Job.Kind.WEIGHTS), "predict")
"""Short jobs that somebody waits for do not stand behind trainings."""

AUTOMATIC_ATTEMPTS = 3


def open_job(kind: str, title: str, user: User, dataset: Dataset | None = None) -> Job:
    """A row for the subject to point at; nobody runs it before `submit`. Call both in one transaction."""
    return Job.objects.create(
        kind=kind,
        title=title,
        user=user,
        dataset=dataset,
        subject_id=0,
        state=State.WAITING,
        queue=QUEUE_OF.get(Job.Kind(kind), "cpu"),
    )


@transaction.atomic
def submit(job: Job, subject_id: int, after: Iterable[Job] = (), queue: str | None = None) -> None:
    """Let the job run on its subject, once all jobs in `after` are done."""
    after = list(Job.objects.select_for_update().filter(pk__in=[earlier.pk for earlier in after]))
    job.after.set(after)
    row(job.pk).update(subject_id=subject_id, queue=queue or job.queue)
    settle(job.pk)
    job.refresh_from_db()


@transaction.atomic
def submit_in_parts(job: Job, subject_id: int, num_parts: int, total: int, unit: str, queue: str | None = None) -> None:
    """Let any number of workers do the job together: each of its parts is a job of its own on the same subject.

    The job itself runs when all parts are done, and makes sure that nothing is missing. Until then its progress is theirs together.
    """
    row(job.pk).update(progress_total=total, progress_unit=unit[:24])
    titles = [Words("{title} · {number}/{total}", title=job.title, number=number, total=num_parts) for number in range(1, num_parts + 1)]
    parts = [open_job(job.kind, title, job.user, job.dataset) for title in titles]
    Job.objects.filter(pk__in=[part.pk for part in parts]).update(parent=job)
    for part in parts:
        submit(part, subject_id, queue=queue)
    submit(job, subject_id, after=parts, queue=queue)


def request_stop(job: Job) -> None:
    """Stop and keep what was done: a running job saves and ends STOPPED, one that has not begun is STOPPED at once.

    Raises:
        JobMoved: the job has already ended.
    """
    _ask(job, State.STOPPED, "stop_requested")


def cancel(job: Job) -> None:
    """Give the job up, and all that waits for it: what has not begun is CANCELLED at once, a running job is killed.

    Raises:
        JobMoved: the job has already ended.
    """
    _ask(job, State.CANCELLED, "cancel_requested")


@transaction.atomic
def _ask(job: Job, state: State, flag: str) -> None:
    has_ended = move(row(job.pk).exclude(state=State.RUNNING), state, **ended_now())
    if not has_ended and not row(job.pk).filter(state=State.RUNNING).update(**{flag: True}):
        raise _moved(job)
    release_followers(job.pk)
    for part in Job.objects.filter(parent=job, state__in=Job.OPEN):
        with suppress(JobMoved):  # it has just ended
            _ask(part, state, flag)
    job.refresh_from_db()


@transaction.atomic
def restart(job: Job) -> None:
    """Retry or resume: the same row goes back to the queue, its unfinished parts too, and followers that failed with it wait again.

    Raises:
        JobMoved: the job is not one that can be restarted, or a part of it has not quite ended.
    """
    if Job.objects.filter(Q(stop_requested=True) | Q(cancel_requested=True), parent=job, state=State.RUNNING).exists():
        raise JobMoved(_("“%(job)s” is still being stopped.") % {"job": job}, _("Try again in a moment."))
    fields = {
        "max_attempts": F("attempts") + AUTOMATIC_ATTEMPTS,
        "failure": {},
        **anew(row(job.pk).get()),
        "stop_requested": False,
        "cancel_requested": False,
        "acknowledged": False,
    }
    if not move(row(job.pk), State.WAITING, **fields):
        raise _moved(job)
    for part in Job.objects.filter(parent=job, state__in=Job.RESTARTABLE):
        restart(part)
    recall_followers(job.pk)
    settle(job.pk)
    job.refresh_from_db()


def acknowledge(job: Job) -> None:
    """The failure was seen."""
    row(job.pk).update(acknowledged=True)


def acknowledge_all(jobs: QuerySet[Job]) -> None:
    """All failures among these were seen."""
    jobs.filter(state=State.FAILED).update(acknowledged=True)


def _moved(job: Job) -> JobMoved:
    job.refresh_from_db()
    found = {"job": job, "state": job.get_state_display()}
    return JobMoved(_("“%(job)s” is already “%(state)s”.") % found, _("Look at the job's page for what can be done now."))
