"""The training loop: a generator of events. The caller records them, prints them, or stops by leaving the loop."""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from torch import Tensor, nn

from ml.config.training import TrainingConfig
from ml.errors import NotANumber
from ml.events import CheckpointSaved, EpochEnded, Event, Progress, Started, StepsDone, Stopped
from ml.process import Stop
from ml.training import checkpoint
from ml.training.device import Meter, choose_device, memory_errors
from ml.training.loading import Batch, RemainingBatches, TrainingData, training_loader, validation_loader
from ml.training.objective import Objective, classification
from ml.training.optim import learning_rate_at, set_learning_rate
from ml.training.step import Diverged, Learner
from ml.training.tally import Tally
from ml.training.team import Team, placed
from ml.words import Words

REPORTS_PER_EPOCH = 20
PROGRESS_SECONDS, DEVICE_SECONDS, CHECKPOINT_SECONDS = 1.0, 5.0, 60.0


@dataclass
class Place:
    """Where a training stands: `step` of `epoch`, both from 0, with the sums of the epoch and of the report so far."""

    epoch: int = 0
    step: int = 0
    epoch_tally: Tally = field(default_factory=Tally)
    report_tally: Tally = field(default_factory=Tally)
    summary: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        tallies = {name: Tally.from_json(data[name]) for name in ("epoch_tally", "report_tally")}
        return cls(data["epoch"], data["step"], **tallies, summary=data["summary"])


class Every:
    """True at most once in so many seconds."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds, self.clock = seconds, clock
        self.last = clock()

    def due(self) -> bool:
        if self.clock() - self.last < self.seconds:
            return False
        self.last = self.clock()
        return True


class Trainer:
    """Trains `model`, goes on from `checkpoint_path` where there is one, and saves itself there.

    Args:
        passport: the run's config as JSON; a checkpoint with another one is refused.
    """

    def __init__(
        self,
        model: nn.Module,
        data: TrainingData,
        config: TrainingConfig,
        checkpoint_path: Path,
        passport: dict[str, Any],
        stop: Stop,
        objective: Objective = classification,
        team: Team | None = None,
    ) -> None:
        self.team = team or Team(choose_device(config.device))
        self.device = self.team.device
        self.model = placed(model, config, self.team)
        self.learner = Learner(self.model, objective, config, self.team)
        self.data, self.config, self.stop = data, config, stop
        self.checkpoint_path, self.passport = checkpoint_path, passport
        self.place, self.asked_to_stop = Place(), False
        self.meter = Meter(self.device)
        self.progress_due, self.device_due = Every(PROGRESS_SECONDS), Every(DEVICE_SECONDS)
        self.checkpoint_due = Every(CHECKPOINT_SECONDS)
        self.report_started = time.monotonic()
        if checkpoint_path.exists():
            self._resume()
        if data.validation is not None:
            self.validation = validation_loader(data.validation, self.learner.at_once, config.loader_workers, self.device.type == "cuda")

    def run(self) -> Generator[Event, None, dict[str, Any] | None]:
        """Events up to the end of the training, or to `Stopped`. Returns a summary, or None when it was stopped.

        Raises:
            NotANumber: a loss, a gradient or a weight is no longer finite; the last good checkpoint stays.
            OutOfMemory: a batch does not fit the GPU.
        """
        yield Started("train", self.total_steps, "steps")
        yield self._progress()
        with memory_errors(self.learner.at_once):
            batches = self._batches()
            while self.place.epoch < self.config.epochs:
                yield from self._epoch(batches)
                if self.asked_to_stop and self.place.epoch < self.config.epochs:
                    yield self._save()
                    yield Stopped(Words("Saved at step {step} of {total}.", step=self.steps_done, total=self.total_steps))
                    return None
        return {"epochs": self.place.epoch, "steps": self.steps_done, **self.place.summary}

    @property
    def total_steps(self) -> int:
        return self.config.epochs * self.data.steps_per_epoch

    @property
    def steps_done(self) -> int:
        return self.place.epoch * self.data.steps_per_epoch + self.place.step

    def _epoch(self, batches: Iterator[Batch]) -> Iterator[Event]:
        """The rest of an epoch; returns early, between two steps, when asked to stop."""
        self.model.train()
        set_learning_rate(self.learner.optimizer, self._learning_rate())
        while self.place.step < self.data.steps_per_epoch:
            if self._must_stop():
                return
            self._step(*next(batches))
            yield from self._reports()
        validation = self._validate()
        if validation is None:
            return
        yield self._end_epoch(validation)
        yield self._save()

    def _must_stop(self) -> bool:
        """All processes of the team stop at the same step, whichever was asked."""
        self.asked_to_stop = self.asked_to_stop or self.team.any(self.stop.requested)
        return self.asked_to_stop

    def _step(self, x: Tensor, labels: Tensor) -> None:
        """This process's share of a batch."""
        try:
            tally = self.learner.learn(x, labels, self.steps_done)
        except Diverged as error:
            raise self._not_a_number(error.args[0]) from error
        self.place.step += 1
        self.place.epoch_tally.merge(tally)
        self.place.report_tally.merge(tally)

    def _reports(self) -> Iterator[Event]:
        """What there is to tell after a step. Losses are told at fixed steps, so that a resumed run tells the same ones."""
        interval = max(1, self.data.steps_per_epoch // REPORTS_PER_EPOCH)
        if self.place.step % interval == 0 or self.place.step == self.data.steps_per_epoch:
            yield self._steps_done()
        if self.progress_due.due():
            yield self._progress()
        if self.device_due.due():
            yield self.meter.measure()
        if self.checkpoint_due.due():
            yield self._save()

    def _validate(self) -> Tally | None:
        """The tally of the validation videos, all of them in each process; None when asked to stop meanwhile."""
        if self.data.validation is None:
            return Tally()
        return self.learner.evaluate(self.validation, self.steps_done, self._must_stop)

    def _end_epoch(self, validation: Tally) -> EpochEnded:
        train = {"loss": self.place.epoch_tally.loss(), "top1": self.place.epoch_tally.top1()}
        held_out = validation.metrics() if validation.videos else {}
        self.place = Place(self.place.epoch + 1, summary={"train": train, "validation": held_out})
        return EpochEnded(self.place.epoch, self.steps_done, train, held_out)

    def _steps_done(self) -> StepsDone:
        seconds = max(time.monotonic() - self.report_started, 1e-9)
        tally, self.place.report_tally, self.report_started = self.place.report_tally, Tally(), time.monotonic()
        told = tally.mean_losses(), self._learning_rate(), tally.videos / seconds, tally.mean_measures()
        return StepsDone(self.steps_done, self.place.epoch + 1, *told)

    def _progress(self) -> Progress:
        epoch = min(self.place.epoch + 1, self.config.epochs)
        return Progress(
            self.steps_done, self.total_steps, "steps", Words("epoch {number} of {total}", number=epoch, total=self.config.epochs)
        )

    def _learning_rate(self) -> float:
        return learning_rate_at(self.place.epoch, self.config.learning_rate, self.config.milestones, self.config.gamma)

    def _batches(self) -> Iterator[Batch]:
        config, place = self.config, self.place
        remaining = RemainingBatches(self.data.sampler, config.batch_size, config.epochs, place.epoch, place.step, self.team.share)
        return iter(training_loader(self.data, remaining, self.config.loader_workers, self.device.type == "cuda"))

    def _save(self) -> CheckpointSaved:
        if broken := [name for name, tensor in self.model.state_dict().items() if not tensor.isfinite().all()]:
            raise self._not_a_number(Words("The weight {name} was no longer finite", name=broken[0]))
        if self.team.leads:
            progress = {**asdict(self.place), "scaler": self.learner.scaler.state_dict()}
            tensors = checkpoint.capture(self.model, self.learner.optimizer)
            checkpoint.save(self.checkpoint_path, checkpoint.Checkpoint(tensors, self.passport, progress))
        self.checkpoint_due = Every(CHECKPOINT_SECONDS)
        return CheckpointSaved(self.steps_done, self.place.epoch)

    def _resume(self) -> None:
        saved = checkpoint.load(self.checkpoint_path, self.passport)
        checkpoint.restore(saved.tensors, self.model, self.learner.optimizer)
        self.learner.scaler.load_state_dict(saved.progress["scaler"])
        self.place = Place.from_json(saved.progress)

    def _not_a_number(self, what: str) -> NotANumber:
        return NotANumber(
            "{what} at step {step} (epoch {epoch}) with learning rate {rate}",
            "Lower the learning rate or turn gradient clipping on, in a new run; the last good checkpoint is kept.",
            what=what,
            step=self.steps_done + 1,
            epoch=self.place.epoch + 1,
            rate=f"{self._learning_rate():g}",
        )
