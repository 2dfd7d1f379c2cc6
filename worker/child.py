"""One ml process: started, read line by line, and surely gone at the end."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self

from django.conf import settings

from ml.config.weights import UPLOADED
from ml.process import die_with_parent
from webapp.experiments.models import weights_folder

Stream = Literal["stdout", "stderr"]
ENGINE = (sys.executable, "-m", "ml")
LINE_LIMIT = 2**20
CHUNK = 2**16
EXIT_SECONDS = 5.0
ROOT = Path(__file__).resolve().parent.parent
COMPILED = "compiled"
"""Folder of the data folder: what UMAP's library has compiled, for the next process that draws a map."""


def _environment() -> dict[str, str]:
    """What the engine finds in its environment: paths of the data folder, of which it knows nothing itself."""
    compiled = Path(settings.DATA_DIR) / COMPILED
    return {"PYTHONUNBUFFERED": "1", UPLOADED: str(weights_folder()), "NUMBA_CACHE_DIR": str(compiled)}


class Child:
    """`python -m ml …` in a process group of its own, that dies with the worker."""

    def __init__(self, arguments: Sequence[str], takes_requests: bool = False) -> None:
        self.process = subprocess.Popen(
            [*ENGINE, *arguments],
            stdin=subprocess.PIPE if takes_requests else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, **_environment()},
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        self._selector = selectors.DefaultSelector()
        self._rest: dict[Stream, bytes] = {"stdout": b"", "stderr": b""}
        for name, pipe in self._pipes().items():
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, selectors.EVENT_READ, name)

    def _pipes(self) -> dict[Stream, IO[bytes]]:
        assert self.process.stdout is not None and self.process.stderr is not None  # noqa: S101 - both are pipes
        return {"stdout": self.process.stdout, "stderr": self.process.stderr}

    @property
    def is_alive(self) -> bool:
        """Asked without collecting the exit code: until `close`, its process group can belong to nobody else."""
        if self.process.returncode is not None:
            return False
        return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    @property
    def is_silent(self) -> bool:
        """Both pipes are closed and read to their end."""
        return not self._selector.get_map()

    def lines(self, timeout: float) -> Iterator[tuple[Stream, str]]:
        """Lines that come within `timeout` seconds, as soon as there are any."""
        for key, _ready in self._selector.select(timeout):
            name: Stream = key.data
            chunk = os.read(key.fd, CHUNK)
            *whole, rest = (self._rest[name] + chunk).split(b"\n")
            if not chunk:
                self._selector.unregister(key.fileobj)
            if not chunk or len(rest) > LINE_LIMIT:
                whole, rest = [*whole, rest], b""
            self._rest[name] = rest
            for line in filter(None, whole):
                yield name, line.decode(errors="replace")

    def ask(self, line: str) -> None:
        """Write one request.

        Raises:
            BrokenPipeError: the process is gone.
        """
        assert self.process.stdin is not None  # noqa: S101 - started with takes_requests
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        if kind is not None:
            self.kill()
        self.close()

    def terminate(self) -> None:
        """Ask it to save and end. Only the leader: its loader processes must live until it has."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and all it started, at once."""
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def close(self) -> int:
        """Make sure that nothing of it is left; the exit code (negative: the signal that killed it)."""
        deadline = time.monotonic() + EXIT_SECONDS
        while self.is_alive and time.monotonic() < deadline:
            time.sleep(0.01)
        self.kill()
        self._selector.close()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        return int(self.process.returncode)
