"""Every few seconds: what was lost is found again."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from webapp import queue as broker
from webapp.jobs import services
from webapp.jobs.models import Job
from worker import nodes, shutdown
from worker.app import app

logger = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=settings.JOB_LEASE_SECONDS)


@app.task(name="worker.sweep")
def sweep() -> None:
    """Interrupted jobs go on, waiting ones that may go go, and messages that got lost are sent again."""
    for job_id in services.interrupt_expired():
        logger.warning("job %s: its worker was not heard any more", job_id)
    services.release_waiting()
    if not shutdown.has_begun():
        for job_id in services.requeue_interrupted():
            logger.info("job %s goes on", job_id)
    _find_lost_messages()
    nodes.forget()


def _find_lost_messages() -> None:
    """A queue with fewer messages than queued rows has lost some. Twice is harmless: only one claim succeeds."""
    lengths = broker.lengths()
    if lengths is None:
        return
    before = timezone.now() - PATIENCE
    for queue, messages in lengths.items():
        if messages < Job.objects.filter(state=Job.State.QUEUED, queue=queue).count():
            for job_id in services.send_again(queue, before):
                logger.info("job %s: its message was sent again", job_id)
