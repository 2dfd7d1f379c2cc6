"""Runs and fusions side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from webapp.charts.compare import recall_deltas
from webapp.charts.curves import CurvePoint
from webapp.charts.distances import overlaid_distances
from webapp.charts.overlay import RunCurve, overlaid_curves
from webapp.charts.palette import color_of
from webapp.datasets.models import Dataset
from webapp.experiments.config_rows import differences
from webapp.experiments.models import Evaluation, Fusion, Run
from webapp.experiments.result_links import class_url, ids_in, videos_url
from webapp.experiments.selectors.access import visible_fusions, visible_runs
from webapp.experiments.selectors.compare import Compared, change, compared
from webapp.experiments.selectors.distances import distance_reports
from webapp.experiments.selectors.runs import epoch_ends, saw_changes

Colored = tuple[Compared, str]
"""With its colour."""

Points = Mapping[int, Sequence[CurvePoint]]
"""By the run's id."""

MOST = 8
"""Runs and fusions together: more colours than that nobody tells apart."""


@require_GET
def compare(request: HttpRequest) -> HttpResponse:
    """`?runs=1,2&fusions=3`: what differs in their numbers and, against the first, on which videos; of runs, also configs and curves."""
    runs: list[Run] = _asked(request, "runs", visible_runs(request.user))
    fusions: list[Fusion] = _asked(request, "fusions", visible_fusions(request.user))
    if len(runs) + len(fusions) < 2:
        return render(request, "experiments/compare_empty.html", {})
    columns = compared(runs, fusions)[:MOST]
    ctx = {
        "groups": _groups(columns),
        "runs": [(run, color_of(place)) for place, run in enumerate(runs)],
        "is_live": any(run.job.is_open for run in runs),
        "differences": differences([run.experiment for run in runs]),
        "warnings": _warnings(columns),
        "saw_changes": saw_changes([*runs, *Run.objects.filter(evaluations__fusion_memberships__fusion__in=fusions)]),
    }
    return render(request, "experiments/compare.html", ctx)


@dataclass(frozen=True)
class Group:
    """What was trained on one dataset: only their numbers and curves compare. `pairs` are with the first one that is tested."""

    dataset: Dataset
    columns: list[Colored]
    curves_figure: dict[str, Any]
    distances_figure: dict[str, Any]
    without_distances: list[str]
    pairs: list[dict[str, Any]]

    @property
    def has_runs(self) -> bool:
        """Fusions have no curves."""
        return any(isinstance(column.source, Run) for column, _color in self.columns)

    @property
    def curves_id(self) -> str:
        """Of the element that holds the figure."""
        return f"curves-figure-{self.dataset.pk}"

    @property
    def distances_id(self) -> str:
        return f"distances-figure-{self.dataset.pk}"


def _groups(columns: Sequence[Compared]) -> list[Group]:
    """A group a dataset, in the order of the address; everybody has one colour on the whole page."""
    colored = [(column, color_of(place)) for place, column in enumerate(columns)]
    runs = [column.source for column in columns if isinstance(column.source, Run)]
    ends, reports = epoch_ends(runs), distance_reports(runs)
    datasets = dict.fromkeys(column.source.dataset for column in columns)
    return [_group(dataset, [one for one in colored if one[0].source.dataset == dataset], ends, reports) for dataset in datasets]


def _group(dataset: Dataset, columns: list[Colored], ends: Points, reports: Points) -> Group:
    runs = [(column.source, color) for column, color in columns if isinstance(column.source, Run)]
    tested = [column for column, _color in columns if column.evaluation]
    return Group(
        dataset,
        columns,
        overlaid_curves([RunCurve(run.name, color, ends.get(run.pk, [])) for run, color in runs]),
        overlaid_distances([RunCurve(run.name, color, reports.get(run.pk, [])) for run, color in runs]),
        [run.name for run, _color in runs if run.pk not in reports],
        [_pair(tested[0], other) for other in tested[1:] if other.source.split_id == tested[0].source.split_id],
    )


def _asked(request: HttpRequest, name: str, visible: Any) -> list[Any]:
    """Those of the address in its order, each once.

    Raises:
        Http404: one of them is not there, or not this user's to see.
    """
    ids = ids_in(request.GET.getlist(name))[:MOST]
    found = visible.in_bulk(ids)
    if len(found) != len(ids):
        raise Http404
    return [found[pk] for pk in ids]


def _warnings(columns: Sequence[Compared]) -> list[str]:
    """Why numbers may not be comparable."""
    warnings = []
    if len({column.source.dataset_id for column in columns}) > 1:
        warnings.append(_("These were trained on different datasets: their numbers do not compare."))
    elif len({column.source.split_id for column in columns}) > 1:
        warnings.append(_("These were trained on different splits: they were tested on different videos."))
    protocols = {column.results.protocol.short for column in columns if column.results}
    if len(protocols) > 1:
        shown = ", ".join(sorted(protocols))
        warnings.append(_("The test protocols differ (%(shown)s): part of a difference may come from them.") % {"shown": shown})
    untested = [str(column.source) for column in columns if not column.results]
    if untested:
        warnings.append(_("No finished test evaluation: %(runs)s.") % {"runs": ", ".join(untested)})
    return warnings


def _pair(before: Compared, after: Compared) -> dict[str, Any]:
    """One of them against the first: change of recall and the videos that changed."""
    old, new = _evaluation(before), _evaluation(after)
    assert before.results is not None and after.results is not None  # noqa: S101 - an evaluation came with them
    return {
        "before": before,
        "after": after,
        "change": change(old, new),
        "id": f"deltas-{new.pk}",
        "figure": recall_deltas(before.results.classes, after.results.classes, class_url(new.pk)),
        "gained_url": videos_url(new.pk, outcome="right", wrong=old.pk),
        "lost_url": videos_url(new.pk, outcome="wrong", right=old.pk),
    }


def _evaluation(column: Compared) -> Evaluation:
    assert column.evaluation is not None  # noqa: S101 - only what is tested is paired
    return column.evaluation
