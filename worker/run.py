"""The one task: claim a job, run it, write down how it ended."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any

from django.db import transaction

from ml.errors import UserError
from ml.events import Failed
from webapp.jobs import failures, services
from webapp.jobs.models import Job
from webapp.queue import RUN_JOB
from worker.app import app
from worker.database import UNAVAILABLE, patiently
from worker.supervise import Ending
from worker.tasks import TASKS
from worker.tasks.task import Task

logger = logging.getLogger(__name__)

FORESEEN = (services.LeaseLost, *UNAVAILABLE)


@app.task(name=RUN_JOB, bind=True)
def run_job(self: Any, job_id: int) -> None:
    """Take the job if it is to be had; a message that comes twice or late finds that it is not."""
    lease = services.claim(job_id, self.request.hostname)
    if lease is None:
        logger.info("job %s is not to be had: done, running elsewhere, or withdrawn", job_id)
        return
    job = Job.objects.get(pk=job_id)
    logger.info("job %s begins, attempt %s: %s", job_id, job.attempts, job)
    try:
        with _bugs_on_the_card(job, lease):
            task = TASKS[Job.Kind(job.kind)](job)
            ending = _attempt(task, lease)
            patiently(str(job), partial(_finish, task, lease, ending))
        logger.info("job %s: %s", job_id, ending.state)
    except services.LeaseLost as error:
        logger.warning("%s", error)


def _attempt(task: Task, lease: str) -> Ending:
    try:
        return task.run(lease)
    except UserError as error:
        return Ending(Job.State.FAILED, failure=Failed(type(error).__name__, error.message, error.advice))


def _finish(task: Task, lease: str, ending: Ending) -> None:
    """Rows that came of the job and its final state, both or neither."""
    job = task.job
    if ending.handed_back:
        services.hand_back(job.pk, lease)
        return
    with transaction.atomic():
        if ending.state == Job.State.DONE:
            task.on_finished(ending.summary, ending.answer)
        services.finish(job.pk, lease, ending.state, result=_short(ending.summary), failure=ending.failure)


def _short(summary: dict[str, Any]) -> dict[str, Any]:
    """The plain values of a summary; tables and lists have rows of their own."""
    return {name: value for name, value in summary.items() if isinstance(value, (str, int, float, bool))}


@contextmanager
def _bugs_on_the_card(job: Job, lease: str) -> Iterator[None]:
    """An error nobody foresaw ends the job with the bug card, and goes on to the log.

    Not one of the database: when it answers again, the lease has run out, and the job goes on where it was.
    """

    def record(_kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None) -> bool:
        if error is not None and isinstance(error, Exception) and not isinstance(error, FORESEEN):
            detail = "".join(traceback.format_exception(error))
            services.finish(job.pk, lease, Job.State.FAILED, failure=replace(failures.BUG, detail=detail))
        return False

    with ExitStack() as stack:
        stack.push(record)
        yield
