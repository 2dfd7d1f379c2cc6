"""The same work on many things, on all cores, in processes that stop with us."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

import cv2

from ml.errors import UserError
from ml.process import Stop, die_with_parent, keep_freed_memory

Work = TypeVar("Work")
Outcome = TypeVar("Outcome")

_SECONDS_BETWEEN_LOOKS = 0.5  # at the stop flag, while all processes are busy


def in_processes(do: Callable[[Work], Outcome], works: Sequence[Work], stop: Stop, num_processes: int = 0) -> Iterator[Outcome]:
    """`do(work)` for each, as they come; once a stop is requested only those already begun.

    `do`, works and outcomes travel between processes. `num_processes` 0 takes every core this process may use.

    Raises:
        UserError: one of the processes was killed.
    """
    num_processes = min(num_processes or len(os.sched_getaffinity(0)), max(len(works), 1))
    waiting, running = iter(works), set[Future[Outcome]]()
    with ProcessPoolExecutor(num_processes, get_context("spawn"), _become_child) as pool:
        while True:
            while not stop.requested and len(running) < num_processes and (work := next(waiting, None)) is not None:
                running.add(pool.submit(do, work))
            if not running:
                return
            done, running = wait(running, _SECONDS_BETWEEN_LOOKS, FIRST_COMPLETED)
            for future in done:
                yield _result(future)


def _become_child() -> None:
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    os.environ["OMP_NUM_THREADS"] = "1"  # read by torch when it is imported, if it ever is
    cv2.setNumThreads(1)
    keep_freed_memory()


def _result(future: Future[Outcome]) -> Outcome:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise UserError(
            "A process that worked on a video was killed, most likely because the machine ran out of memory",
            "Start again with fewer processes; what is done is kept.",
        ) from error
