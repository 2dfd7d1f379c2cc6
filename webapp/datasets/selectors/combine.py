"""Combined datasets: with what one can be combined, and of what one was made."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from webapp.datasets.models import Dataset
from webapp.datasets.selectors import AnyUser, editable_datasets, visible_datasets
from webapp.jobs.models import Job


def partners(user: AnyUser, first: Dataset) -> QuerySet[Dataset]:
    """Other datasets with classes that the user may change: to combine is to train on, and to own a list of, the videos of both."""
    return editable_datasets(user).exclude(pk=first.pk).filter(labels__isnull=False).distinct()


@dataclass(frozen=True)
class Source:
    """One of the two datasets; without an address where it is gone, or not this user's to see."""

    name: str
    pk: int | None


@dataclass(frozen=True)
class Fate:
    """What became of a class of the second dataset: `added`, `joined` or `left_out`."""

    name: str
    target: str
    kind: str


@dataclass(frozen=True)
class Origin:
    """Of what a dataset was made, and the newest job that made it."""

    first: Source
    second: Source
    fates: tuple[Fate, ...]
    job: Job | None

    @property
    def counts(self) -> Counter[str]:
        """Classes of the second dataset by what became of them."""
        return Counter(fate.kind for fate in self.fates)

    @property
    def is_live(self) -> bool:
        return self.job is not None and self.job.is_open


def origin_of(dataset: Dataset, user: AnyUser) -> Origin | None:
    """None for a dataset that was imported."""
    stored = dataset.combination
    if not stored:
        return None
    job = Job.objects.filter(kind=Job.Kind.COMBINE, subject_id=dataset.pk).order_by("-id").first()
    seen = set(visible_datasets(user).filter(pk__in=[stored[place]["id"] for place in ("first", "second")]).values_list("pk", flat=True))
    first, second = (_source(stored[place], seen) for place in ("first", "second"))
    added = set(stored["added"])
    return Origin(first, second, tuple(_fate(name, target, added) for name, target in stored["classes"].items()), job)


def _source(stored: dict[str, Any], seen: set[int]) -> Source:
    return Source(stored["name"], stored["id"] if stored["id"] in seen else None)


def _fate(name: str, target: str, added: set[str]) -> Fate:
    return Fate(name, target, "left_out" if not target else "added" if target in added else "joined")
