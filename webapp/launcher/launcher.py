"""Keeps everything running until it is told to stop, and then stops it in order."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from http.client import HTTPException
from pathlib import Path
from types import FrameType

from django.conf import settings

from ml.process import die_with_parent
from webapp.launcher.service import Service

LOOK_SECONDS = 0.25
READY_SECONDS = 90.0


class Launcher:
    """Services as children of this process; `say` prints a line."""

    def __init__(self, services: Sequence[Service], url: str, say: Callable[[str], None]) -> None:
        self.services, self.url, self.say = services, url, say
        self.is_stopping = False
        self._demo: subprocess.Popen[bytes] | None = None

    def run(self, then: Sequence[str] = ()) -> None:
        """Start, wait until the site answers, run the command `then` beside it, and serve until a signal comes."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)
        try:
            for service in self.services:
                service.start()
            if self._becomes_ready():
                self.say(f"Kinetoscope is at {self.url}  (Ctrl-C stops it)")
                self._begin(then)
            self._serve()
        finally:
            self._stop()

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        if self.is_stopping:  # the second time means now
            for service in self.services:
                service.kill()
        self.is_stopping = True

    def _becomes_ready(self) -> bool:
        deadline = time.monotonic() + READY_SECONDS
        told = False
        while not self.is_stopping and not is_ready(self.url):
            self._look()
            if not told and time.monotonic() > deadline:
                self.say(f"The site is not ready yet; {self.url}/readyz says what is missing, the logs are in {settings.DATA_DIR}/logs")
                told = True
        return not self.is_stopping

    def _begin(self, command: Sequence[str]) -> None:
        if command:
            self._demo = subprocess.Popen(
                [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), *command],
                env=self.services[-1].environment,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    def _serve(self) -> None:
        while not self.is_stopping:
            self._look()
            if self._demo is not None and self._demo.poll() is not None:
                if self._demo.returncode:
                    self.say(f"The demo ended with code {self._demo.returncode}; the site goes on at {self.url}")
                self._demo = None

    def _look(self) -> None:
        """Start again what died, and pass on what is worth knowing."""
        for service in self.services:
            for line in (*service.news(), service.keep_up()):
                if line:
                    self.say(f"[{service.name}] {line}")
        time.sleep(LOOK_SECONDS)

    def _stop(self) -> None:
        """Last started, first stopped; the broker outlives those that talk to it."""
        self.is_stopping = True
        if self._demo is not None:
            self._demo.terminate()
            self._demo.wait()
        running = [service for service in self.services if service.is_up]
        if running:
            self.say("Stopping; running jobs save a checkpoint and go on at the next start.")
        for service in reversed(self.services):
            service.stop()


def is_ready(url: str) -> bool:
    """Whether `/readyz` says so."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError):
        return False
