"""What of the jobs may be seen, and by whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone

from webapp import queue as broker
from webapp.datasets.models import Membership
from webapp.datasets.selectors import visible_datasets
from webapp.jobs.models import Job, WorkerNode
from webapp.jobs.waiting import AHEAD

AnyUser = AbstractBaseUser | AnonymousUser
TAIL_BYTES = 64 * 1024


def visible_jobs(user: AnyUser) -> QuerySet[Job]:
    """A user's own jobs and those of datasets the user may see; all of them for a superuser."""
    jobs = Job.objects.select_related("user", "dataset").prefetch_related("parts", AHEAD)
    if getattr(user, "is_superuser", False):
        return jobs
    return jobs.filter(Q(user_id=user.pk) | Q(dataset__in=visible_datasets(user)))


def listed_jobs(user: AnyUser, state: str = "", kind: str = "") -> QuerySet[Job]:
    """The visible jobs that are no part of another; of one shown state, of one kind."""
    runs = Exists(Job.objects.filter(parent=OuterRef("pk"), state=Job.State.RUNNING))
    is_behind_parts = Q(state=Job.State.WAITING, progress_total__gt=0)
    shown = Case(When(is_behind_parts & runs, then=Value(Job.State.RUNNING)), default=F("state"))  # `Job.shown_state`
    chosen = {name: value for name, value in {"shown": state, "kind": kind}.items() if value}
    return visible_jobs(user).alias(shown=shown).filter(parent=None, **chosen)


def changeable_jobs(user: AnyUser) -> QuerySet[Job]:
    """Jobs the user may stop, cancel and restart: their own, and those of datasets they own or may change."""
    jobs = Job.objects.select_related("user", "dataset")
    if getattr(user, "is_superuser", False):
        return jobs
    edited = Membership.objects.filter(Q(user_id=user.pk), role=Membership.Role.EDITOR).values("dataset")
    return jobs.filter(Q(user_id=user.pk) | Q(dataset__owner_id=user.pk) | Q(dataset__in=edited))


def unseen_failures(user: AnyUser) -> QuerySet[Job]:
    """Failed jobs that somebody who may do something about them has not yet seen."""
    return changeable_jobs(user).filter(parent=None, state=Job.State.FAILED, acknowledged=False)


def queue_positions() -> dict[int, int]:
    """Id of each queued job → its place in its queue, from 1."""
    ahead: defaultdict[str, int] = defaultdict(int)
    places: dict[int, int] = {}
    for job_id, queue in Job.objects.filter(state=Job.State.QUEUED).order_by("queued_at", "id").values_list("id", "queue"):
        ahead[queue] += 1
        places[job_id] = ahead[queue]
    return places


@dataclass(frozen=True)
class JobRow:
    """A line of the job list."""

    job: Job
    position: int | None
    may_change: bool


def job_rows(jobs: Iterable[Job], user: AnyUser) -> list[JobRow]:
    """Jobs with their place in the queue, and whether this user may change them."""
    jobs = list(jobs)
    places = queue_positions()
    changeable = set(changeable_jobs(user).filter(pk__in=[job.pk for job in jobs]).values_list("pk", flat=True))
    return [JobRow(job, places.get(job.pk), job.pk in changeable) for job in jobs]


def job_folder(job_id: int) -> Path:
    """Where a job's log lies."""
    return Path(settings.DATA_DIR) / "jobs" / str(int(job_id))


def log_tail(job: Job, name: str = "log.txt", lines: int = 200) -> str:
    """The last lines of a job's log; empty when there is none yet."""
    path = job_folder(job.pk) / name
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        text = file.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:])


@dataclass(frozen=True)
class QueueState:
    """A queue as the System page shows it. `messages` is None while the broker is away."""

    name: Job.Queue
    has_worker: bool
    queued: int
    running: int
    messages: int | None


def queue_states() -> list[QueueState]:
    """Every queue with its rows and messages, and whether a worker listens."""
    lengths = broker.lengths() or {}
    heard = {queue for node in WorkerNode.objects.all() if node.is_alive for queue in node.queues}
    rows = list(Job.objects.filter(state__in=(Job.State.QUEUED, Job.State.RUNNING)).values_list("queue", "state"))
    return [
        QueueState(name, name in heard, rows.count((name, Job.State.QUEUED)), rows.count((name, Job.State.RUNNING)), lengths.get(name))
        for name in Job.Queue
    ]


def has_gpu_worker() -> bool:
    """Whether a worker that takes jobs for a GPU was heard within the last minute."""
    return any("gpu" in node.queues for node in WorkerNode.objects.all() if node.is_alive)


def gpu_was_heard() -> bool:
    """Whether such a worker's machine has a GPU."""
    return any("gpu" in node.queues and node.info.get("gpus", 0) > 0 for node in WorkerNode.objects.all() if node.is_alive)


def worker_was_heard() -> bool:
    """Whether any worker answered within the last minute."""
    return WorkerNode.objects.filter(last_seen__gt=timezone.now() - WorkerNode.ALIVE_FOR).exists()
