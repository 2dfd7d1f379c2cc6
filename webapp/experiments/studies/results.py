"""What comes out of a study: each stream and fusion, with each choice of settings, over splits and seeds."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from django.db.models import FloatField, Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from ml.config.published import PUBLISHED, PublishedRow, PublishedTable
from ml.config.study import StudyConfig, Values
from webapp.datasets.models import Dataset
from webapp.experiments.models import Evaluation, Fusion, Run
from webapp.experiments.selectors.results import headline
from webapp.experiments.selectors.studies import Point, Source, sources
from webapp.jobs.models import Job
from webapp.metrics import TITLES
from webapp.protocols import brief_of
from webapp.shares import percentage
from webapp.words import translated

METRICS = tuple(TITLES)
Tests = dict[Run | Fusion, list[Evaluation]]


@dataclass(frozen=True)
class Spread:
    """A metric over splits and seeds: fractions 0…1, written as percentages of so many videos each."""

    values: tuple[float, ...]
    num_videos: int | None = None

    @property
    def mean(self) -> float | None:
        return fmean(self.values) if self.values else None

    @property
    def sd(self) -> float | None:
        """Of the sample: divided by n − 1."""
        return stdev(self.values) if len(self.values) > 1 else None

    def __str__(self) -> str:
        if self.mean is None:
            return "–"
        return " ± ".join(percentage(number, self.num_videos) for number in (self.mean, self.sd) if number is not None)


@dataclass(frozen=True)
class Measured:
    """A finished test at one split and seed, with its metrics (0…1) over so many videos."""

    repeat: Values
    test: Evaluation
    metrics: dict[str, float | None]
    num_videos: int


@dataclass(frozen=True)
class Row:
    """One source with one choice of settings under one protocol; `wanted` counts the splits and seeds it is to be repeated on."""

    source: Source
    settings: Values
    facts: Values
    protocol: str
    brief: str
    wanted: int
    measured: tuple[Measured, ...]

    def spread(self, metric: str) -> Spread:
        values = tuple(value for one in self.measured if (value := one.metrics[metric]) is not None)
        return Spread(values, min((one.num_videos for one in self.measured), default=None))

    @property
    def only(self) -> Measured | None:
        """The test, where there is one alone."""
        return self.measured[0] if len(self.measured) == 1 else None

    @property
    def videos(self) -> str:
        """How many each test has: `7`, or `1530…1588` where splits differ."""
        counts = sorted({one.num_videos for one in self.measured})
        return "…".join(map(str, dict.fromkeys((counts[0], counts[-1])))) if counts else "–"


def rows(grid: StudyConfig, found: Sequence[Point], dataset: Dataset) -> list[Row]:
    """Source by source, in the order of the grid, as tested on this dataset."""
    tests = _tests(found, dataset)
    return [row for source in sources(grid) for group in _groups(source, found) for row in _rows(source, group, tests, dataset)]


def _groups(source: Source, found: Sequence[Point]) -> list[list[Point]]:
    """Points that are the same to this source but for their splits and seeds."""
    groups: defaultdict[str, dict[str, Point]] = defaultdict(dict)
    for point in found:
        groups[repr(source.settings(point.trial))].setdefault(repr(point.trial.repeat), point)
    return [list(group.values()) for group in groups.values()]


def _rows(source: Source, group: Sequence[Point], tests: Tests, dataset: Dataset) -> Iterator[Row]:
    """One row a protocol; where nothing is tested yet, one that says what is planned."""
    by_protocol: defaultdict[tuple[str, str], list[Measured]] = defaultdict(list)
    for point in group:
        member = point.members[source.place]
        for test in tests.get(member, []) if member is not None else []:
            by_protocol[_protocol(test)].append(_measured(point, test))
    first = group[0].trial
    about = source.settings(first), {**source.facts(first), "dataset.combined": bool(dataset.combination)}
    planned = translated(source.protocol(first)), brief_of(source.short(first))
    for protocol, measured in (by_protocol or {planned: []}).items():
        yield Row(source, *about, *protocol, len(group), tuple(measured))


def _protocol(test: Any) -> tuple[str, str]:
    """Of a test of `_tests`: whole, and for a line."""
    return translated(test.described), brief_of(test.short)


def _measured(point: Point, test: Any) -> Measured:
    return Measured(point.trial.repeat, test, {metric: getattr(test, metric) for metric in METRICS}, test.num_videos)


def _tests(found: Sequence[Point], dataset: Dataset) -> Tests:
    """The finished tests of every run and fusion on this dataset with their `headline` and all METRICS."""
    members = {member for point in found for member in point.members if member is not None}
    runs, fusions = ([one for one in members if isinstance(one, kind)] for kind in (Run, Fusion))
    numbers = {metric: Cast(KeyTextTransform(metric, "metrics"), FloatField()) for metric in METRICS}
    here = Q(other_split__dataset=dataset) | Q(other_split=None, run__dataset=dataset)
    done = Evaluation.objects.filter(Q(here, run__in=runs) | Q(fusion__in=fusions), subset="test", job__state=Job.State.DONE)
    tests: defaultdict[Run | Fusion, list[Evaluation]] = defaultdict(list)
    for test in done.defer("metrics").annotate(**headline("metrics") | numbers).select_related("run", "fusion").order_by("pk"):
        tests[test.source].append(test)
    return tests


def tables_beside(found: Sequence[Row]) -> dict[str, PublishedTable]:
    """The published tables that describe some of these; the one that tells most of them apart is the first."""
    told_apart = {key: len({row.label for one in found if (row := published_row(table, one))}) for key, table in PUBLISHED.items()}
    return {key: PUBLISHED[key] for key in sorted(PUBLISHED, key=lambda key: -told_apart[key]) if told_apart[key]}


def published_row(table: PublishedTable, row: Row) -> PublishedRow | None:
    """The published row that describes ours."""
    return next((one for one in table.rows if one.describes(row.facts)), None)
