"""The only door to the worker: a task's name and a job's id go out; nothing of the worker is imported."""

import logging
from functools import cache

from celery import Celery
from django.conf import settings
from django.utils import timezone
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from webapp.jobs.models import Job

logger = logging.getLogger(__name__)

RUN_JOB = "worker.run_job"
QUEUES = tuple(Job.Queue.values)
CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 2.0

sender = Celery("kinetoscope-sender", broker=settings.REDIS_URL, set_as_current=False)
sender.conf.update(
    broker_transport_options={"socket_connect_timeout": CONNECT_SECONDS, "socket_timeout": ANSWER_SECONDS, "max_retries": 0},
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
)


def send(job: Job) -> bool:
    """Wake a worker up for a queued job; False when the broker is away, and the sweeper sends it later."""
    try:
        sender.send_task(RUN_JOB, args=[job.pk], queue=job.queue, retry=False, ignore_result=True)
    except OperationalError as error:
        logger.warning("the broker does not answer, job %s stays in the table until it does: %s", job.pk, error)
        return False
    Job.objects.filter(pk=job.pk).update(sent_at=timezone.now())
    return True


def broker_is_up() -> bool:
    """Whether the broker answers, asked with a short timeout."""
    try:
        return bool(_client().ping())
    except RedisError:
        return False


def lengths() -> dict[str, int] | None:
    """Messages that wait in each queue; None when the broker is away."""
    client = _client()
    try:
        return {name: int(client.llen(name)) for name in QUEUES}
    except RedisError:
        return None


@cache
def _client() -> Redis:
    return Redis.from_url(settings.REDIS_URL, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=ANSWER_SECONDS)
