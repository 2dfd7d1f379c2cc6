"""The table of a study as it stands on the page, in a CSV file and in LaTeX."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext as _

from ml.config.published import PublishedRow, PublishedTable
from ml.config.study import Values, trials
from webapp.experiments.config_rows import readable
from webapp.experiments.gain import chance
from webapp.experiments.models import Study
from webapp.experiments.studies.results import METRICS, Measured, Row, Spread, published_row
from webapp.experiments.studies.words import settings_words, title_of
from webapp.metrics import TITLES, definitions


@dataclass(frozen=True)
class Line:
    """A row in words: its value on every varied axis, and the paper's row that describes it, with its number on the dataset."""

    row: Row
    titles: Sequence[str]
    metrics: Sequence[str]
    settings: tuple[Any, ...]
    theirs: PublishedRow | None
    published_percent: float | None
    by_repeat: tuple[Measured | None, ...]

    @property
    def published(self) -> str:
        if self.theirs is None:
            return "–"
        return f"{self.published_percent:.1f}" if self.published_percent is not None else _("did not converge")

    @property
    def named_settings(self) -> list[tuple[str, Any]]:
        return list(zip(self.titles, self.settings, strict=True))

    @property
    def spreads(self) -> dict[Promise, Spread]:
        """By the title of the metric."""
        return {TITLES[metric]: self.row.spread(metric) for metric in self.metrics}


class StudyTable:
    """Lines beside the rows of one published table; `tables` are all that could stand there."""

    def __init__(self, study: Study, found: Sequence[Row], tables: Mapping[str, PublishedTable], beside: str) -> None:
        self.study, self.tables, self.beside = study, tables, beside
        self.published = tables.get(beside)
        self.axes = study.grid.varied
        self.axis_titles = [title_of(study.grid, axis.field) for axis in self.axes]
        self.repeats = _distinct(trial.repeat for trial in trials(study.grid))
        self.lines = [self._line(row) for row in found]

    @property
    def metric(self) -> str:
        """What the chart shows: the number that the published table has."""
        return self.published.metric if self.published else "top1"

    @property
    def metric_titles(self) -> dict[str, Promise]:
        """By the metric; without Top-5 where the five best always have the true class."""
        return {metric: title for metric, title in TITLES.items() if metric != "top5" or self.num_classes > 5}

    @property
    def has_repeats(self) -> bool:
        return len(self.repeats) > 1

    @cached_property
    def num_classes(self) -> int:
        return self.study.dataset.labels.count()

    @property
    def chance(self) -> Spread:
        """Top-1 of whoever guesses, as exact as the numbers in the table."""
        counts = [one.num_videos for line in self.lines for one in line.row.measured]
        return Spread((chance(self.num_classes),), min(counts, default=None))

    @property
    def repeat_titles(self) -> list[str]:
        return [settings_words(self.study.grid, repeat) for repeat in self.repeats]

    def _line(self, row: Row) -> Line:
        settings = tuple(readable(row.settings[axis.field]) if axis.field in row.settings else "–" for axis in self.axes)
        by_repeat = (next((one for one in row.measured if one.repeat == repeat), None) for repeat in self.repeats)
        theirs = published_row(self.published, row) if self.published else None
        percent = theirs.values[dataset_of(theirs.values, self.study.dataset.name)] if theirs else None
        return Line(row, self.axis_titles, tuple(self.metric_titles), settings, theirs, percent, tuple(by_repeat))

    @property
    def published_title(self) -> str:
        """`Simonyan & Zisserman 2014, Table 4`"""
        return f"{self.published.paper}, {_(self.published.number)}" if self.published else ""

    @property
    def header(self) -> list[str]:
        paper = [self.published_title] if self.published else []
        metrics = (f"{title} (%)" for title in self.metric_titles.values())
        return [_("Source"), *self.axis_titles, *metrics, _("Videos"), _("Runs"), *paper, _("Protocol")]

    def cells(self) -> Iterator[list[str]]:
        """Under `header`."""
        for line in self.lines:
            paper = [line.published] if self.published else []
            counts = line.row.videos, f"{len(line.row.measured)}/{line.row.wanted}"
            yield [line.row.source.name, *map(str, line.settings), *map(str, line.spreads.values()), *counts, *paper, line.row.protocol]

    @property
    def csv_header(self) -> list[str]:
        metrics = [f"{metric}_{part}" for metric in METRICS for part in ("mean", "sd")]
        return ["source", *(axis.field for axis in self.axes), *metrics, "videos", "runs", "wanted", "published", "definitions", "protocol"]

    def csv_cells(self) -> Iterator[list[object]]:
        """Under `csv_header`: fractions 0…1, and nothing where there is no number."""
        defined = definitions(METRICS)
        for line in self.lines:
            values = (line.row.settings.get(axis.field, "") for axis in self.axes)
            spreads = map(line.row.spread, METRICS)
            numbers = (part for spread in spreads for part in (spread.mean, spread.sd))
            counts = line.row.videos, len(line.row.measured), line.row.wanted
            published = "" if line.published_percent is None else round(line.published_percent / 100, 6)
            yield [line.row.source.name, *values, *numbers, *counts, published, defined, line.row.protocol]


def dataset_of(columns: Mapping[str, object], name: str) -> str:
    """The column whose dataset a name speaks of; the first where it speaks of none."""
    return named_in(columns, name) or next(iter(columns))


def named_in(columns: Iterable[str], name: str) -> str:
    """The published dataset that a name speaks of, `My UCF-101` of UCF101; or nothing."""
    plain = "".join(filter(str.isalnum, name.casefold()))
    return next((column for column in columns if column.casefold() in plain), "")


def _distinct(repeats: Iterable[Values]) -> list[Values]:
    """In their order."""
    found: list[Values] = []
    for repeat in repeats:
        if repeat not in found:
            found.append(repeat)
    return found
