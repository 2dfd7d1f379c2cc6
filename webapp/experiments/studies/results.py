"""What comes out of a study: each stream and fusion, with each choice of settings, over splits and seeds."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from django.db.models import FloatField, Q
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast

from ml.config.published import PUBLISHED, PublishedRow, PublishedTable
from ml.config.study import StudyConfig, Values
from webapp.datasets.models import Dataset
from webapp.experiments.models import Evaluation, Fusion, Run
from webapp.experiments.selectors.studies import Point, Source, sources
from webapp.jobs.models import Job
from webapp.metrics import TITLES
from webapp.words import translated

METRICS = tuple(TITLES)
Tests = dict[Run | Fusion, list[Evaluation]]


@dataclass(frozen=True)
class Spread:
    """A metric over splits and seeds: fractions 0…1, written as percentages."""

    values: tuple[float, ...]

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
        return f"{100 * self.mean:.1f}" + ("" if self.sd is None else f" ± {100 * self.sd:.1f}")


@dataclass(frozen=True)
class Measured:
    """A finished test at one split and seed, with its metrics (0…1)."""

    repeat: Values
    test: Evaluation
    metrics: dict[str, float | None]


@dataclass(frozen=True)
class Row:
    """One source with one choice of settings under one protocol; `wanted` counts the splits and seeds it is to be repeated on."""

    source: Source
    settings: Values
    facts: Values
    protocol: str
    wanted: int
    measured: tuple[Measured, ...]

    def spread(self, metric: str) -> Spread:
        return Spread(tuple(value for one in self.measured if (value := one.metrics[metric]) is not None))


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
    by_protocol: defaultdict[str, list[Measured]] = defaultdict(list)
    for point in group:
        member = point.members[source.place]
        for test in tests.get(member, []) if member is not None else []:
            metrics = {metric: getattr(test, metric) for metric in METRICS}
            by_protocol[translated(test.described)].append(Measured(point.trial.repeat, test, metrics))  # type: ignore[attr-defined]
    first = group[0].trial
    for protocol, measured in (by_protocol or {translated(source.protocol(first)): []}).items():
        about = (source.settings(first), {**source.facts(first), "dataset.combined": bool(dataset.combination)}, protocol, len(group))
        yield Row(source, *about, tuple(measured))


def _tests(found: Sequence[Point], dataset: Dataset) -> Tests:
    """The finished tests of every run and fusion on this dataset with their numbers; the large metrics stay in the database."""
    members = {member for point in found for member in point.members if member is not None}
    runs, fusions = ([one for one in members if isinstance(one, kind)] for kind in (Run, Fusion))
    numbers = {metric: Cast(KeyTextTransform(metric, "metrics"), FloatField()) for metric in METRICS}
    described = KeyTransform("description", KeyTransform("protocol", "metrics"))
    here = Q(other_split__dataset=dataset) | Q(other_split=None, run__dataset=dataset)
    done = Evaluation.objects.filter(Q(here, run__in=runs) | Q(fusion__in=fusions), subset="test", job__state=Job.State.DONE)
    tests: defaultdict[Run | Fusion, list[Evaluation]] = defaultdict(list)
    for test in done.defer("metrics").annotate(**numbers, described=described).select_related("run", "fusion").order_by("pk"):
        tests[test.source].append(test)
    return tests


def tables_beside(found: Sequence[Row]) -> dict[str, PublishedTable]:
    """The published tables that describe some of these; the one that tells most of them apart is the first."""
    told_apart = {key: len({row.label for one in found if (row := published_row(table, one))}) for key, table in PUBLISHED.items()}
    return {key: PUBLISHED[key] for key in sorted(PUBLISHED, key=lambda key: -told_apart[key]) if told_apart[key]}


def published_row(table: PublishedTable, row: Row) -> PublishedRow | None:
    """The published row that describes ours."""
    return next((one for one in table.rows if one.describes(row.facts)), None)
