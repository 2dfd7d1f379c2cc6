"""Running sums over batches, from which an epoch's numbers are made. They go into the checkpoint, so that a resumed epoch ends the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from torch import Tensor

from ml.training.objective import Outcome


@dataclass
class Tally:
    """Sums over videos: loss terms and measures, and correct and seen videos per class."""

    losses: dict[str, float] = field(default_factory=dict)
    correct: dict[int, int] = field(default_factory=dict)
    seen: dict[int, int] = field(default_factory=dict)
    measures: dict[str, float] = field(default_factory=dict)

    def add(self, outcome: Outcome, labels: Tensor) -> None:
        """A batch: its loss terms and measures weigh as many videos as it has."""
        hits = (outcome.scores.argmax(dim=1) == labels).tolist()
        batch = type(self)(
            {name: loss.item() * len(labels) for name, loss in outcome.losses.items()},
            measures={name: measure.item() * len(labels) for name, measure in outcome.measures.items()},
        )
        for label, hit in zip(labels.tolist(), hits, strict=True):
            batch.seen[label] = batch.seen.get(label, 0) + 1
            batch.correct[label] = batch.correct.get(label, 0) + hit
        self.merge(batch)

    def merge(self, other: Self) -> None:
        """What the other one has counted, too."""
        for mine, theirs in ((self.losses, other.losses), (self.measures, other.measures)):
            for name, value in theirs.items():
                mine[name] = mine.get(name, 0.0) + value
        for ours, counts in ((self.correct, other.correct), (self.seen, other.seen)):
            for label, count in counts.items():
                ours[label] = ours.get(label, 0) + count

    def summed(self, total: Callable[[Sequence[float]], list[float]], num_classes: int) -> Self:
        """The sum of the tallies of several processes, by a function that sums numbers over them; all have the same terms."""
        classes = range(num_classes)
        counts = [*(self.correct.get(label, 0) for label in classes), *(self.seen.get(label, 0) for label in classes)]
        sums = iter(total([*self.losses.values(), *self.measures.values(), *counts]))
        losses, measures = ({name: next(sums) for name in terms} for terms in (self.losses, self.measures))
        correct, seen = ({label: round(next(sums)) for label in classes} for _ in range(2))
        return type(self)(losses, correct, {label: count for label, count in seen.items() if count}, measures)

    @property
    def videos(self) -> int:
        return sum(self.seen.values())

    def mean_losses(self) -> dict[str, float]:
        return {name: total / self.videos for name, total in self.losses.items()}

    def mean_measures(self) -> dict[str, float]:
        return {name: total / self.videos for name, total in self.measures.items()}

    def loss(self) -> float:
        """The mean of what was minimised."""
        return sum(self.mean_losses().values())

    def top1(self) -> float:
        """Share of the videos whose highest score is their class's, 0..1."""
        return sum(self.correct.values()) / self.videos

    def mean_class_accuracy(self) -> float:
        """Mean recall of the classes seen, 0..1."""
        return sum(self.correct[label] / seen for label, seen in self.seen.items()) / len(self.seen)

    def metrics(self) -> dict[str, float]:
        return {"loss": self.loss(), "top1": self.top1(), "mean_class_accuracy": self.mean_class_accuracy()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The inverse of `dataclasses.asdict` after a round trip through JSON, whose keys are texts."""
        correct, seen = ({int(label): count for label, count in data[name].items()} for name in ("correct", "seen"))
        return cls(dict(data["losses"]), correct, seen, dict(data["measures"]))
