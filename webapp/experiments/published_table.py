"""A published table with ours beside it: each row of theirs, and the runs, fusions and studies of ours that it describes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from ml.config.published import PublishedRow, PublishedTable
from ml.config.study import StudyConfig, trials
from webapp.datasets.selectors import AnyUser
from webapp.experiments.heads import Head, heads_of, seen_from
from webapp.experiments.models import Run, Study
from webapp.experiments.selectors.access import visible_fusions, visible_heads, visible_runs, visible_studies
from webapp.experiments.selectors.studies import Point, points
from webapp.experiments.studies.results import Row, Spread, published_row, rows
from webapp.experiments.studies.words import settings_words
from webapp.metrics import TITLES
from webapp.punctuation import listed

CHOICES = 40


@dataclass(frozen=True)
class Ours:
    """A column of ours: a study, or a run or a fusion as the study of one point that it is."""

    key: str
    name: str
    dataset: str
    url: str
    grid: StudyConfig
    rows: tuple[Row, ...]

    def beside(self, theirs: PublishedRow) -> list[Row]:
        return [row for row in self.rows if row.measured and theirs.describes(row.facts)]

    def words(self, row: Row) -> str:
        """Which of our rows it is: `Fusion: Average, Stack length L 5`"""
        return listed(filter(None, (row.source.name, settings_words(self.grid, row.settings))))


def ours_of(choice: Study | Head) -> Ours:
    source = choice.source if isinstance(choice, Head) else choice
    grid, found = _alone(choice) if isinstance(choice, Head) else (choice.grid, points(choice))
    url = reverse(f"experiments:{type(source).__name__.lower()}_detail", args=(source.pk,))
    return Ours(_key(choice), source.name, choice.dataset.name, url, grid, tuple(rows(grid, found, choice.dataset)))


def _key(choice: Study | Head) -> str:
    return choice.key if isinstance(choice, Head) else f"study-{choice.pk}"


def _alone(head: Head) -> tuple[StudyConfig, list[Point]]:
    """A grid of one point."""
    if isinstance(head.source, Run):
        grid = StudyConfig(streams=(seen_from(head),))
        return grid, [Point(trials(grid)[0], (head.source,))]
    streams = heads_of(head.source)
    grid = StudyConfig(streams=tuple(map(seen_from, streams)), fusions=(head.source.fusion,))
    return grid, [Point(trials(grid)[0], (*(stream.run for stream in streams), head.source))]


def choices_of(user: AnyUser) -> dict[str, Study | Head]:
    """The newest studies, fusions and runs by their key: what may stand beside a table.

    A run that learnt several datasets stands there once for each of them. What is in a study of its dataset stands there with the study.
    """
    fusions = visible_fusions(user).exclude(memberships__evaluation__run__studies__dataset=F("dataset"))
    alone_or_joint = Q(studies=None) | Q(config__data__also__0__isnull=False)
    runs = visible_runs(user).filter(alone_or_joint, is_archived=False).distinct().prefetch_related("studies")
    choices: list[Study | Head] = [*visible_studies(user)[:CHOICES], *map(Head, fusions[:CHOICES])]
    choices += [head for head in visible_heads(user, runs[:CHOICES]) if not _is_in_a_study(head)]
    return {_key(choice): choice for choice in choices}


def _is_in_a_study(head: Head) -> bool:
    """Of its dataset."""
    return isinstance(head.source, Run) and any(study.dataset_id == head.dataset.pk for study in head.source.studies.all())


@dataclass(frozen=True)
class Line:
    """A row of the paper with its numbers by dataset, and our rows of each column."""

    theirs: PublishedRow
    values: tuple[str, ...]
    ours: tuple[list[tuple[Row, Spread]], ...]


class Comparison:
    """A published table and columns of ours."""

    def __init__(self, table: PublishedTable, columns: Sequence[Ours]) -> None:
        self.table, self.columns = table, columns
        self.lines = [self._line(row) for row in table.rows]
        self.others = [
            (column, column.words(row), row, row.spread(table.metric))
            for column in columns
            for row in column.rows
            if row.measured and published_row(table, row) is None
        ]

    def _line(self, theirs: PublishedRow) -> Line:
        values = tuple(_number(theirs, dataset) for dataset in self.table.datasets)
        ours = tuple([(row, row.spread(self.table.metric)) for row in column.beside(theirs)] for column in self.columns)
        return Line(theirs, values, ours)

    @property
    def header(self) -> list[str]:
        return [_("Method"), _("Where"), _("Dataset"), f"{TITLES[self.table.metric]} (%)", _("Videos"), _("Tested"), _("Protocol")]

    def cells(self) -> Iterator[list[str]]:
        """Under `header`: one line a number, theirs and ours."""
        paper = f"{self.table.paper}, {self.table.number}"
        for line in self.lines:
            for dataset, value in zip(self.table.datasets, line.values, strict=True):
                yield [line.theirs.label, paper, dataset, value, "", "", self.table.note]
            for column, found in zip(self.columns, line.ours, strict=True):
                yield from (_cells(line.theirs.label, column, row, spread) for row, spread in found)
        yield from (_cells(words, column, row, spread) for column, words, row, spread in self.others)


def _cells(label: str, column: Ours, row: Row, spread: Spread) -> list[str]:
    return [label, column.name, column.dataset, str(spread), row.videos, f"{len(row.measured)}/{row.wanted}", row.protocol]


def _number(row: PublishedRow, dataset: str) -> str:
    if dataset not in row.values:
        return "–"
    value = row.values[dataset]
    return f"{value:.1f}" if value is not None else _("did not converge")
