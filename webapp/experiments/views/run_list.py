"""The table of runs."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.experiments.forms.run_list import RunFilterForm
from webapp.experiments.selectors.access import editable_runs, visible_runs
from webapp.experiments.selectors.folding import ALL, folded
from webapp.experiments.selectors.run_list import columns, filtered, with_test_result

RUNS_PER_PAGE = 50


@require_GET
def run_list(request: HttpRequest) -> HttpResponse:
    """All runs the user may see, with the number they earned and its protocol."""
    form = RunFilterForm(request.user, request.GET)
    chosen = form.chosen()
    runs = visible_runs(request.user)
    page = Paginator(filtered(with_test_result(runs), **chosen), RUNS_PER_PAGE).get_page(request.GET.get("page"))
    is_folded = not chosen["study"] and page.number == 1
    ctx = {
        "form": form,
        "page": page,
        "folded": folded(request.user, filtered(runs, **{**chosen, "study": ALL, "order": ""})) if is_folded else [],
        "may_change": editable_runs(request.user).filter(pk__in=[run.pk for run in page]).exists(),
        "columns": columns(chosen["order"]),
        "shows_archive": chosen["archived"],
        "has_filters": any(value for name, value in chosen.items() if name != "order"),
    }
    return render(request, "experiments/run_list.html", ctx)
