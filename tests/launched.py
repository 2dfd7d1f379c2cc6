"""The whole product as a user starts it: `manage.py launch`, with everything that belongs to it."""

import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from tests.places import own_port
from tests.processes import Server

MARKS = {"web": "gunicorn", "worker": "jobs@%h", "predict": "predict@%h", "broker": "valkey"}
"""What tells a service's process from the others, on its command line."""

OURS = ("REDIS_URL", "DATABASE_URL", "OMP_NUM_THREADS")
"""Variables that stand in the environment of the tests, but not in that of somebody who types `make run`."""


class Launched(Server):
    """`manage.py launch` on a data folder and a port of its own."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.data, self.url = folder / "data", f"http://127.0.0.1:{own_port()}"
        command = [sys.executable, "manage.py", "launch", "--port", self.url.rpartition(":")[2]]
        own = {"KINETOSCOPE_DATA": str(self.data), "DJANGO_SETTINGS_MODULE": "webapp.settings", **environment}
        super().__init__("launch", command, folder, **own)
        self.environment = {name: value for name, value in self.environment.items() if name not in OURS}

    def service(self, name: str) -> psutil.Process | None:
        """The process of a service, while there is one."""
        assert self.process is not None
        found = (child for child in psutil.Process(self.process.pid).children() if any(MARKS[name] in word for word in cmdline(child)))
        return next(found, None)

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What its database answers, read beside it."""
        with sqlite3.connect(f"file:{self.data / 'db.sqlite3'}?mode=ro", uri=True, timeout=20) as database:
            return database.execute(query, parameters).fetchall()

    def heard(self, node: str) -> datetime:
        """When the worker of that name last said that it lives."""
        rows = self.rows("SELECT last_seen FROM jobs_workernode WHERE name LIKE ?", f"{node}@%")
        return max((datetime.fromisoformat(row[0]).replace(tzinfo=UTC) for row in rows), default=datetime.min.replace(tzinfo=UTC))


def cmdline(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []
