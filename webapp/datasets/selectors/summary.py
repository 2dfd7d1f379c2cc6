"""What the page of one dataset shows, in a fixed number of queries however many videos there are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from django.db.models import Count, Q, Sum

from webapp.datasets.models import Dataset, Split, SplitEntry, Video

UNASSIGNED = ""
SUBSETS = (*SplitEntry.Subset.values, UNASSIGNED)


@dataclass(frozen=True)
class ClassRow:
    """A class with its usable videos by subset of one split; `""` counts those in no subset."""

    index: int
    name: str
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def in_order(self) -> list[int]:
        """Training, validation, test, none."""
        return [self.counts.get(subset, 0) for subset in SUBSETS]


def class_rows(dataset: Dataset, split: Split | None) -> list[ClassRow]:
    """Every class, the empty ones too, in the order of their indices."""
    usable = Video.objects.filter(dataset=dataset, status=Video.Status.OK, label__isnull=False).order_by()
    totals = dict(usable.values_list("label").annotate(Count("pk")))
    entries = SplitEntry.objects.filter(split=split, video__status=Video.Status.OK).order_by()
    by_label: dict[int, Counter[str]] = {}
    for label, subset, number in entries.values_list("video__label", "subset").annotate(Count("pk")):
        by_label.setdefault(label, Counter())[subset] = number
    labels = dataset.labels.values_list("pk", "index", "name")
    return [_class_row(index, name, totals.get(pk, 0), by_label.get(pk, Counter())) for pk, index, name in labels]


def _class_row(index: int, name: str, total: int, counts: Counter[str]) -> ClassRow:
    return ClassRow(index, name, {**counts, UNASSIGNED: total - counts.total()})


def totals(dataset: Dataset) -> dict[str, float]:
    """`videos`, `refused`, `unlabelled`, `frames`, `seconds`, `bytes`, `groups`, `ungrouped`."""
    ok = Q(status=Video.Status.OK)
    found = dataset.videos.order_by().aggregate(
        videos=Count("pk", filter=ok),
        refused=Count("pk", filter=~ok),
        unlabelled=Count("pk", filter=ok & Q(label=None)),
        frames=Sum("frames", filter=ok),
        seconds=Sum("duration_seconds", filter=ok),
        bytes=Sum("size_bytes", filter=ok),
        groups=Count("group", filter=ok & ~Q(group=""), distinct=True),
        ungrouped=Count("pk", filter=ok & Q(group="")),
    )
    return {name: value or 0 for name, value in found.items()}


def num_groups(dataset: Dataset) -> int:
    """Of usable videos; 0 when nothing says which of them were cut from one recording."""
    return dataset.videos.filter(status=Video.Status.OK).exclude(group="").order_by().values("group").distinct().count()


def untested_classes(split: Split) -> list[str]:
    """Classes with videos, and none of them for testing."""
    return [row.name for row in class_rows(split.dataset, split) if row.total and not row.counts.get(SplitEntry.Subset.TEST)]


def measures(dataset: Dataset) -> dict[str, list[float]]:
    """Duration (s), fps and short side (px) of every usable video."""
    rows = list(dataset.videos.filter(status=Video.Status.OK).order_by().values_list("duration_seconds", "fps", "width", "height"))
    return {
        "duration": [duration for duration, *_rest in rows],
        "fps": [fps for _duration, fps, *_rest in rows],
        "short_side": [min(width, height) for *_rest, width, height in rows],
    }


@dataclass(frozen=True)
class SplitRow:
    """A split with the size of its subsets."""

    split: Split
    counts: dict[str, int]

    @property
    def has_tests(self) -> bool:
        return bool(self.counts.get(SplitEntry.Subset.TEST))

    @property
    def in_order(self) -> list[int]:
        return [self.counts.get(subset, 0) for subset in SplitEntry.Subset.values]


def split_rows(dataset: Dataset) -> list[SplitRow]:
    counted = SplitEntry.objects.filter(split__dataset=dataset, video__status=Video.Status.OK).order_by()
    counts: dict[int, dict[str, int]] = {}
    for split, subset, number in counted.values_list("split", "subset").annotate(Count("pk")):
        counts.setdefault(split, {})[subset] = number
    return [SplitRow(split, counts.get(split.pk, {})) for split in dataset.splits.all()]
