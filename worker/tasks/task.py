"""What a kind of job has to say for itself; everything else is the same for all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from ml.events import Event
from webapp.jobs.models import Job
from webapp.jobs.selectors import job_folder
from worker.supervise import Ending, supervise


class Task(ABC):
    """One attempt at one job. Every method may be called again for the next attempt and must then lead to the same rows."""

    limit_seconds = float("inf")

    def __init__(self, job: Job) -> None:
        self.job = job

    @abstractmethod
    def command(self) -> list[str]:
        """The arguments after `python -m ml`, once the files they name are written.

        Raises:
            UserError: the job cannot be done as it stands.
        """

    def on_event(self, event: Event) -> None:  # noqa: B027 - many kinds have nothing to record
        """Record what should be seen while the job runs.

        Where the database does not answer, nothing is lost by that if a later event, or the end, writes it too.
        """

    def on_finished(self, summary: dict[str, Any], answer: dict[str, Any] | None) -> None:  # noqa: B027
        """Write the rows that came of it; in one transaction with the job's end."""

    def run(self, lease: str) -> Ending:
        """Do it.

        Raises:
            LeaseLost: the job is somebody else's now.
            UserError: the job cannot be done as it stands.
        """
        return supervise(self.job, lease, self.command(), self.on_event, self.limit_seconds)

    @property
    def folder(self) -> Path:
        """The job's own folder, for its input files and its log."""
        return job_folder(self.job.pk)
