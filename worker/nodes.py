"""Who works: rows of workers that were heard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from webapp.jobs.models import WorkerNode

FORGOTTEN_AFTER = timedelta(days=1)


def seen(name: str, queues: Sequence[str], info: dict[str, Any]) -> None:
    """A worker answered: what it listens to, and what else it said."""
    WorkerNode.objects.update_or_create(name=name, defaults={"queues": sorted(queues), "info": info, "last_seen": timezone.now()})


def is_here(name: str) -> None:
    """A worker that is too busy to answer is alive all the same."""
    WorkerNode.objects.filter(name=name).update(last_seen=timezone.now())


def forget() -> None:
    """Drop workers that nobody has heard for a day."""
    WorkerNode.objects.filter(last_seen__lt=timezone.now() - FORGOTTEN_AFTER).delete()
