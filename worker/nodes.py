"""Who works: each worker writes its own row, as often as it tells the broker that it lives."""

from __future__ import annotations

import logging
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections
from django.utils import timezone

from webapp.jobs.models import WorkerNode

logger = logging.getLogger(__name__)

FORGOTTEN_AFTER = timedelta(days=1)
WRITE_SECONDS = settings.JOB_LEASE_SECONDS / 3

_facts: dict[str, Any] = {}


def remember(sender: Any, **_signal: object) -> None:
    """The worker is ready: its name, what it listens to, how many jobs it does at once, how many NVIDIA GPUs its machine has."""
    queues = sorted(queue.name for queue in sender.app.amqp.queues.consume_from.values())
    _facts.update(name=sender.hostname, queues=queues, info={"processes": sender.pool.limit or 1, "gpus": num_gpus()}, due=0.0)
    report()


def num_gpus(devices: Path = Path("/dev")) -> int:
    """NVIDIA GPUs that this machine shows to its processes, told without torch."""
    return sum(1 for _ in devices.glob("nvidia[0-9]*"))


def report(**_signal: object) -> None:
    """Write the row, unless that was just done."""
    if not _facts or time.monotonic() < _facts["due"]:
        return
    _facts["due"] = time.monotonic() + WRITE_SECONDS
    defaults = {"queues": _facts["queues"], "info": _facts["info"], "last_seen": timezone.now()}
    try:
        WorkerNode.objects.update_or_create(name=_facts["name"], defaults=defaults)
    except DatabaseError as error:
        logger.warning("the database does not take this worker's sign of life: %s", error)
    finally:
        connections.close_all()  # children that are forked later must not inherit one


def is_here(name: str) -> None:
    """A worker that is too busy to say so lives all the same."""
    WorkerNode.objects.filter(name=name).update(last_seen=timezone.now())


def cores_each(worker: str, queue: str) -> int:
    """This worker's cores for each job, should every worker of its machine that takes jobs from the queue be busy."""
    machine = worker.partition("@")[2]
    neighbours = (node for node in WorkerNode.objects.filter(name__endswith=f"@{machine}") if node.is_alive and queue in node.queues)
    jobs_at_once: int = sum(node.info["processes"] for node in neighbours)
    return max(1, len(os.sched_getaffinity(0)) // max(1, jobs_at_once))


def forget() -> None:
    """Drop workers that nobody has heard for a day."""
    WorkerNode.objects.filter(last_seen__lt=timezone.now() - FORGOTTEN_AFTER).delete()
