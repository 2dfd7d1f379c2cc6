"""A process that the launcher keeps alive."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from ml.process import die_with_parent

LOG_LIMIT_BYTES = 10 * 2**20
STEADY_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 30.0
WORTH_SHOWING = re.compile(r"\b(WARNING|ERROR|CRITICAL|Traceback|Error)\b")
NOT_WORTH_SHOWING = re.compile(r"Memory overcommit|Service Unavailable: /readyz")


class Service:
    """Started again when it dies, after a pause that doubles until it has run for a while. Dies with the launcher."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], folder: Path, log: Path, grace_seconds: float) -> None:
        self.name, self.command, self.environment, self.folder, self.log = name, command, environment, folder, log
        self.grace_seconds = grace_seconds
        self.process: subprocess.Popen[bytes] | None = None
        self._started = self._pause = 0.0
        self._start_at: float | None = None
        self._shown = 0

    def start(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            self._shown = log.tell()
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        self._started = time.monotonic()
        self._start_at = None

    @property
    def is_up(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def keep_up(self) -> str:
        """Start it again if it is down and its pause is over; what happened, or nothing."""
        if self.is_up:
            return ""
        now = time.monotonic()
        if self._start_at is None:
            self._pause = 1.0 if now - self._started > STEADY_SECONDS else min(LONGEST_PAUSE_SECONDS, max(1.0, 2 * self._pause))
            self._start_at = now + self._pause
            code = self.process.returncode if self.process else None
            return f"ended with code {code}; it starts again in {self._pause:.0f} s. Its log: {self.log}"
        if now >= self._start_at:
            self.start()
        return ""

    def news(self) -> Iterator[str]:
        """Warnings and errors that came into its log since the last look."""
        with self.log.open("rb") as log:
            log.seek(self._shown)
            lines = log.read().decode(errors="replace").splitlines()
            self._shown = log.tell()
        yield from (line for line in lines if WORTH_SHOWING.search(line) and not NOT_WORTH_SHOWING.search(line))

    def stop(self) -> None:
        """Ask it to end, wait, and kill what has not ended in time."""
        if self.process is None or not self.is_up:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(self.grace_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        if self.process is not None and self.is_up:
            self.process.kill()
            self.process.wait()
