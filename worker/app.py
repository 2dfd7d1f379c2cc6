"""The Celery application: JSON only, early acknowledgement, one message ahead, a sweep on beat.

celery -A worker.app worker -Q cpu,gpu -c 1
celery -A worker.app worker -Q predict,sweep -P solo -B
"""

import logging
import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")  # they would import every page; the web process makes them
django.setup()  # before anything that imports a model

from celery import Celery  # noqa: E402
from celery.signals import (  # noqa: E402
    beat_embedded_init,
    heartbeat_sent,
    setup_logging,
    worker_init,
    worker_process_init,
    worker_ready,
    worker_shutting_down,
)
from django.conf import settings  # noqa: E402
from kombu import Exchange, Queue  # noqa: E402

from ml.process import die_with_parent  # noqa: E402
from webapp.queue import QUEUES  # noqa: E402
from worker import nodes, shutdown  # noqa: E402

SWEEP_SECONDS = settings.JOB_LEASE_SECONDS / 3

app = Celery("worker", broker=settings.REDIS_URL, include=["worker.run", "worker.sweep"])
app.conf.update(
    accept_content=["json"],
    task_serializer="json",
    task_ignore_result=True,
    task_acks_late=False,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    task_queues=[Queue(name, Exchange(name), routing_key=name) for name in (*QUEUES, "sweep")],
    task_default_queue="cpu",
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={"socket_connect_timeout": 2, "socket_keepalive": True},
    beat_scheduler="celery.beat.Scheduler",
    beat_schedule={
        "sweep": {"task": "worker.sweep", "schedule": SWEEP_SECONDS, "options": {"queue": "sweep", "expires": SWEEP_SECONDS}},
    },
)

worker_shutting_down.connect(shutdown.announce)
worker_ready.connect(nodes.remember)
heartbeat_sent.connect(nodes.report)


@worker_init.connect
def share_cores(sender: Any, **_signal: object) -> None:
    """Threads for each of the jobs that run at once: more of them than cores, and they wait for each other, spinning."""
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, len(os.sched_getaffinity(0)) // int(sender.concurrency or 1))))


@worker_process_init.connect
@beat_embedded_init.connect
def follow_parent(**_signal: object) -> None:
    """A child goes with its worker, even one that was killed; its ml process goes with the child."""
    die_with_parent()


@setup_logging.connect
def configure_logging(**_signal: object) -> None:
    """Django's logging stays as it is; a line for every sweep would drown the rest."""
    for name in ("celery.app.trace", "celery.worker.strategy", "celery.beat"):
        logging.getLogger(name).setLevel(logging.WARNING)
