"""What an evaluation says class by class, as its own page and the page of its run draw it (Figures 5 and 6 of the two-stream paper)."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from webapp.charts.confusion import confusion_map
from webapp.charts.recall import RecallSeries, recall_bars
from webapp.experiments.forms.results import ChartOptions
from webapp.experiments.models import Evaluation
from webapp.experiments.result_links import class_url, videos_url
from webapp.experiments.results import Results, ordered, top_confusions, worst_classes
from webapp.experiments.worst_classes import worst_by_column

WORST_CLASSES = 40


def class_charts(evaluation: Evaluation, query: Mapping[str, Any]) -> dict[str, Any]:
    """What `_class_charts.html` shows of an evaluation with metrics, drawn as the address asks."""
    results = Results.of(evaluation.metrics)
    options = ChartOptions(query)
    return {
        "evaluation": evaluation,
        "results": results,
        "options": options.shown(),
        "worst": worst_by_column([(_("Recall, taken for"), evaluation, results)]),
        "confusions": top_confusions(results),
        **_figures(evaluation, results, options.chosen()),
    }


def _figures(evaluation: Evaluation, results: Results, chosen: dict[str, str]) -> dict[str, Any]:
    series = RecallSeries("", results.classes, class_url(evaluation.pk))
    rows = ordered(results.classes, chosen["order"])  # type: ignore[arg-type]
    matrix = ordered(results.classes, chosen["matrix"])  # type: ignore[arg-type]
    if chosen["classes"] == "worst":
        worst = worst_classes(results.classes, WORST_CLASSES)
        matrix = [row for row in matrix if row in worst]
    confusion = confusion_map(
        results.confusion,
        results.names,
        [row.index for row in matrix],
        normalized=chosen["cells"] == "share",
        diagonal=chosen["diagonal"] == "show",
        cells_at=videos_url(evaluation.pk),
    )
    return {"recall_figure": recall_bars([series], [row.index for row in rows]), "confusion_figure": confusion}
