"""Watch over one attempt: hear the ml process, keep the lease, pass on what was asked, say how it ended."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.db import DatabaseError, close_old_connections

from ml.events import DeviceUse, Event, Failed, Finished, Progress, Result, Started, Stopped, parse
from webapp.jobs import failures, services
from webapp.jobs.models import Job
from webapp.jobs.selectors import job_folder
from worker import shutdown
from worker.child import Child
from worker.database import or_later
from worker.log import JobLog
from worker.nodes import is_here

logger = logging.getLogger(__name__)

State = Job.State

BEAT_SECONDS = min(2.0, settings.JOB_LEASE_SECONDS / 5)
POLL_SECONDS = 0.5
GRACE_SECONDS = 45.0
"""How long a process may take to save after SIGTERM. Containers and the launcher wait a little longer than this."""

TRY_AGAIN = frozenset({"FolderBusy"})
"""Failures that pass: the process of an attempt that was given up has not quite ended."""


@dataclass(frozen=True)
class Ending:
    """How an attempt ended. `handed_back`: the worker shuts down, and the attempt does not count."""

    state: State
    failure: Failed | None = None
    summary: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, Any] | None = None
    handed_back: bool = False


@dataclass
class Attempt:
    """One attempt at a job, from the start of its process to its end."""

    job: Job
    lease: str
    child: Child
    on_event: Callable[[Event], None]
    limit_seconds: float = float("inf")

    last: Event | None = None
    answer: dict[str, Any] | None = None
    asked: State | None = None
    is_late: bool = False

    def __post_init__(self) -> None:
        self.log = JobLog(job_folder(self.job.pk))
        self._begun = self._renewed = time.monotonic()
        self._beaten = float("-inf")
        self._kill_at = float("inf")
        self._progress: Progress | None = None
        self._device: DeviceUse | None = None

    def watch(self) -> None:
        """Follow the process until it has said its last word or is gone.

        Raises:
            LeaseLost: the job is somebody else's now; the process was killed.
        """
        while not self._is_over():
            self._hear(POLL_SECONDS)
            now = time.monotonic()
            if now - self._beaten >= BEAT_SECONDS:
                self._beat(now)
            if now >= self._kill_at:
                self.child.kill()

    def _is_over(self) -> bool:
        if isinstance(self.last, (Finished, Failed, Stopped)) or self.child.is_silent:
            return True
        return not self.child.is_alive and not self._hear(0)

    def _hear(self, timeout: float) -> bool:
        """Take in what the process says within `timeout` seconds; whether it said anything."""
        lines = list(self.child.lines(timeout))
        for stream, line in lines:
            if stream == "stderr":
                self.log.stderr.write(line)
            else:
                self._take(line)
        return bool(lines)

    def _take(self, line: str) -> None:
        try:
            event = parse(line)
        except ValueError:
            self.log.stderr.write(line)
            return
        self.log.event(event)
        self.last = event
        match event:
            case Started(total=total, unit=unit):
                self._progress = Progress(0, total, unit) if total else None
            case Progress():
                self._progress = event
            case DeviceUse():
                self._device = event
            case Result(data=data):
                self.answer = data
        with or_later(f"job {self.job.pk}"):
            self.on_event(event)

    def _beat(self, now: float) -> None:
        """Renew the lease, write down where the job stands, and see what is asked of it."""
        self._beaten = now
        try:
            if not services.heartbeat(self.job.pk, self.lease):
                self._let_go()
            self._renewed = now
            self.write_down()
            is_here(self.job.worker)
            self.job.refresh_from_db(fields=["stop_requested", "cancel_requested"])
        except DatabaseError as error:
            logger.warning("job %s: the database does not answer: %s", self.job.pk, error)
            close_old_connections()
            if now - self._renewed > settings.JOB_LEASE_SECONDS:
                self._let_go()
        self._obey(now)

    def write_last(self) -> None:
        """Where the job stood when its process had ended."""
        with or_later(f"job {self.job.pk}"):
            self.write_down()

    def write_down(self) -> None:
        """The latest progress and device use, into the row."""
        if self._progress is not None:
            progress, self._progress = self._progress, None
            services.record_progress(self.job.pk, self.lease, progress)
        if self._device is not None:
            device, self._device = self._device, None
            services.record_device(self.job.pk, self.lease, device)

    def _let_go(self) -> None:
        self.child.kill()
        raise services.LeaseLost(f"job {self.job.pk} was taken over while {self.job.worker} ran it")

    def _obey(self, now: float) -> None:
        """Cancel and overtime kill; stop and shutdown ask first."""
        if self.job.cancel_requested or now - self._begun > self.limit_seconds:
            self.is_late = not self.job.cancel_requested
            self.asked, self._kill_at = State.CANCELLED, now
        elif self.asked is None and (self.job.stop_requested or shutdown.has_begun()):
            self.asked = State.STOPPED if self.job.stop_requested else State.INTERRUPTED
            self._kill_at = now + GRACE_SECONDS
            self.log.say("asked to save and stop")
            self.child.terminate()

    def ending(self, exit_code: int | None) -> Ending:
        """What the last event, the exit code and what was asked amount to. No exit code: the process lives on (a warm one)."""
        if isinstance(self.last, Finished):
            return Ending(State.DONE, summary=self.last.summary, answer=self.answer)
        if isinstance(self.last, Failed):
            return Ending(State.INTERRUPTED if self.last.code in TRY_AGAIN else State.FAILED, failure=self.last)
        if self.is_late:
            return Ending(State.FAILED, failure=failures.TOO_LONG)
        if self.asked in (State.STOPPED, State.CANCELLED):
            return Ending(self.asked)
        if self.asked == State.INTERRUPTED or isinstance(self.last, Stopped) or exit_code in (-signal.SIGTERM, -signal.SIGINT):
            return Ending(State.INTERRUPTED, handed_back=True)
        if exit_code == -signal.SIGKILL:
            return Ending(State.FAILED, failure=failures.KILLED)
        return Ending(State.FAILED, failure=replace(failures.CRASHED, detail=f"exit code {exit_code}\n{self.log.stderr.tail()}"))


def supervise(job: Job, lease: str, arguments: list[str], on_event: Callable[[Event], None], limit_seconds: float = float("inf")) -> Ending:
    """Run `python -m ml` with these arguments for a claimed job.

    Raises:
        LeaseLost: the job is somebody else's now.
    """
    with Child(arguments) as child:
        attempt = Attempt(job, lease, child, on_event, limit_seconds)
        attempt.log.say(f"attempt {job.attempts} on {job.worker}")
        attempt.watch()
        exit_code = child.close()
    attempt.write_last()
    return attempt.ending(exit_code)
