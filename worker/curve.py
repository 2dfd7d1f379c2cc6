"""A run's curves as rows: few writes, however fast the steps; few rows, however many."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from django.db import transaction

from ml.events import EpochEnded, Event, StepsDone, parse
from webapp.experiments.models import Run, RunPoint

WRITE_SECONDS = 1.0
MOST_POINTS = 2000
"""Of steps, and as many of epochs: more than a screen is wide."""


class Curve:
    """Collects points and writes those that are due. `num_steps`: of the whole training."""

    def __init__(self, run: Run) -> None:
        self.run, self.num_steps = run, 0
        self._waiting: dict[tuple[int, bool], RunPoint] = {}
        self._newest = {False: -1, True: -1}
        self._due = 0.0

    def begin(self, num_steps: int) -> None:
        """An attempt begins: what the run told in earlier ones, as far as it will not tell it again, may have got lost with a worker."""
        self.num_steps = num_steps
        for event in told(self.run.folder / "events.jsonl"):
            if isinstance(event, (StepsDone, EpochEnded)):
                self.add(event)

    def add(self, event: StepsDone | EpochEnded) -> None:
        """Remember the event's point, unless one stands there already at the resolution of the curve."""
        if isinstance(event, StepsDone):
            measures = {"measures": event.measures} if event.measures else {}
            train = {**event.losses, "learning_rate": event.learning_rate, "videos_per_second": event.videos_per_second, **measures}
            self._add(RunPoint(run=self.run, step=event.step, epoch=event.epoch, train=train))
        else:
            values = {"train": event.train, "validation": event.validation}
            self._add(RunPoint(run=self.run, step=event.step, epoch=event.epoch, is_epoch_end=True, **values))

    def _add(self, point: RunPoint) -> None:
        place = point.step * MOST_POINTS // self.num_steps if self.num_steps > MOST_POINTS else point.step
        if place > self._newest[point.is_epoch_end] or point.step >= self.num_steps:
            self._newest[point.is_epoch_end] = place
            self._waiting[point.step, point.is_epoch_end] = point

    def write_if_due(self) -> None:
        if self._waiting and time.monotonic() >= self._due:
            self._due = time.monotonic() + WRITE_SECONDS
            self.write()

    def write(self) -> None:
        """All that waits, in one statement. A resumed run comes by some steps again, with the same numbers.

        What could not be written waits on.
        """
        written = dict(self._waiting)
        RunPoint.objects.bulk_create(
            written.values(),
            update_conflicts=True,
            unique_fields=("run", "step", "is_epoch_end"),
            update_fields=("epoch", "train", "validation"),
        )
        transaction.on_commit(lambda: self._forget(written))

    def _forget(self, written: dict[tuple[int, bool], RunPoint]) -> None:
        self._waiting = {place: point for place, point in self._waiting.items() if written.get(place) is not point}


def told(path: Path) -> Iterator[Event]:
    """The events in a file that another process may just be writing."""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else ():
        try:
            yield parse(line)
        except ValueError:
            continue
