"""Published tables with our numbers beside them."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from ml.config.published import PUBLISHED
from webapp.downloads import csv_response
from webapp.experiments.published_table import Comparison, choices_of, ours_of
from webapp.latex import latex_response
from webapp.metrics import definitions


@require_GET
def published_list(request: HttpRequest) -> HttpResponse:
    """The tables of the papers."""
    return render(request, "experiments/published_list.html", {"tables": PUBLISHED})


@require_GET
def published_detail(request: HttpRequest, key: str) -> HttpResponse:
    """`?ours=study-3&ours=fusion-1`: the paper's rows, and ours in columns."""
    comparison = _comparison(request, key)
    chosen = {column.key for column in comparison.columns}
    ctx = {"key": key, "comparison": comparison, "table": comparison.table, "choices": choices_of(request.user), "chosen": chosen}
    return render(request, "experiments/published_detail.html", ctx)


@require_GET
def published_csv(request: HttpRequest, key: str) -> HttpResponse:
    comparison = _comparison(request, key)
    return csv_response(f"{key}.csv", comparison.header, comparison.cells())


@require_GET
def published_latex(request: HttpRequest, key: str) -> HttpResponse:
    comparison = _comparison(request, key)
    caption = f"{comparison.table.title} ({comparison.table.paper}, {comparison.table.number})"
    return latex_response(key, caption, comparison.header, comparison.cells(), definitions([comparison.table.metric]))


def _comparison(request: HttpRequest, key: str) -> Comparison:
    """Raises:
    Http404: no such table, or something to compare with that is not there or not this user's to see.
    """
    if key not in PUBLISHED:
        raise Http404
    asked = list(dict.fromkeys(request.GET.getlist("ours")))
    choices = choices_of(request.user) if asked else {}
    if not choices.keys() >= set(asked):
        raise Http404
    return Comparison(PUBLISHED[key], [ours_of(choices[one]) for one in asked])
