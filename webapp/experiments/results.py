"""The metrics of an evaluation, read once into named fields. Fractions are 0…1; None where a class has no videos."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, Self

from django.utils.functional import Promise

from webapp.metrics import AVERAGE_PRECISIONS
from webapp.words import translated

Order = Literal["recall", "name", "support", "index"]
Confusion = list[list[int]]
"""Counts; rows are the true classes, columns the predicted ones."""


@dataclass(frozen=True)
class ClassResult:
    """What came out for the videos of one class; `recall_low … recall_high` is the 95 % Wilson interval."""

    index: int
    name: str
    support: int
    correct: int
    recall: float | None
    recall_low: float | None
    recall_high: float | None
    precision: float | None
    ap: float | None
    ap_voc2007: float | None = None
    ap_voc2010: float | None = None


@dataclass(frozen=True)
class ProtocolText:
    """What stands beside every number."""

    short: str
    description: str
    subset: str
    split: str


@dataclass(frozen=True)
class MeanAveragePrecision:
    """By one definition: of class probabilities, and of the scores before softmax; None where an earlier version counted."""

    metric: str
    name: Promise
    softmax: float | None
    raw: float | None


@dataclass(frozen=True)
class Results:
    """`Evaluation.metrics`, typed."""

    top1: float
    top5: float
    mean_class_accuracy: float
    map: float | None
    map_voc2007: float | None
    mean_average_precisions: tuple[MeanAveragePrecision, ...]
    num_videos: int
    classes: tuple[ClassResult, ...]
    confusion: Confusion
    protocol: ProtocolText
    definitions: dict[str, str]
    notes: tuple[str, ...]

    @property
    def has_top5(self) -> bool:
        """Whether the five best can miss the true class: not where there are no more."""
        return len(self.classes) > 5

    @classmethod
    def of(cls, metrics: dict[str, Any]) -> Self:
        return cls(
            top1=metrics["top1"],
            top5=metrics["top5"],
            mean_class_accuracy=metrics["mean_class_accuracy"],
            map=metrics["map"],
            map_voc2007=metrics.get("map_voc2007"),
            mean_average_precisions=tuple(
                MeanAveragePrecision(f"map{kind}", name, metrics.get(f"map{kind}"), metrics.get(f"map{kind}_raw"))
                for kind, name in AVERAGE_PRECISIONS.items()
            ),
            num_videos=metrics["num_videos"],
            classes=tuple(ClassResult(**_named(ClassResult, row)) for row in metrics["per_class"]),
            confusion=metrics["confusion"],
            protocol=protocol_text(metrics["protocol"]),
            definitions=metrics.get("definitions", {}),
            notes=tuple(metrics.get("notes", ())),
        )

    @property
    def names(self) -> list[str]:
        return [row.name for row in self.classes]


def protocol_text(stored: dict[str, Any]) -> ProtocolText:
    return ProtocolText(**{**_named(ProtocolText, stored), "description": translated(stored["description"])})


def _named(kind: type[ClassResult | ProtocolText], row: dict[str, Any]) -> dict[str, Any]:
    """The fields of `kind` that the row has; what else it holds is for other readers."""
    return {field.name: row[field.name] for field in fields(kind) if field.name in row}


@dataclass(frozen=True)
class ConfusedPair:
    """Videos of class `label` that were taken for class `predicted`; `share` of all videos of `label`."""

    label: ClassResult
    predicted: ClassResult
    count: int
    share: float


def ordered(classes: Sequence[ClassResult], order: Order) -> list[ClassResult]:
    """Best recall first, or by name, most videos first, or as the score vector has them; classes without videos come last."""
    keys = {
        "recall": lambda row: (row.recall is None, -(row.recall or 0.0), row.name),
        "name": lambda row: row.name.casefold(),
        "support": lambda row: (-row.support, row.name),
        "index": lambda row: row.index,
    }
    return sorted(classes, key=keys[order])


def worst_classes(classes: Sequence[ClassResult], limit: int) -> set[ClassResult]:
    """The classes with videos that have the lowest recall."""
    return set([row for row in ordered(classes, "recall") if row.support][-limit:])


def top_confusions(results: Results, limit: int = 15) -> list[ConfusedPair]:
    """The pairs of different classes with the most videos."""
    cells = ((count, i, j) for i, row in enumerate(results.confusion) for j, count in enumerate(row) if count and i != j)
    largest = sorted(cells, key=lambda cell: (-cell[0], cell[1], cell[2]))[:limit]
    classes = results.classes
    return [ConfusedPair(classes[i], classes[j], count, count / classes[i].support) for count, i, j in largest]
