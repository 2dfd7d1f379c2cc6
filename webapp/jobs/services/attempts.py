"""What a worker does: one attempt at a job, from the claim to its end, held by a lease."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.db.models import F, OuterRef, Subquery, Sum
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from ml.events import DeviceUse, Failed, Progress
from webapp.jobs import failures
from webapp.jobs.models import Job, lease_end
from webapp.jobs.services.following import release_followers
from webapp.jobs.services.moves import LeaseLost, State, ended_now, held, move, row


def claim(job_id: int, worker: str) -> str | None:
    """Take a queued job; the token that proves it, or None when it is not to be had (any more)."""
    lease = str(uuid.uuid4())
    won = move(
        row(job_id),
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
    return bool(held(job_id, lease).update(lease_until=lease_end()))


def record_progress(job_id: int, lease: str, progress: Progress) -> None:
    """Where the job stands. Work that begins anew takes the start of this attempt's pace with it; what was kept moves it on."""
    held(job_id, lease).update(
        progress_done=progress.done,
        progress_total=progress.total,
        progress_unit=progress.unit[:24],
        progress_at_start=Greatest(Least(F("progress_at_start"), progress.done), progress.kept),
        message=progress.message,
    )
    gather_progress(job_id)


def gather_progress(part_id: int) -> None:
    """The progress of a job that waits for its parts is theirs together."""
    parts = Job.objects.filter(parent=OuterRef("pk")).order_by().values("parent")
    together = parts.annotate(done=Sum("progress_done")).values("done")
    Job.objects.filter(parts=part_id, state=State.WAITING).update(progress_done=Subquery(together))


def record_device(job_id: int, lease: str, use: DeviceUse) -> None:
    """What the machine gives to the job."""
    held(job_id, lease).update(
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
    if not move(held(job_id, lease), state, **fields, **ended_now()):
        raise LeaseLost(f"job {job_id} was taken over")
    gather_progress(job_id)
    release_followers(job_id)


@transaction.atomic
def hand_back(job_id: int, lease: str) -> None:
    """The worker shuts down: the job was stopped with a checkpoint, and this attempt does not count.

    Raises:
        LeaseLost: the job is not this worker's any more.
    """
    held(job_id, lease).update(max_attempts=F("max_attempts") + 1)
    finish(job_id, lease, State.INTERRUPTED, failure=failures.WORKER_SHUT_DOWN)
