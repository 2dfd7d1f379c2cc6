"""Everything that changes a job. Each change of state is one conditional update; nothing else writes states.

open ─► WAITING ─► QUEUED ─► RUNNING ─► DONE | FAILED | STOPPED | CANCELLED | INTERRUPTED
                      ▲                          └───────── restart ─────────┘    │
                      └───────────────────────── the sweeper, by itself ──────────┘
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from ml.errors import UserError
from ml.events import DeviceUse, Failed, Progress
from webapp import queue as broker
from webapp.datasets.models import Dataset
from webapp.jobs import failures
from webapp.jobs.models import Job, lease_end

State = Job.State

QUEUE_OF = {Job.Kind.PREDICT: "predict", Job.Kind.INSPECT: "predict", Job.Kind.WEIGHTS: "predict"}
"""Short jobs that somebody waits for do not stand behind trainings."""

AUTOMATIC_ATTEMPTS = 3
NOT_STARTED = (State.WAITING, State.QUEUED, State.INTERRUPTED)
MOVES: dict[str, tuple[State, ...]] = {
    State.WAITING: (State.FAILED, State.STOPPED, State.CANCELLED, State.INTERRUPTED),
    State.QUEUED: (State.WAITING, State.FAILED, State.STOPPED, State.CANCELLED, State.INTERRUPTED),
    State.RUNNING: (State.QUEUED,),
    State.DONE: (State.RUNNING,),
    State.FAILED: (State.RUNNING, State.WAITING),
    State.STOPPED: (State.RUNNING, *NOT_STARTED),
    State.CANCELLED: (State.RUNNING, *NOT_STARTED),
    State.INTERRUPTED: (State.RUNNING,),
}


class JobMoved(UserError):
    """The job is no longer in the state this action needs."""


class LeaseLost(Exception):
    """Another worker may hold the job now: whoever gets this must let go of it at once."""


def _move(jobs: QuerySet[Job], state: State, **fields: Any) -> bool:
    """Take one job to `state`, if it is where that is allowed; False when it isn't (any more)."""
    return bool(jobs.filter(state__in=MOVES[state]).update(state=state, **fields))


def _row(job_id: int) -> QuerySet[Job]:
    return Job.objects.filter(pk=job_id)


def _held(job_id: int, lease: str) -> QuerySet[Job]:
    return Job.objects.filter(pk=job_id, state=State.RUNNING, lease=lease)


def _ended(now: datetime | None = None) -> dict[str, Any]:
    """The fields of a job that nobody holds any more."""
    return {"finished_at": now or timezone.now(), "lease": "", "lease_until": None}


# What a user does


def open_job(kind: str, title: str, user: User, dataset: Dataset | None = None) -> Job:
    """A row for the subject to point at; nobody runs it before `submit`. Call both in one transaction."""
    return Job.objects.create(
        kind=kind,
        title=title[:200],
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
    _row(job.pk).update(subject_id=subject_id, queue=queue or job.queue)
    _settle(job.pk)
    job.refresh_from_db()


@transaction.atomic
def submit_in_parts(job: Job, subject_id: int, num_parts: int, total: int, unit: str, queue: str | None = None) -> None:
    """Let any number of workers do the job together: each of its parts is a job of its own on the same subject.

    The job itself runs when all parts are done, and makes sure that nothing is missing. Until then its progress is theirs together.
    """
    _row(job.pk).update(progress_total=total, progress_unit=unit[:24])
    parts = [open_job(job.kind, f"{job.title} · {number}/{num_parts}", job.user, job.dataset) for number in range(1, num_parts + 1)]
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
    """Give the job up: one that has not begun is CANCELLED at once, a running one is killed.

    Raises:
        JobMoved: the job has already ended.
    """
    _ask(job, State.CANCELLED, "cancel_requested")


@transaction.atomic
def _ask(job: Job, state: State, flag: str) -> None:
    if _move(_row(job.pk).exclude(state=State.RUNNING), state, **_ended()):
        release_followers(job.pk)
    elif not _row(job.pk).filter(state=State.RUNNING).update(**{flag: True}):
        raise _moved(job)
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
        raise JobMoved(f"{job} is still being stopped", "Try again in a moment.")
    fields = {
        "max_attempts": F("attempts") + AUTOMATIC_ATTEMPTS,
        "failure": {},
        "started_at": None,
        "finished_at": None,
        "stop_requested": False,
        "cancel_requested": False,
        "acknowledged": False,
    }
    if not _move(_row(job.pk), State.WAITING, **fields):
        raise _moved(job)
    for part in Job.objects.filter(parent=job, state__in=Job.RESTARTABLE):
        restart(part)
    _recall_followers(job.pk)
    _settle(job.pk)
    job.refresh_from_db()


def acknowledge(job: Job) -> None:
    """The failure was seen."""
    _row(job.pk).update(acknowledged=True)


def _moved(job: Job) -> JobMoved:
    job.refresh_from_db()
    return JobMoved(f"{job} is already “{job.get_state_display()}”", "Look at the job's page for what can be done now.")


# Jobs that wait for others


@transaction.atomic
def _settle(job_id: int) -> None:
    """Move a waiting job on if the jobs before it allow that, or end it as one of them that is lost, once no part of it works on."""
    before = list(Job.objects.filter(followers=job_id))
    lost = next((job for job in before if failures.is_lost(job)), None)
    works_on = any(job.parent_id == job_id and job.is_open and not failures.is_lost(job) for job in before)
    if lost is not None and not works_on:
        state = State.CANCELLED if lost.state == State.CANCELLED else State.FAILED
        ended = _move(_row(job_id).filter(state=State.WAITING), state, failure=failures.dependency(lost), **_ended())
        if ended:
            release_followers(job_id)
    elif all(job.state == State.DONE for job in before):
        _queue(_row(job_id).filter(state=State.WAITING))


def _queue(jobs: QuerySet[Job]) -> None:
    """Queue one job and have a message sent when that is committed."""
    job = jobs.first()
    if job is not None and _move(jobs, State.QUEUED, queued_at=timezone.now(), sent_at=None, started_at=None, finished_at=None):
        transaction.on_commit(lambda: _send(job.pk))


def _send(job_id: int) -> None:
    job = _row(job_id).filter(state=State.QUEUED).first()
    if job is not None:
        broker.send(job)


def release_followers(job_id: int) -> None:
    """Look again at the jobs that wait for this one."""
    for follower in _row_ids(Job.objects.filter(after=job_id, state=State.WAITING, subject_id__gt=0)):
        _settle(follower)


def release_waiting() -> None:
    """Look again at every waiting job: what a crash between two commits would leave behind."""
    for job_id in _row_ids(Job.objects.filter(state=State.WAITING, subject_id__gt=0)):
        _settle(job_id)


def _recall_followers(job_id: int) -> None:
    """Followers that ended because of this job wait for it again, and theirs for them."""
    ended = Job.objects.filter(after=job_id, state__in=(State.FAILED, State.CANCELLED), failure__code=failures.DEPENDENCY)
    for follower in _row_ids(ended):
        _move(_row(follower), State.WAITING, failure={}, finished_at=None, acknowledged=False)
        _recall_followers(follower)


def _row_ids(jobs: QuerySet[Job]) -> Sequence[int]:
    return list(jobs.order_by("pk").values_list("pk", flat=True))


# What a worker does


def claim(job_id: int, worker: str) -> str | None:
    """Take a queued job; the token that proves it, or None when it is not to be had (any more)."""
    lease = str(uuid.uuid4())
    won = _move(
        _row(job_id),
        State.RUNNING,
        worker=worker[:100],
        lease=lease,
        lease_until=lease_end(),
        attempts=F("attempts") + 1,
        started_at=timezone.now(),
        finished_at=None,
        progress_at_start=F("progress_done"),
        failure={},
        message="",
        device_use={},
    )
    return lease if won else None


def heartbeat(job_id: int, lease: str) -> bool:
    """Renew the lease; False when it is lost, and then the job's process must be killed at once."""
    return bool(_held(job_id, lease).update(lease_until=lease_end()))


def record_progress(job_id: int, lease: str, progress: Progress) -> None:
    """Where the job stands. Work that begins anew takes the start of this attempt's pace with it; what was kept moves it on."""
    _held(job_id, lease).update(
        progress_done=progress.done,
        progress_total=progress.total,
        progress_unit=progress.unit[:24],
        progress_at_start=Greatest(Least(F("progress_at_start"), progress.done), progress.kept),
        message=progress.message[:300],
    )
    _gather(job_id)


def _gather(part_id: int) -> None:
    """The progress of a job that waits for its parts is theirs together."""
    parts = Job.objects.filter(parent=OuterRef("pk")).order_by().values("parent")
    together = parts.annotate(done=Sum("progress_done")).values("done")
    Job.objects.filter(parts=part_id, state=State.WAITING).update(progress_done=Subquery(together))


def record_device(job_id: int, lease: str, use: DeviceUse) -> None:
    """What the machine gives to the job."""
    _held(job_id, lease).update(
        device_use={
            "device": use.device,
            "cpu_percent": use.cpu_percent,
            "memory_bytes": use.memory_bytes,
            "gpu_percent": use.gpu_percent,
            "gpu_memory_bytes": use.gpu_memory_bytes,
        }
    )


@transaction.atomic
def finish(job_id: int, lease: str, state: State, result: dict[str, Any] | None = None, failure: Failed | None = None) -> None:
    """The end of an attempt, and what follows from it for the jobs that wait.

    Raises:
        LeaseLost: the job is not this worker's any more; nothing was written.
    """
    fields: dict[str, Any] = {"result": result} if result is not None else {}
    if failure is not None:
        fields["failure"] = failures.card(failure)
    if state == State.DONE:
        fields["progress_done"] = F("progress_total")
    if not _move(_held(job_id, lease), state, **fields, **_ended()):
        raise LeaseLost(f"job {job_id} was taken over")
    _gather(job_id)
    release_followers(job_id)


@transaction.atomic
def hand_back(job_id: int, lease: str) -> None:
    """The worker shuts down: the job was stopped with a checkpoint, and this attempt does not count.

    Raises:
        LeaseLost: the job is not this worker's any more.
    """
    _held(job_id, lease).update(max_attempts=F("max_attempts") + 1)
    finish(job_id, lease, State.INTERRUPTED, failure=failures.WORKER_SHUT_DOWN)


# What the sweeper does


def interrupt_expired(now: datetime | None = None) -> list[int]:
    """End every attempt whose worker was not heard for the length of a lease; the ids of those jobs."""
    now = now or timezone.now()
    expired = list(Job.objects.filter(state=State.RUNNING, lease_until__lt=now))
    return [job.pk for job in expired if _interrupt(job, now)]


@transaction.atomic
def _interrupt(job: Job, now: datetime) -> bool:
    state = State.CANCELLED if job.cancel_requested else State.STOPPED if job.stop_requested else State.INTERRUPTED
    failure = failures.card(failures.WORKER_LOST) if state == State.INTERRUPTED else {}
    ended = _move(_held(job.pk, job.lease).filter(lease_until__lt=now), state, failure=failure, **_ended(now))
    if ended:
        release_followers(job.pk)
    return ended


def requeue_interrupted() -> list[int]:
    """Put interrupted jobs that have attempts left back into the queue; their ids."""
    ids = _row_ids(Job.objects.filter(state=State.INTERRUPTED, attempts__lt=F("max_attempts")))
    for job_id in ids:
        with transaction.atomic():
            _queue(_row(job_id).filter(state=State.INTERRUPTED, attempts__lt=F("max_attempts")))
    return list(ids)


def send_again(queue: str, before: datetime) -> list[int]:
    """Send a message for every job of the queue that has none, or only one from before that time; their ids."""
    unsent = Job.objects.filter(Q(sent_at=None, queued_at__lt=before) | Q(sent_at__lt=before), state=State.QUEUED, queue=queue)
    return [job.pk for job in unsent.order_by("pk") if broker.send(job)]
