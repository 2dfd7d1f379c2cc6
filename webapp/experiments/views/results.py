"""What came out of an evaluation: numbers with their protocol, charts, and the videos behind them."""

from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET
from django_htmx.http import HttpResponseClientRefresh

from webapp.datasets.selectors import AnyUser
from webapp.experiments.class_charts import class_charts
from webapp.experiments.forms.results import ScoredVideoFilter
from webapp.experiments.models import Evaluation
from webapp.experiments.results import Results
from webapp.experiments.selectors.results import evaluations_with_source, scored_videos, with_names, worst_mistakes
from webapp.requests import Request

VIDEOS_PER_PAGE = 48


@require_GET
def evaluation_detail(request: Request, pk: int) -> HttpResponse:
    """Everything one evaluation says; until its job is done, how far it is."""
    evaluation = get_object_or_404(evaluations_with_source(request.user), pk=pk)
    ctx: dict[str, Any] = {"evaluation": evaluation, "source": evaluation.source, "job": evaluation.job}
    if not evaluation.metrics:
        return render(request, "experiments/evaluation_pending.html", ctx)
    if request.htmx.target == "live":
        return HttpResponseClientRefresh()  # asked by the page that waits: it becomes this one, with its scripts
    ctx |= class_charts(evaluation, request.GET)
    ctx["mistakes"] = with_names(worst_mistakes(evaluation), ctx["results"].names)
    return render(request, "experiments/evaluation_detail.html", ctx)


@require_GET
def evaluation_videos(request: HttpRequest, pk: int) -> HttpResponse:
    """The scored videos, by true class, predicted class and outcome."""
    evaluation = get_object_or_404(evaluations_with_source(request.user), pk=pk)
    if not evaluation.metrics:
        return redirect("experiments:evaluation_detail", pk)
    results = Results.of(evaluation.metrics)
    form = ScoredVideoFilter(results.names, request.GET)
    chosen = form.chosen()
    others = _others(request.user, chosen["right"] + chosen["wrong"])
    page = Paginator(scored_videos(evaluation, **chosen), VIDEOS_PER_PAGE).get_page(request.GET.get("page"))
    ctx = {
        "evaluation": evaluation,
        "source": evaluation.source,
        "results": results,
        "form": form,
        "page": page,
        "videos": with_names(page, results.names),
        "right": [others[other] for other in chosen["right"]],
        "wrong": [others[other] for other in chosen["wrong"]],
        "trail": urlencode({"scored": pk, **{name: value for name in form.fields if (value := request.GET.get(name))}}),
    }
    return render(request, "experiments/evaluation_videos.html", ctx)


def _others(user: AnyUser, ids: list[int]) -> dict[int, Evaluation]:
    """The evaluations named in the address: all of them visible, or the page does not exist."""
    found = evaluations_with_source(user).in_bulk(ids) if ids else {}
    if set(found) != set(ids):
        raise Http404
    return found
