"""One table for all long work. The row is the truth; the broker only wakes somebody up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ml.words import Words
from webapp.words import WordsField, WordsJSONField, as_words, said


def kinds() -> Sequence[tuple[str, Promise]]:
    """Asked for by name, so that a further kind of job changes no table and takes no migration."""
    return Job.Kind.choices


class Job(models.Model):
    """A row of work: what to do (kind, subject), where it stands, who holds it (lease), and what went wrong."""

    class Kind(models.TextChoices):
        INSPECT = "inspect", _("Inspect upload")
        INGEST = "ingest", _("Import videos")
        COMBINE = "combine", _("Combine datasets")
        FLOW = "flow", _("Extract optical flow")
        TRAIN = "train", _("Train")
        EVALUATE = "evaluate", _("Evaluate")
        FUSE = "fuse", _("Fuse streams")
        EMBED = "embed", _("Draw a map")
        PREDICT = "predict", _("Predict")
        WEIGHTS = "weights", _("Check weights")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting for another job")
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        STOPPED = "stopped", _("Stopped")
        CANCELLED = "cancelled", _("Cancelled")
        INTERRUPTED = "interrupted", _("Interrupted")

    class Queue(models.TextChoices):
        """A worker listens to one or more; what its label says is what it is for, not where a job of it runs."""

        CPU = "cpu", _("work for any machine")
        GPU = "gpu", _("heavy computing, on a GPU where the worker has one")
        PREDICT = "predict", _("short jobs")

    OPEN = (State.WAITING, State.QUEUED, State.RUNNING, State.INTERRUPTED)
    RESTARTABLE = (State.FAILED, State.STOPPED, State.CANCELLED, State.INTERRUPTED)

    kind = models.CharField(max_length=16, choices=kinds)
    title = WordsField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="jobs")
    dataset = models.ForeignKey("datasets.Dataset", null=True, blank=True, on_delete=models.CASCADE, related_name="jobs")
    subject_id = models.BigIntegerField(help_text="Id of the row this job works on; its table follows from the kind.")
    after = models.ManyToManyField("self", symmetrical=False, related_name="followers", blank=True)
    parent = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="parts",
        help_text="What this job is a part of, and comes before.",
    )

    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    queue = models.CharField(max_length=16, default=Queue.CPU.value)
    stop_requested = models.BooleanField(default=False)
    cancel_requested = models.BooleanField(default=False)

    created_at = models.DateTimeField(auto_now_add=True)
    queued_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When the broker last took a message for this job.")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    earlier_seconds = models.FloatField(default=0, help_text="How long the attempts before the current or last one ran together.")

    worker = models.CharField(max_length=100, blank=True)
    lease = models.CharField(max_length=36, blank=True, help_text="Token of the worker that holds the job.")
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=3)

    progress_done = models.BigIntegerField(default=0)
    progress_total = models.BigIntegerField(default=0)
    progress_unit = models.CharField(max_length=24, blank=True)
    progress_at_start = models.BigIntegerField(
        default=0, help_text="What earlier attempts had done, so that the ETA counts this attempt's pace."
    )
    message = WordsField(blank=True)
    device_use = models.JSONField(default=dict, blank=True)

    failure = WordsJSONField(default=dict, blank=True, help_text="code, message, advice, detail")
    acknowledged = models.BooleanField(default=False)
    result = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("state", "queue", "id"), name="job_queue"),
            models.Index(fields=("kind", "subject_id"), name="job_subject"),
        )

    def __str__(self) -> str:
        return said(self.words)

    @property
    def words(self) -> Words:
        """What it is called, for a sentence that is read in any language."""
        return Words("{kind}: {title}", kind=as_words(Job.Kind(self.kind).label), title=self.title)

    @property
    def shown_title(self) -> str:
        """What people read: in their language, but for names."""
        return said(self.title)

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def is_restartable(self) -> bool:
        return self.state in self.RESTARTABLE

    @property
    def queue_words(self) -> str:
        """What its queue is for."""
        return str(self.Queue(self.queue).label)

    @property
    def fraction(self) -> float:
        """Progress in 0…1."""
        return min(1.0, self.progress_done / self.progress_total) if self.progress_total else 0.0

    @property
    def running_seconds(self) -> float:
        """How long all attempts have run together."""
        return self.earlier_seconds + self.attempt_seconds

    @property
    def attempt_seconds(self) -> float:
        """How long the current or last attempt has run; 0 while it waits for the next one."""
        if self.started_at is None:
            return 0.0
        return ((self.finished_at or timezone.now()) - self.started_at).total_seconds()

    @property
    def waited_seconds(self) -> float:
        """How long it stood in the queue before the current or last attempt."""
        return ((self.started_at or self.finished_at or timezone.now()) - self.queued_at).total_seconds()

    @property
    def running_parts(self) -> list[Job]:
        """The parts that are at work now; asked of the database only where progress says that there are any."""
        is_behind_parts = self.state == self.State.WAITING and self.progress_total > 0
        return [part for part in self.parts.all() if part.state == self.State.RUNNING] if is_behind_parts else []

    @property
    def shown_state(self) -> State:
        """What people read: a job whose parts run is running."""
        return self.State.RUNNING if self.running_parts else self.State(self.state)

    @property
    def shard(self) -> tuple[int, int] | None:
        """Which of how many parts this is, from 1; None of a whole job."""
        if self.parent is None:
            return None
        parts = list(self.parent.parts.order_by("pk").values_list("pk", flat=True))
        return parts.index(self.pk) + 1, len(parts)

    @property
    def pace(self) -> float:
        """Units a second: of this attempt, or of all parts that run; 0 before there is a pace."""
        if self.state == self.State.WAITING:
            return sum(part.pace for part in self.running_parts)
        done = self.progress_done - self.progress_at_start
        return done / self.attempt_seconds if self.state == self.State.RUNNING and done > 0 and self.attempt_seconds > 0 else 0.0

    @property
    def eta(self) -> timedelta | None:
        """Time left at this pace; None before there is one."""
        pace = self.pace
        return timedelta(seconds=(self.progress_total - self.progress_done) / pace) if pace > 0 else None


class WorkerNode(models.Model):
    """A worker that answered the sweeper: what it listens to, and when it was last heard."""

    name = models.CharField(max_length=100, unique=True)
    queues = models.JSONField(default=list)
    info = models.JSONField(default=dict, blank=True)
    last_seen = models.DateTimeField(default=timezone.now)

    ALIVE_FOR = timedelta(seconds=60)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def is_alive(self) -> bool:
        return self.silence < self.ALIVE_FOR

    @property
    def silence(self) -> timedelta:
        """Since it was last heard."""
        return timezone.now() - self.last_seen


def lease_end(now: datetime | None = None) -> datetime:
    """When a lease renewed now runs out."""
    return (now or timezone.now()) + timedelta(seconds=settings.JOB_LEASE_SECONDS)
