"""Every few seconds: what was lost is found again, and who works is written down."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from webapp import queue as broker
from webapp.jobs import services
from webapp.jobs.models import Job
from worker import nodes, shutdown
from worker.app import app

logger = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=settings.JOB_LEASE_SECONDS)
ANSWER_SECONDS = 1.0


@app.task(name="worker.sweep", bind=True)
def sweep(self: Any) -> None:
    """Reconcile the table with the workers and the broker."""
    reconcile()
    ask_workers(self.request.hostname)


def reconcile() -> None:
    """Interrupted jobs go on, waiting ones that may go go, and messages that got lost are sent again."""
    for job_id in services.interrupt_expired():
        logger.warning("job %s: its worker was not heard any more", job_id)
    services.release_waiting()
    if not shutdown.has_begun():
        for job_id in services.requeue_interrupted():
            logger.info("job %s goes on", job_id)
    _find_lost_messages()


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


def ask_workers(own_name: str) -> None:
    """Who answers is alive. This worker cannot answer while it asks, so it speaks for itself."""
    nodes.seen(own_name, [queue.name for queue in app.amqp.queues.consume_from.values()], {"processes": 1})
    inspect = app.control.inspect(timeout=ANSWER_SECONDS)
    stats: dict[str, Any] = inspect.stats() or {}
    for name, queues in ((inspect.active_queues() or {}) if stats else {}).items():
        pool = stats.get(name, {}).get("pool", {})
        nodes.seen(name, [queue["name"] for queue in queues], {"processes": len(pool.get("processes", []))})
    nodes.forget()
