"""The streams of a fusion and the fusion itself, side by side: what they get right, alone and together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from webapp.charts.agreement import Part, agreement_bars
from webapp.charts.confusion import confusion_map
from webapp.charts.palette import GRAY, color_of
from webapp.charts.recall import RecallSeries, recall_bars
from webapp.experiments.gain import Alone, in_a_sentence
from webapp.experiments.models import Evaluation
from webapp.experiments.result_links import class_url, id_list, videos_url
from webapp.experiments.results import ClassResult, Results, ordered
from webapp.experiments.selectors.fusions import Agreement, Stream, agreements
from webapp.experiments.worst_classes import worst_by_column


class Column(NamedTuple):
    """What stands side by side."""

    name: str
    evaluation: Evaluation
    results: Results
    color: str


@dataclass(frozen=True)
class Answer:
    """One answer to “who is right?”: exactly the streams of this agreement; `query` finds its videos."""

    agreement: Agreement
    name: str
    color: str
    fused: Evaluation
    query: dict[str, str]

    @property
    def url(self) -> str:
        return videos_url(self.fused.pk, **self.query)

    @property
    def fused_url(self) -> str:
        """Those that the fusion gets right."""
        return videos_url(self.fused.pk, outcome="right", **self.query)

    def part_of(self, classes: Sequence[ClassResult]) -> Part:
        """Its part of the bar of each class."""
        counts, url_of = self.agreement.by_class, class_url(self.fused.pk, **self.query)
        return Part(self.name, self.color, [counts.get(row.index, 0) for row in classes], [url_of(row.index) for row in classes])


def side_by_side(fused: Evaluation, streams: Sequence[Stream]) -> dict[str, Any]:
    """What `fusion_detail.html` shows of a fusion that has its metrics."""
    results = Results.of(fused.metrics)
    columns = [Column(s.short, s.evaluation, s.results, color_of(place)) for place, s in enumerate(streams) if s.results]
    columns.append(Column(_("fusion"), fused, results, color_of(len(streams))))
    answers = [_answer(agreement, fused, streams) for agreement in agreements(fused, [stream.evaluation for stream in streams])]
    return {
        "results": results,
        "columns": columns,
        "sentence": _sentence(streams, results),
        "answers": answers,
        "neither": next((answer for answer in answers if not any(answer.agreement.right)), None),
        "worst": worst_by_column([column[:3] for column in columns]),
        "table": list(_recall_table(columns)),
        "agreement_figure": _agreement_figure(answers, results),
        "confusion_figures": list(_confusion_figures(columns)),
        "recall_figure": _recall_figure(columns),
    }


def _sentence(streams: Sequence[Stream], fused: Results) -> str:
    """Why the streams are fused."""
    alone = [Alone(stream.short, stream.results.top1) for stream in streams if stream.results]
    return in_a_sentence(alone, fused.top1, len(fused.classes), fused.num_videos)


def _answer(agreement: Agreement, fused: Evaluation, streams: Sequence[Stream]) -> Answer:
    right = [stream for stream, is_right in zip(streams, agreement.right, strict=True) if is_right]
    wrong = [stream for stream in streams if stream not in right]
    query = {"right": id_list(s.evaluation.pk for s in right), "wrong": id_list(s.evaluation.pk for s in wrong)}
    color = color_of(len(streams)) if not wrong else GRAY if not right else color_of(_place(agreement.right))
    return Answer(agreement, _name(right, streams), color, fused, query)


def _place(right: Sequence[bool]) -> int:
    """A stream's own colour where it alone is right, one of the colours after the fusion's for a mixture."""
    return right.index(True) if sum(right) == 1 else len(right) + sum(1 << position for position, one in enumerate(right) if one)


def _name(right: Sequence[Stream], streams: Sequence[Stream]) -> str:
    if len(right) == len(streams):
        return _("both") if len(streams) == 2 else _("all")
    if not right:
        return _("neither") if len(streams) == 2 else _("none")
    return _("only %(streams)s") % {"streams": " + ".join(stream.short for stream in right)}


def _recall_table(columns: Sequence[Column]) -> Iterator[dict[str, Any]]:
    """One line a class: its recall by each column."""
    for rows in zip(*(column.results.classes for column in columns), strict=True):
        yield {"index": rows[0].index, "name": rows[0].name, "support": rows[0].support, "recalls": [row.recall for row in rows]}


def _agreement_figure(answers: Sequence[Answer], fused: Results) -> dict[str, Any]:
    shown = [row for row in fused.classes if row.support]
    return agreement_bars([f"{row.name} ({row.support})" for row in shown], [answer.part_of(shown) for answer in answers])


def _confusion_figures(columns: Sequence[Column]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name, id and figure of each."""
    for place, (name, evaluation, results, _color) in enumerate(columns):
        order = [row.index for row in ordered(results.classes, "index")]
        cells = videos_url(evaluation.pk)
        yield name, f"confusion-{place}", confusion_map(results.confusion, results.names, order, is_small=True, cells_at=cells)


def _recall_figure(columns: Sequence[Column]) -> dict[str, Any]:
    series = [RecallSeries(name, results.classes, class_url(evaluation.pk), color) for name, evaluation, results, color in columns]
    return recall_bars(series, [row.index for row in ordered(columns[-1].results.classes, "index")])
