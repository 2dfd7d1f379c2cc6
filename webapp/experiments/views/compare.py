"""Runs and fusions side by side."""

from collections.abc import Mapping, Sequence
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
from webapp.experiments.config_rows import differences
from webapp.experiments.models import Evaluation, Fusion, Run
from webapp.experiments.result_links import class_url, ids_in, videos_url
from webapp.experiments.selectors.access import visible_fusions, visible_runs
from webapp.experiments.selectors.compare import Compared, change, compared
from webapp.experiments.selectors.distances import distance_reports
from webapp.experiments.selectors.runs import epoch_ends

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
    tested = [column for column in columns if column.evaluation]
    reports = distance_reports(runs)
    ctx = {
        "columns": [(column, color_of(place)) for place, column in enumerate(columns)],
        "runs": [(run, color_of(place)) for place, run in enumerate(runs)],
        "curves_figure": overlaid_curves(_colored(runs, epoch_ends(runs))),
        "distances_figure": overlaid_distances(_colored(runs, reports)),
        "without_distances": [run.name for run in runs if run.pk not in reports],
        "is_live": any(run.job.is_open for run in runs),
        "differences": differences([run.experiment for run in runs]),
        "warnings": _warnings(columns),
        "pairs": [_pair(tested[0], other) for other in tested[1:] if _is_same_test(tested[0].source, other.source)],
    }
    return render(request, "experiments/compare.html", ctx)


def _colored(runs: Sequence[Run], points: Mapping[int, Sequence[CurvePoint]]) -> list[RunCurve]:
    """Each run in the colour that it has everywhere on the page."""
    return [RunCurve(run.name, color_of(place), points.get(run.pk, [])) for place, run in enumerate(runs)]


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


def _is_same_test(first: Run | Fusion, second: Run | Fusion) -> bool:
    return (first.dataset_id, first.split_id) == (second.dataset_id, second.split_id)


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
