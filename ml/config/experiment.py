"""One training run, declared: model + data + training + the protocol it is tested with."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import model_validator

from ml.config.data import DataConfig, RGBStackInput
from ml.config.evaluation import Protocol
from ml.config.models import ModelConfig, TwoStream
from ml.config.schema import Schema, knob
from ml.config.training import TrainingConfig


@dataclass(frozen=True)
class Conflict:
    """Values that their fields take, but not together. `fields` are paths in pydantic's words."""

    message: str
    fields: tuple[str, ...]


FOLDS = Conflict("The held-out fold must be one of two folds or more.", ("data.validation_folds", "data.validation_fold"))
FRAME_STACK = Conflict(
    "A stack of RGB frames is for networks that fuse frames, such as slow fusion, and for no others: choose both, or neither.",
    ("model.kind", "data.input.modality"),
)
ONE_SNIPPET = Conflict(
    "This network sees one snippet of a video: choose one segment, or another model.", ("model.kind", "data.num_segments")
)
ONE_DATASET = Conflict("A metric loss learns from one dataset: choose no further ones, or another model.", ("model.kind", "data.also"))
PAIRS = Conflict(
    "A metric loss needs two videos of a class in every batch: choose class-balanced sampling.", ("model.kind", "training.sampling")
)
WHOLE_BATCH = Conflict(
    "A metric loss compares all videos of a batch: choose one device, and the whole batch at once.",
    ("training.micro_batch", "training.devices"),
)
CONFLICTS = (FOLDS, FRAME_STACK, ONE_SNIPPET, ONE_DATASET, PAIRS, WHOLE_BATCH)


class DoNotFit(ValueError):
    """A config with conflicts: what a form puts beside the fields."""

    def __init__(self, conflicts: tuple[Conflict, ...]) -> None:
        self.conflicts = conflicts
        super().__init__(*(conflict.message for conflict in conflicts))

    def __str__(self) -> str:
        return " ".join(self.args)


class ExperimentConfig(Schema):
    """The passport of a run: stored with it, never edited."""

    version: Literal[1] = 1
    model: ModelConfig = knob(TwoStream(), "Model", "Which network, on which backbone, and what its weights start from.")
    data: DataConfig = knob(DataConfig(), "Data", "What it sees of a video: frames or flow, how many of them, how large, how varied.")
    training: TrainingConfig = knob(TrainingConfig(), "Training", "How its weights are found: batches, learning rate, how long.")
    evaluation: Protocol = knob(Protocol(), "Test protocol", "How it is tested when training ends.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """What no field can say alone."""
        if conflicts := tuple(self._conflicts()):
            raise DoNotFit(conflicts)
        return self

    def _conflicts(self) -> Iterator[Conflict]:
        fold, folds = self.data.held_out_fold or (1, 2)
        if folds < 2 or fold > folds:
            yield FOLDS
        if self.model.sees_clips != isinstance(self.data.input, RGBStackInput):
            yield FRAME_STACK
        if self.data.num_segments > 1 and not self.model.sees_segments:
            yield ONE_SNIPPET
        if self.model.compares_videos:
            if self.data.also:
                yield ONE_DATASET
            if self.training.sampling != "balanced":
                yield PAIRS
            if self.training.devices > 1 or 0 < self.training.micro_batch < self.training.batch_size:
                yield WHOLE_BATCH

    @property
    def segments_tested(self) -> int:
        """Views that a test takes for one video: K where what becomes of K segments is not their mean, else 1."""
        return 1 if self.model.averages_segments else self.data.num_segments

    def fold_runs(self, num_folds: int) -> tuple[Self, ...]:
        """Runs like this one, each without one fold of the training groups: their validation scores together are held-out scores of all."""
        return tuple(
            self.replace(data=self.data.replace(validation_folds=num_folds, validation_fold=fold)) for fold in range(1, num_folds + 1)
        )


@dataclass(frozen=True)
class Preset:
    """A named config: data, not code. `source` says which row of which table it reproduces."""

    title: str
    description: str
    config: ExperimentConfig
    source: str = ""
