"""The page of one run: its parts that follow the training, its tabs, and what can be done to it."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from ml.config.evaluation import Protocol
from webapp.charts.curves import Axis, curves
from webapp.charts.distances import distances
from webapp.datasets.media import serve
from webapp.datasets.selectors import AnyUser
from webapp.datasets.services.files import bytes_in
from webapp.experiments.class_charts import class_charts
from webapp.experiments.config_rows import config_rows, nearest_preset, preset_for
from webapp.experiments.facts import fact_rows
from webapp.experiments.forms.runs import NotesForm, SubsetForm
from webapp.experiments.models import Evaluation, Run
from webapp.experiments.selectors import runs as run_selectors
from webapp.experiments.selectors.access import editable_runs, visible_fusions, visible_runs, visible_studies
from webapp.experiments.services import runs as run_services
from webapp.experiments.services.launch import request_evaluation
from webapp.forms import schema_form
from webapp.jobs.selectors import log_tail
from webapp.requests import Request, tell_errors

TABS = {
    "overview": gettext_lazy("Overview"),
    "curves": gettext_lazy("Curves"),
    "config": gettext_lazy("Config"),
    "filters": gettext_lazy("Filters"),
    "classes": gettext_lazy("Classes"),
    "log": gettext_lazy("Log"),
    "notes": gettext_lazy("Notes"),
}
ProtocolForm = schema_form(Protocol)


@require_GET
def run_detail(request: Request, pk: int) -> HttpResponse:
    """The whole page, or the live part that asks for itself again: the head, or the body of a tab."""
    run = get_object_or_404(visible_runs(request.user).select_related("parent", "owner"), pk=pk)
    evaluations = list(run_selectors.evaluations_of(run, request.user))
    primary = _newest_test(evaluations, None)
    tabs = {key: title for key, title in TABS.items() if primary or key != "classes"}
    tab = request.GET.get("tab", "overview")
    tab = tab if tab in tabs else "overview"
    ctx = {
        "run": run,
        "job": run.job,
        "tab": tab,
        "tabs": tabs,
        "evaluations": evaluations,
        "primary": primary,
        "others": [test for other in _others(evaluations) if (test := _newest_test(evaluations, other))],
        "is_live": run_selectors.has_open_jobs(run, evaluations),
        "busy": run_selectors.busy_job(run, evaluations),
        "may_change": editable_runs(request.user).filter(pk=pk).exists(),
        **TAB_CONTEXTS[tab](Shown(run, request.user, request.GET, primary)),
    }
    parts = {"run-head": "experiments/_run_head.html", "run-tab": f"experiments/_run_{tab}.html"}
    template = parts.get(request.htmx.target or "", "experiments/run_detail.html")
    return render(request, template, ctx)


def _newest_test(evaluations: list[Evaluation], other_split: int | None) -> Evaluation | None:
    """A number in the head: the newest finished test on the run's own dataset, or on a further one."""
    tests = (one for one in evaluations if one.subset == "test" and one.job.state == one.job.State.DONE)
    return next((one for one in tests if one.other_split_id == other_split), None)


def _others(evaluations: list[Evaluation]) -> list[int]:
    """The splits of further datasets that the run was tested on, the first one first."""
    return list(dict.fromkeys(one.other_split_id for one in reversed(evaluations) if one.other_split_id))


class Shown(NamedTuple):
    """The run whose tab is shown, to whom, with which choices, and its newest test."""

    run: Run
    user: AnyUser
    query: QueryDict
    primary: Evaluation | None


def _overview(shown: Shown) -> dict[str, Any]:
    """Fusions and studies of this user alone: a run of several datasets may be part of what others keep to themselves."""
    run, user = shown.run, shown.user
    return {
        "disk_bytes": bytes_in(run.folder),
        "facts": fact_rows(run.facts),
        "subset_form": SubsetForm(user, run),
        "protocol_form": ProtocolForm(config=run.experiment.evaluation),
        "fusions": visible_fusions(user).filter(memberships__evaluation__run=run).distinct(),
        "studies": visible_studies(user).filter(runs=run),
    }


def _config(shown: Shown) -> dict[str, Any]:
    """Beside the parent's config, or that of the preset which is nearest."""
    run, config = shown.run, shown.run.experiment
    preset = nearest_preset(config)
    rows = config_rows(config, run.parent.experiment if run.parent else preset_for(preset, config))
    return {"rows": rows, "preset": preset, "has_changes": any(row.has_changed for row in rows)}


def _log(shown: Shown) -> dict[str, Any]:
    return {"log": log_tail(shown.run.job), "stderr": log_tail(shown.run.job, "stderr.txt", lines=60)}


TAB_CONTEXTS: dict[str, Callable[[Shown], dict[str, Any]]] = {
    "overview": _overview,
    "curves": lambda _shown: {},
    "config": _config,
    "filters": lambda shown: {"filters": run_selectors.filters_of(shown.run)},
    "classes": lambda shown: class_charts(shown.primary, shown.query) if shown.primary else {},
    "log": _log,
    "notes": lambda shown: {"form": NotesForm(instance=shown.run)},
}


@require_GET
def run_curves(request: HttpRequest, pk: int) -> JsonResponse:
    """The curves as figures, and whether to ask again."""
    run = get_object_or_404(visible_runs(request.user), pk=pk)
    axis: Axis = "step" if request.GET.get("axis") == "step" else "epoch"
    points, steps_per_epoch = run_selectors.curve_points(run), run_selectors.steps_per_epoch(run)
    figures = {"figure": curves(points, axis, steps_per_epoch), "distances": distances(points, axis, steps_per_epoch)}
    return JsonResponse({**figures, "is_live": run.job.is_open})


@require_GET
def run_filters(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The picture of the first layer."""
    run = get_object_or_404(visible_runs(request.user), pk=pk)
    return serve(request, run.folder / "filters.png", "image/png", f"filters-{run.pk}-{run.job.attempts}")


@require_GET
def run_config(request: HttpRequest, pk: int) -> HttpResponse:
    """The config as a file for `python -m ml train`."""
    run = get_object_or_404(visible_runs(request.user), pk=pk)
    text = json.dumps(run.config, indent=2, ensure_ascii=False) + "\n"
    name = f"{slugify(run.name) or 'run'}-{run.pk}.json"
    return HttpResponse(text, content_type="application/json", headers={"Content-Disposition": f'attachment; filename="{name}"'})


@require_POST
def run_evaluate(request: Request, pk: int) -> HttpResponse:
    """Test the run once more, on another subset or under another protocol."""
    run = get_object_or_404(editable_runs(request.user), pk=pk)
    subset_form, form = SubsetForm(request.user, run, request.POST), ProtocolForm(request.POST)
    if not (subset_form.is_valid() and form.is_valid()):
        tell_errors(request, subset_form, form)
        return redirect("experiments:run_detail", pk)
    protocol = cast(Protocol, form.cleaned_config)
    evaluation = request_evaluation(run, subset_form.chosen_subset, protocol, request.user, subset_form.chosen_other)
    return redirect("experiments:evaluation_detail", evaluation.pk)


@require_POST
def run_notes(request: HttpRequest, pk: int) -> HttpResponse:
    """Save the notes."""
    run = get_object_or_404(editable_runs(request.user), pk=pk)
    form = NotesForm(request.POST)
    if form.is_valid():
        run_services.write_notes(run, form.cleaned_data["notes"])
        messages.success(request, _("Notes saved."))
    return _tab(run, "notes")


@require_POST
def run_archive(request: HttpRequest, pk: int) -> HttpResponse:
    """Into the archive, or out of it."""
    run = get_object_or_404(editable_runs(request.user), pk=pk)
    run_services.set_archived([run], not run.is_archived)
    return redirect("experiments:run_detail", pk)


def _tab(run: Run, tab: str) -> HttpResponse:
    response = redirect("experiments:run_detail", run.pk)
    response["Location"] += f"?tab={tab}"
    return response
