"""One `python -m ml serve` that stays, with its models loaded, so that a prediction takes seconds."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from ml.events import Event, Failed, Finished
from webapp.jobs.models import Job
from worker.child import Child
from worker.supervise import Attempt, Ending


class WarmProcess:
    """Answers one request after the other; a dead one is replaced when the next request comes."""

    def __init__(self) -> None:
        self._child: Child | None = None

    def ask(
        self, job: Job, lease: str, request: dict[str, Any], on_event: Callable[[Event], None], limit_seconds: float = float("inf")
    ) -> Ending:
        """Have one request of a claimed job answered.

        Raises:
            LeaseLost: the job is somebody else's now.
        """
        child = self._sent(json.dumps(request))
        attempt = Attempt(job, lease, child, on_event, limit_seconds)
        attempt.log.say(f"attempt {job.attempts} on {job.worker}")
        with ExitStack() as stack:
            stack.push(self._kill_on_error)
            attempt.watch()
        exit_code = None if isinstance(attempt.last, (Finished, Failed)) and attempt.asked is None else self.drop()
        attempt.write_last()
        return attempt.ending(exit_code)

    def _sent(self, line: str) -> Child:
        """The process that has the request."""
        if self._child is not None and self._child.is_alive:
            try:
                self._child.ask(line)
                return self._child
            except BrokenPipeError:  # it died this moment
                pass
        self.drop()
        self._child = Child(["serve"], takes_requests=True)
        self._child.ask(line)
        return self._child

    def _kill_on_error(self, kind: type[BaseException] | None, _error: object, _trace: object) -> bool:
        """An answer that nobody waits for any more must not be taken for the next one's."""
        if kind is not None and self._child is not None:
            self._child.kill()
            self.drop()
        return False

    def drop(self) -> int | None:
        """End the process, whatever it does; its exit code if there was one."""
        if self._child is None:
            return None
        child, self._child = self._child, None
        return child.close()


warm = WarmProcess()
