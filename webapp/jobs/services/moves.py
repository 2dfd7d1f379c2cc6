"""From which state a job may go to which, and the one conditional update that does it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from ml.errors import UserError
from webapp.jobs.models import Job

State = Job.State

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


def move(jobs: QuerySet[Job], state: State, **fields: Any) -> bool:
    """Take one job to `state`, if it is where that is allowed; False when it isn't (any more)."""
    return bool(jobs.filter(state__in=MOVES[state]).update(state=state, **fields))


def row(job_id: int) -> QuerySet[Job]:
    """The job, whatever its state."""
    return Job.objects.filter(pk=job_id)


def held(job_id: int, lease: str) -> QuerySet[Job]:
    """The job, while this lease holds it."""
    return Job.objects.filter(pk=job_id, state=State.RUNNING, lease=lease)


def ended_now(now: datetime | None = None) -> dict[str, Any]:
    """The fields of a job that nobody holds any more."""
    return {"finished_at": now or timezone.now(), "lease": "", "lease_until": None}


def anew(job: Job) -> dict[str, Any]:
    """The fields of a job whose next attempt is to come: the time of the last one goes to that of all before it."""
    return {"started_at": None, "finished_at": None, "earlier_seconds": F("earlier_seconds") + job.attempt_seconds}


def ids_of(jobs: QuerySet[Job]) -> Sequence[int]:
    """Their ids now, oldest first: each is then looked at in an update of its own."""
    return list(jobs.order_by("pk").values_list("pk", flat=True))
