"""The training loop: a generator of events. The caller records them, prints them, or stops by leaving the loop."""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn

from ml.config.training import TrainingConfig
from ml.errors import NotANumber
from ml.events import CheckpointSaved, EpochEnded, Event, Progress, Started, StepsDone, Stopped
from ml.process import Stop
from ml.training import checkpoint
from ml.training.device import Meter, choose_device, memory_errors
from ml.training.loading import Batch, RemainingBatches, TrainingData, training_loader, validation_loader
from ml.training.objective import Objective, classification
from ml.training.optim import build_optimizer, learning_rate_at, set_learning_rate
from ml.training.tally import Tally

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
    ) -> None:
        self.device = choose_device(config.device)
        self.model = model.to(self.device)
        self.data, self.config, self.objective, self.stop = data, config, objective, stop
        self.checkpoint_path, self.passport = checkpoint_path, passport
        self.optimizer = build_optimizer(self.model, config.learning_rate, config.momentum, config.weight_decay)
        self.place = Place()
        self.meter = Meter(self.device)
        self.progress_due, self.device_due = Every(PROGRESS_SECONDS), Every(DEVICE_SECONDS)
        self.checkpoint_due = Every(CHECKPOINT_SECONDS)
        self.report_started = time.monotonic()
        if checkpoint_path.exists():
            self._resume()
        if data.validation is not None:
            self.validation = validation_loader(data.validation, config.batch_size, config.loader_workers, self.device.type == "cuda")

    def run(self) -> Generator[Event, None, dict[str, Any] | None]:
        """Events up to the end of the training, or to `Stopped`. Returns a summary, or None when it was stopped.

        Raises:
            NotANumber: the loss or a weight is no longer finite; the last good checkpoint stays.
            OutOfMemory: a batch does not fit the GPU.
        """
        yield Started("train", self.total_steps, "steps")
        yield self._progress()
        with memory_errors(self.config.batch_size):
            batches = self._batches()
            while self.place.epoch < self.config.epochs:
                yield from self._epoch(batches)
                if self.stop.requested and self.place.epoch < self.config.epochs:
                    yield self._save()
                    yield Stopped(f"Saved at step {self.steps_done} of {self.total_steps}.")
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
        set_learning_rate(self.optimizer, self._learning_rate())
        while self.place.step < self.data.steps_per_epoch:
            if self.stop.requested:
                return
            self._step(*next(batches))
            yield from self._reports()
        validation = self._validate()
        if validation is None:
            return
        yield self._end_epoch(validation)
        yield self._save()

    def _step(self, x: Tensor, labels: Tensor) -> None:
        """x: (B, C, H, W), labels: (B,)."""
        x, labels = x.to(self.device, non_blocking=True), labels.to(self.device, non_blocking=True)
        outcome = self.objective(self.model, x, labels)
        if not outcome.total.isfinite():
            raise self._not_a_number(f"The loss became {outcome.total.item()}")
        self.optimizer.zero_grad()
        torch.autograd.backward(outcome.total)
        if self.config.clip_norm:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_norm)
        self.optimizer.step()
        self.place.step += 1
        self.place.epoch_tally.add(outcome, labels)
        self.place.report_tally.add(outcome, labels)

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
        """The validation videos through the network as it is in use; None when asked to stop meanwhile."""
        tally = Tally()
        if self.data.validation is None:
            return tally
        self.model.eval()
        with torch.inference_mode():
            for x, labels in self.validation:
                if self.stop.requested:
                    return None
                labels = labels.to(self.device)
                tally.add(self.objective(self.model, x.to(self.device), labels), labels)
        return tally

    def _end_epoch(self, validation: Tally) -> EpochEnded:
        train = {"loss": self.place.epoch_tally.loss(), "top1": self.place.epoch_tally.top1()}
        held_out = validation.metrics() if validation.videos else {}
        self.place = Place(self.place.epoch + 1, summary={"train": train, "validation": held_out})
        return EpochEnded(self.place.epoch, self.steps_done, train, held_out)

    def _steps_done(self) -> StepsDone:
        seconds = max(time.monotonic() - self.report_started, 1e-9)
        tally, self.place.report_tally, self.report_started = self.place.report_tally, Tally(), time.monotonic()
        return StepsDone(self.steps_done, self.place.epoch + 1, tally.mean_losses(), self._learning_rate(), tally.videos / seconds)

    def _progress(self) -> Progress:
        epoch = min(self.place.epoch + 1, self.config.epochs)
        return Progress(self.steps_done, self.total_steps, "steps", f"epoch {epoch} of {self.config.epochs}")

    def _learning_rate(self) -> float:
        return learning_rate_at(self.place.epoch, self.config.learning_rate, self.config.milestones, self.config.gamma)

    def _batches(self) -> Iterator[Batch]:
        remaining = RemainingBatches(self.data.sampler, self.config.batch_size, self.config.epochs, self.place.epoch, self.place.step)
        return iter(training_loader(self.data, remaining, self.config.loader_workers, self.device.type == "cuda"))

    def _save(self) -> CheckpointSaved:
        if not all(bool(tensor.isfinite().all()) for tensor in self.model.state_dict().values()):
            raise self._not_a_number("A weight is no longer finite")
        tensors = checkpoint.capture(self.model, self.optimizer)
        checkpoint.save(self.checkpoint_path, checkpoint.Checkpoint(tensors, self.passport, asdict(self.place)))
        self.checkpoint_due = Every(CHECKPOINT_SECONDS)
        return CheckpointSaved(self.steps_done, self.place.epoch)

    def _resume(self) -> None:
        saved = checkpoint.load(self.checkpoint_path, self.passport)
        checkpoint.restore(saved.tensors, self.model, self.optimizer)
        self.place = Place.from_json(saved.progress)

    def _not_a_number(self, what: str) -> NotANumber:
        return NotANumber(
            f"{what} at step {self.steps_done + 1} (epoch {self.place.epoch + 1}) with learning rate {self._learning_rate():g}",
            "Lower the learning rate or turn gradient clipping on, in a new run; the last good checkpoint is kept.",
        )
