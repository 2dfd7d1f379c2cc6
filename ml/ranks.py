"""One command in several processes that meet through `torch.distributed`, as `torchrun` would start them.

Unlike torchrun, which signals whole process groups, a stop reaches the processes alone and not their loaders, which they need until they
have saved; and whatever happens, there is one stream of events with one end.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from queue import Empty, Queue
from threading import Thread

from ml.errors import UserError
from ml.events import Event, Failed, parse
from ml.process import Stop

GRACE_SECONDS = 10.0
"""How long the others may take to notice that one of them has failed."""

LOOK_SECONDS = 0.2


class Ranks:
    """`size` processes of one command; ended, all of them, when the block is left."""

    def __init__(self, command: Sequence[str], size: int) -> None:
        shared = {**os.environ, **_meeting_point(size)}
        self.processes = [_start(command, {**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)}) for rank in range(size)]
        self.told: Queue[tuple[subprocess.Popen[str], str]] = Queue()
        self.listeners = [Thread(target=self._listen, args=(process,), daemon=True) for process in self.processes]
        for listener in self.listeners:
            listener.start()
        self.was_asked, self.kill_at = False, float("inf")

    def _listen(self, process: subprocess.Popen[str]) -> None:
        """Pass its lines on, and at its end an empty one."""
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        with process:
            for line in process.stdout:
                self.told.put((process, line))
        self.told.put((process, ""))

    def __enter__(self) -> "Ranks":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.kill()
        for listener in self.listeners:
            listener.join()

    def lines(self, stop: Stop) -> Iterator[str]:
        """What they say until the last one has ended; a stop is passed on once.

        Raises:
            UserError: one was killed.
        """
        num_left = len(self.processes)
        while num_left:
            if stop.requested and not self.was_asked:
                self.was_asked = True
                self._signal(signal.SIGTERM)
            if time.monotonic() > self.kill_at:
                self.kill()
            try:
                process, line = self.told.get(timeout=LOOK_SECONDS)
            except Empty:
                continue
            if line:
                yield line
            else:
                num_left -= 1
                self._has_ended(process)

    def _has_ended(self, process: subprocess.Popen[str]) -> None:
        """The first that fails gives the others little time; one that a signal ended could not say why."""
        if not process.returncode or self.kill_at < float("inf"):
            return
        self.kill_at = time.monotonic() + GRACE_SECONDS
        if process.returncode < 0 and not self.was_asked:
            raise UserError(
                "One of the training processes was killed (signal {signal}), most likely because memory ran out",
                "Choose fewer videos at once or fewer loader processes; what was saved is kept.",
                signal=-process.returncode,
            )

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(number)


def spread(arguments: Sequence[str], size: int, stop: Stop) -> Iterator[Event]:
    """`python -m ml ARGUMENTS` in `size` processes: the events of the one that tells them, and at most one failure.

    Raises:
        UserError: one of them was killed.
    """
    failures = []
    with Ranks([sys.executable, "-m", "ml", *arguments], size) as ranks:
        for line in ranks.lines(stop):
            event = _event(line)
            if isinstance(event, Failed):
                failures.append(event)
            elif event is not None:
                yield event
    if failures:
        yield min(failures, key=lambda failure: failure.code == "Bug")  # losing sight of one that failed looks like a bug to the others


def _event(line: str) -> Event | None:
    try:
        return parse(line)
    except ValueError:  # what a library prints
        print(line, end="", file=sys.stderr)
        return None


def _start(command: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    """In a process group of its own: Ctrl-C reaches the parent alone, which passes it on."""
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=environment, process_group=0)


def _meeting_point(size: int) -> dict[str, str]:
    """The environment that torchrun would set; processes without a GPU share the cores."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    cores = max(1, len(os.sched_getaffinity(0)) // size)
    return {
        "WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(cores)),
        "KINETOSCOPE_DIE_WITH_PARENT": "1",
    }
