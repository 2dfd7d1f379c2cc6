"""Jobs that wait for others, and the message that wakes a worker when one need not wait any more."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from webapp import queue as broker
from webapp.jobs import failures
from webapp.jobs.models import Job
from webapp.jobs.services.moves import State, anew, ended_now, ids_of, move, row


@transaction.atomic
def settle(job_id: int) -> None:
    """Move a waiting job on if the jobs before it allow that, or end it as one of them that is lost, once no part of it works on."""
    before = list(Job.objects.filter(followers=job_id))
    lost = next((job for job in before if failures.is_lost(job)), None)
    works_on = any(job.parent_id == job_id and job.is_open and not failures.is_lost(job) for job in before)
    if lost is not None and not works_on:
        state = State.CANCELLED if lost.state == State.CANCELLED or lost.cancel_requested else State.FAILED
        ended = move(row(job_id).filter(state=State.WAITING), state, failure=failures.dependency(lost), **ended_now())
        if ended:
            release_followers(job_id)
    elif all(job.state == State.DONE for job in before):
        enqueue(row(job_id).filter(state=State.WAITING))


def enqueue(jobs: QuerySet[Job]) -> None:
    """Queue one job and have a message sent when that is committed."""
    job = jobs.first()
    if job is not None and move(jobs, State.QUEUED, queued_at=timezone.now(), sent_at=None, **anew(job)):
        transaction.on_commit(lambda: _send(job.pk))


def _send(job_id: int) -> None:
    job = row(job_id).filter(state=State.QUEUED).first()
    if job is not None:
        broker.send(job)


def release_followers(job_id: int) -> None:
    """Look again at the jobs that wait for this one."""
    for follower in ids_of(Job.objects.filter(after=job_id, state=State.WAITING, subject_id__gt=0)):
        settle(follower)


def recall_followers(job_id: int) -> None:
    """Followers that ended because of this job wait for it again, and theirs for them."""
    ended = Job.objects.filter(after=job_id, state__in=(State.FAILED, State.CANCELLED), failure__code=failures.DEPENDENCY)
    for follower in ids_of(ended):
        move(row(follower), State.WAITING, failure={}, finished_at=None, acknowledged=False)
        recall_followers(follower)
