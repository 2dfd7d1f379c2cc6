"""Running sums over batches, from which an epoch's numbers are made. They go into the checkpoint, so that a resumed epoch ends the same."""

from dataclasses import dataclass, field
from typing import Any, Self

from torch import Tensor

from ml.training.objective import Outcome


@dataclass
class Tally:
    """Sums over videos: loss terms, and correct and seen videos per class."""

    losses: dict[str, float] = field(default_factory=dict)
    correct: dict[int, int] = field(default_factory=dict)
    seen: dict[int, int] = field(default_factory=dict)

    def add(self, outcome: Outcome, labels: Tensor) -> None:
        """A batch: mean loss terms weigh as many videos as it has."""
        for name, loss in outcome.losses.items():
            self.losses[name] = self.losses.get(name, 0.0) + loss.item() * len(labels)
        hits = (outcome.scores.argmax(dim=1) == labels).tolist()
        for label, hit in zip(labels.tolist(), hits, strict=True):
            self.seen[label] = self.seen.get(label, 0) + 1
            self.correct[label] = self.correct.get(label, 0) + hit

    @property
    def videos(self) -> int:
        return sum(self.seen.values())

    def mean_losses(self) -> dict[str, float]:
        return {name: total / self.videos for name, total in self.losses.items()}

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
        return cls(dict(data["losses"]), correct, seen)
