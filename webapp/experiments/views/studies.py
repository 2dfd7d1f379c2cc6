"""Studies: their list, a new one, and the page that fills as its runs finish."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ml.config.studies import STUDIES
from ml.errors import UserError
from webapp.charts.study import study_chart
from webapp.downloads import csv_response
from webapp.experiments.forms.studies import AxisForm, NewStudy, growing_knobs
from webapp.experiments.models import Study
from webapp.experiments.preflight import Finding
from webapp.experiments.selectors.access import editable_studies, visible_runs, visible_studies
from webapp.experiments.selectors.run_list import with_test_result
from webapp.experiments.selectors.runs import saw_changes
from webapp.experiments.selectors.studies import is_live, points, still_stopping
from webapp.experiments.services.studies import add_values, dissolve_study, foreseen, launch_study, resume_study, stop_study
from webapp.experiments.studies.bases import base_of
from webapp.experiments.studies.results import rows, tables_beside
from webapp.experiments.studies.table import StudyTable, named_in
from webapp.latex import latex_response
from webapp.metrics import definitions
from webapp.requests import Request, tell_errors, told

STUDIES_PER_PAGE = 50


@require_GET
def study_list(request: HttpRequest) -> HttpResponse:
    """All studies the user may see, and those of the papers."""
    studies = visible_studies(request.user).annotate(num_runs=Count("runs"))
    ctx = {"page": Paginator(studies, STUDIES_PER_PAGE).get_page(request.GET.get("page")), "presets": STUDIES}
    return render(request, "experiments/study_list.html", ctx)


@require_http_methods(["GET", "POST"])
def study_new(request: Request) -> HttpResponse:
    """`?run=`, `?fusion=` or `?preset=`: which fields to vary, on which splits, with how many seeds."""
    base = base_of(request.user, request.GET)
    form = NewStudy(request.user, base, request.POST or None)
    findings: list[Finding] = []
    if request.method == "POST" and form.is_valid():
        where = form.launch.cleaned_data
        try:
            if request.POST.get("action") == "check":
                findings = foreseen(request.user, where["split"], form.grid, base.runs)
            else:
                study = launch_study(request.user, where["split"], form.grid, where["name"], base.runs)
                messages.success(request, _("Queued. This page follows the study from here."))
                return redirect("experiments:study_detail", study.pk)
        except UserError as error:
            form.launch.add_error(None, error.sentences)
    is_check = request.htmx.target == "findings"
    ctx = {
        "base": base,
        "form": form,
        "launch": form.launch,
        "findings": findings,
        "is_refused": is_check and bool(request.POST) and not form.is_valid(),
    }
    return render(request, "experiments/_findings.html" if is_check else "experiments/study_new.html", ctx)


@require_GET
def study_detail(request: Request, pk: int) -> HttpResponse:
    """The table and the chart as they are now, and the runs; or the live part that asks for itself again."""
    study = get_object_or_404(visible_studies(request.user), pk=pk)
    table = _table(request, study)
    runs = with_test_result(visible_runs(request.user).filter(studies=study), study.dataset).order_by("pk")
    may_change = editable_studies(request.user).filter(pk=pk).exists()
    ctx = {
        "study": study,
        "table": table,
        "figure": study_chart(table),
        "runs": runs,
        "saw_changes": saw_changes(runs),
        "is_live": is_live(study),
        "may_change": may_change,
        "more": AxisForm(study.grid.streams, growing_knobs(study.grid)) if may_change else None,
    }
    return render(request, "experiments/_study_live.html" if request.htmx else "experiments/study_detail.html", ctx)


def _table(request: HttpRequest, study: Study) -> StudyTable:
    """The study's table beside the published one that the address names, or the first that fits and is of this dataset."""
    found = rows(study.grid, points(study), study.dataset)
    beside = tables_beside(found)
    fitting = (key for key, published in beside.items() if named_in(published.datasets, study.dataset.name))
    asked = request.GET.get("beside", next(fitting, ""))
    return StudyTable(study, found, beside, asked if asked in beside else "")


@require_GET
def study_csv(request: HttpRequest, pk: int) -> HttpResponse:
    table = _table(request, get_object_or_404(visible_studies(request.user), pk=pk))
    return csv_response(f"study-{pk}.csv", table.csv_header, table.csv_cells())


@require_GET
def study_latex(request: HttpRequest, pk: int) -> HttpResponse:
    table = _table(request, get_object_or_404(visible_studies(request.user), pk=pk))
    caption = f"{table.study.name} ({table.study.dataset})"
    return latex_response(f"study-{pk}", caption, table.header, table.cells(), definitions(table.metric_titles, "\n"))


@require_POST
def study_add(request: Request, pk: int) -> HttpResponse:
    """More values on an axis, another split or seed."""
    study = get_object_or_404(editable_studies(request.user), pk=pk)
    form = AxisForm(study.grid.streams, growing_knobs(study.grid), request.POST)
    with told(request):
        if form.is_valid() and form.axis is not None:
            add_values(study, form.axis.field, form.axis.values, request.user)
    tell_errors(request, form)
    return redirect("experiments:study_detail", pk)


@require_POST
def study_stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop every training, each with its checkpoint."""
    study = get_object_or_404(editable_studies(request.user), pk=pk)
    if not is_live(study):
        messages.info(request, _("Nothing runs that could be stopped."))
    stop_study(study)
    return redirect("experiments:study_detail", pk)


@require_POST
def study_resume(request: Request, pk: int) -> HttpResponse:
    """Go on with all that stopped or failed, and with what is missing."""
    study = get_object_or_404(editable_studies(request.user), pk=pk)
    with told(request):
        resume_study(study, request.user)
        if stopping := still_stopping(study).count():
            text = ngettext(
                "%d run is still saving its checkpoint: resume again in a moment, and it goes on too.",
                "%d runs are still saving their checkpoints: resume again in a moment, and they go on too.",
                stopping,
            )
            messages.warning(request, text % stopping)
        elif not is_live(study):
            messages.info(request, _("Every run is done: there is nothing to go on with."))
    return redirect("experiments:study_detail", pk)


@require_POST
def study_dissolve(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget the grid; the runs stay."""
    dissolve_study(get_object_or_404(editable_studies(request.user), pk=pk))
    messages.success(request, _("The study is gone; its runs are still here."))
    return redirect("experiments:study_list")
