"""What the sweeper does: find what a crash, a lost message or a dead worker left behind, and set it going again."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from webapp import queue as broker
from webapp.jobs import failures
from webapp.jobs.models import Job
from webapp.jobs.services.following import enqueue, release_followers, settle
from webapp.jobs.services.moves import State, ended_now, held, ids_of, move, row


def interrupt_expired(now: datetime | None = None) -> list[int]:
    """End every attempt whose worker was not heard for the length of a lease; the ids of those jobs."""
    now = now or timezone.now()
    expired = list(Job.objects.filter(state=State.RUNNING, lease_until__lt=now))
    return [job.pk for job in expired if _interrupt(job, now)]


@transaction.atomic
def _interrupt(job: Job, now: datetime) -> bool:
    state = State.CANCELLED if job.cancel_requested else State.STOPPED if job.stop_requested else State.INTERRUPTED
    failure = failures.card(failures.WORKER_LOST) if state == State.INTERRUPTED else {}
    ended = move(held(job.pk, job.lease).filter(lease_until__lt=now), state, failure=failure, **ended_now(now))
    if ended:
        release_followers(job.pk)
    return ended


def requeue_interrupted() -> list[int]:
    """Put interrupted jobs that have attempts left back into the queue; their ids."""
    ids = ids_of(Job.objects.filter(state=State.INTERRUPTED, attempts__lt=F("max_attempts")))
    for job_id in ids:
        with transaction.atomic():
            enqueue(row(job_id).filter(state=State.INTERRUPTED, attempts__lt=F("max_attempts")))
    return list(ids)


def send_again(queue: str, before: datetime) -> list[int]:
    """Send a message for every job of the queue that has none, or only one from before that time; their ids."""
    unsent = Job.objects.filter(Q(sent_at=None, queued_at__lt=before) | Q(sent_at__lt=before), state=State.QUEUED, queue=queue)
    return [job.pk for job in unsent.order_by("pk") if broker.send(job)]


def release_waiting() -> None:
    """Look again at every waiting job: what a crash between two commits would leave behind."""
    for job_id in ids_of(Job.objects.filter(state=State.WAITING, subject_id__gt=0)):
        settle(job_id)
