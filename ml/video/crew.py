"""Processes that do dangerous work side by side: one that crashes, hangs or eats memory costs its own task and nothing else."""

import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from ml.errors import BadVideo, UserError
from ml.process import die_with_parent, keep_freed_memory

Task = TypeVar("Task")
Answer = TypeVar("Answer")

MEMORY_BYTES = 8 * 2**30
CRASHED = BadVideo("Reading it crashed the decoder", "Leave it out, or convert it to H.264.")


@dataclass
class _Hand:
    """One process, the pipe to it, and what it is busy with."""

    process: multiprocessing.process.BaseProcess
    pipe: "Connection[Any, Any]"
    key: str | None = None
    deadline: float = 0.0


class Crew(Generic[Task, Answer]):
    """Up to `size` processes that run `work`, a function of a module; they end with this process, whatever ends it."""

    def __init__(self, work: Callable[[Task], Answer], size: int) -> None:
        self._work, self._size = work, size
        self._context = multiprocessing.get_context("spawn")
        self._hands: list[_Hand] = []

    @property
    def is_full(self) -> bool:
        return self.num_busy >= self._size

    @property
    def num_busy(self) -> int:
        return sum(hand.key is not None for hand in self._hands)

    def give(self, key: str, task: Task, seconds: float) -> None:
        """Start a task; its answer will come under `key`. To be called only when the crew is not full."""
        hand = next((hand for hand in self._hands if hand.key is None), None) or self._hire()
        hand.key, hand.deadline = key, time.monotonic() + seconds
        with suppress(BrokenPipeError):  # it died while idle: `collect` will say so
            hand.pipe.send(task)

    def collect(self, seconds: float) -> Iterator[tuple[str, Answer | UserError]]:
        """What was finished within `seconds`: an answer, or why there is none."""
        busy = {hand.pipe: hand for hand in self._hands if hand.key is not None}
        nearest = min((hand.deadline for hand in busy.values()), default=0.0)
        ready = wait(list(busy), max(0.0, min(seconds, nearest - time.monotonic())))
        for pipe, hand in busy.items():
            key = hand.key
            if key is None:
                continue
            if pipe in ready:
                yield key, self._answer(hand)
            elif time.monotonic() > hand.deadline:
                self._dismiss(hand)
                yield key, BadVideo("Reading it took too long", "Leave it out, or convert it to H.264.")

    def _answer(self, hand: _Hand) -> Answer | UserError:
        try:
            answer: Answer | UserError = hand.pipe.recv()
        except (EOFError, ConnectionResetError):
            self._dismiss(hand)
            return CRASHED
        hand.key = None
        return answer

    def _hire(self) -> _Hand:
        here, there = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(there, self._work, os.getpid()), daemon=True)
        process.start()
        there.close()
        hand = _Hand(process, here)
        self._hands.append(hand)
        return hand

    def _dismiss(self, hand: _Hand) -> None:
        self._hands.remove(hand)
        hand.process.kill()
        hand.process.join()
        hand.pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for hand in list(self._hands):
            self._dismiss(hand)


def _serve(pipe: "Connection[Any, Any]", work: Callable[[Any], Any], parent: int) -> None:
    """The life of a process of the crew. An error that is nobody's fault but ours ends it, with its traceback on stderr."""
    die_with_parent()
    if os.getppid() != parent:
        return
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent decides when to stop
        signal.signal(number, signal.SIG_IGN)
    _limit(resource.RLIMIT_AS, MEMORY_BYTES)
    _limit(resource.RLIMIT_CORE, 0)
    keep_freed_memory()
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        try:
            answer = work(task)
        except UserError as error:
            answer = error
        pipe.send(answer)


def _limit(kind: int, value: int) -> None:
    """Lower a limit; one that is lower already stays."""
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))
