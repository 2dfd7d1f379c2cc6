"""What runs: broker, workers, web server, in the order they start."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from django.conf import settings

from webapp.launcher.broker import Broker
from webapp.launcher.service import Service

JOBS_AT_ONCE = 2
"""Both streams train side by side."""

SAVING_SECONDS = 60.0
"""For workers: a little more than their jobs have for saving a checkpoint."""


def services(broker: Broker | None, host: str, port: int) -> list[Service]:
    """Everything, not started yet. Without a broker of our own, `REDIS_URL` names another one."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "webapp.settings", "KINETOSCOPE_DATA": str(settings.DATA_DIR)}
    if broker is not None:
        environment["REDIS_URL"] = broker.url
    celery = [sys.executable, "-m", "celery", "-A", "worker.app", "worker", "--loglevel", "INFO", "--without-mingle", "--without-gossip"]
    gunicorn = [sys.executable, "-m", "gunicorn", "webapp.wsgi:application", "--config", "python:webapp.launcher.web"]
    base = Path(settings.BASE_DIR)
    jobs = [*celery, "--hostname", "jobs@%h", "-Q", "cpu,gpu", "-c", str(JOBS_AT_ONCE)]
    predict = [*celery, "--hostname", "predict@%h", "-Q", "predict,sweep", "-P", "solo", "-B"]
    web = [*gunicorn, "--bind", f"{host}:{port}", "--workers", "2", "--threads", "4", "--timeout", "120", "--graceful-timeout", "5"]
    found = [
        _service("worker", jobs, environment, base, SAVING_SECONDS),
        _service("predict", predict, environment, base, SAVING_SECONDS),
        _service("web", web, environment, base, 10.0),
    ]
    return found if broker is None else [_service("broker", broker.command(), environment, broker.folder, 10.0), *found]


def _service(name: str, command: list[str], environment: dict[str, str], folder: Path, grace_seconds: float) -> Service:
    logs = Path(settings.DATA_DIR) / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    return Service(name, command, environment, folder, logs / f"{name}.log", grace_seconds)
