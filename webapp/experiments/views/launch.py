"""New experiments: the gallery, and the forms that start one run or both streams."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from ml.config.evaluation import FusionConfig
from ml.config.experiment import ExperimentConfig
from ml.config.presets import PRESETS
from ml.config.study import StudyConfig
from ml.errors import UserError
from webapp.datasets.selectors import editable_datasets
from webapp.experiments.checks import checks, has_mistakes, mark_weights
from webapp.experiments.fitting import svm_findings
from webapp.experiments.forms.launch import LaunchForm
from webapp.experiments.models import Run
from webapp.experiments.ready_flow import with_ready_flow
from webapp.experiments.references import Gone, initial_run, other_splits
from webapp.experiments.selectors.access import visible_runs
from webapp.experiments.services.fusions import launch_two_stream
from webapp.experiments.services.launch import launch_run
from webapp.experiments.services.studies import launch_study
from webapp.experiments.systems import PAIRS, paper_shelves, small_cards
from webapp.forms import SchemaForm, schema_form
from webapp.jobs.selectors import gpu_was_heard
from webapp.requests import Request

# The launch form above chooses the datasets, the split and the run to start from.
PLACE: dict[str, Any] = {"data.dataset": "", "data.split": "1", "data.also": (), "training.init_run": ""}
ConfigForm = schema_form(ExperimentConfig, fixed=PLACE)
SpatialForm = schema_form(ExperimentConfig, fixed={**PLACE, "data.input.modality": "rgb"})
TemporalForm = schema_form(ExperimentConfig, fixed={**PLACE, "data.input.modality": "flow"})
FusionForm = schema_form(FusionConfig)


@require_GET
def gallery(request: HttpRequest) -> HttpResponse:
    """What can be trained, as cards: first what runs here."""
    ctx = {
        "cards": small_cards(),
        "shelves": paper_shelves(),
        "has_gpu": gpu_was_heard(),
        "dataset": request.GET.get("dataset", ""),
        "may_start": editable_datasets(request.user).filter(splits__isnull=False).exists(),
    }
    return render(request, "experiments/gallery.html", ctx)


@require_http_methods(["GET", "POST"])
def new_run(request: Request) -> HttpResponse:
    """One run: a preset, or the config of the run that is cloned, in a form."""
    parent = _parent(request)
    asked = request.GET.get("preset", "")
    key = asked if asked in PRESETS else "cpu_spatial"
    preset = PRESETS[key]
    name = _("%(name)s, again") % {"name": parent.name} if parent else _(preset.title)
    launch = _launch_form(request, name, parent)
    config = parent.experiment if parent else with_ready_flow(key, preset.config, launch.chosen_split)
    form = ConfigForm(request.POST or None, config=config, also_fixed=launch.references)
    findings = checks(launch, {"": form})
    if _is_launch(request) and launch.is_valid() and form.is_valid():
        split = launch.cleaned_data["split"]
        try:
            if axes := launch.repeats(_config(form)):
                return _to_study(request, launch, StudyConfig(streams=(_config(form),), axes=axes))
            run = launch_run(request.user, split.dataset, split, _config(form), launch.cleaned_data["name"], parent)
        except UserError as error:
            launch.add_error(None, error.sentences)
        else:
            messages.success(request, _("Queued. This page follows the run from here."))
            return redirect("experiments:run_detail", run.pk)
    ctx = {"launch": launch, "form": form, "preset": preset, "parent": parent, "presets": PRESETS, "findings": findings}
    return _page(request, "experiments/new_run.html", ctx, [launch, form])


@require_http_methods(["GET", "POST"])
def new_two_stream(request: Request) -> HttpResponse:
    """Both streams and their fusion, each with its own form."""
    pair = PAIRS.get(request.GET.get("preset", ""), PAIRS["small"])
    launch = _launch_form(request, _("Two streams"), None)
    data = request.POST or None
    del launch.fields["start"]  # it is of one stream
    launch.fields["also"].help_text = _("Multi-task learning of the temporal stream, which is tested on each of them.")
    spatial = SpatialForm(data, prefix="spatial", config=PRESETS[pair.spatial].config)
    moving = with_ready_flow(pair.temporal, PRESETS[pair.temporal].config, launch.chosen_split)
    temporal = TemporalForm(data, prefix="temporal", config=moving, also_fixed=launch.references)
    fusion = FusionForm(data, prefix="fusion", config=pair.fusion)
    parts = (launch, spatial, temporal, fusion)
    findings = checks(launch, {_("Spatial stream"): spatial, _("Temporal stream"): temporal})
    if fusion.is_bound and fusion.is_valid():
        findings = [*svm_findings([_fusion(fusion)], 2), *findings]
        mark_weights(fusion, 2)
    if _is_launch(request) and all(part.is_valid() for part in parts):
        split = launch.cleaned_data["split"]
        streams = (_config(spatial), _config(temporal), _fusion(fusion))
        try:
            if axes := launch.repeats(streams[0]):
                return _to_study(request, launch, StudyConfig(streams=streams[:2], fusions=streams[2:], axes=axes))
            fused = launch_two_stream(request.user, split.dataset, split, *streams, launch.cleaned_data["name"])
        except UserError as error:
            launch.add_error(None, error.sentences)
        else:
            messages.success(request, _("Queued: both streams, their tests, and then the fusion."))
            return redirect("experiments:fusion_detail", fused.pk)
    ctx = {"launch": launch, "spatial": spatial, "temporal": temporal, "fusion": fusion, "pair": pair, "findings": findings}
    return _page(request, "experiments/new_two_stream.html", ctx, parts)


def _to_study(request: Request, launch: LaunchForm, grid: StudyConfig) -> HttpResponse:
    """Launched on several splits or with several seeds."""
    study = launch_study(request.user, launch.cleaned_data["split"], grid, launch.cleaned_data["name"])
    messages.success(request, _("Queued. This page follows the study from here."))
    return redirect("experiments:study_detail", study.pk)


def _parent(request: HttpRequest) -> Run | None:
    clone = request.GET.get("clone", "")
    return get_object_or_404(visible_runs(request.user), pk=clone if clone.isdecimal() else 0) if clone else None


def _launch_form(request: HttpRequest, name: str, parent: Run | None) -> LaunchForm:
    initial: dict[str, Any] = {"name": name[:100]}
    if parent:
        with suppress(Gone):
            initial["also"] = other_splits(parent.experiment) or None
            initial["start"] = initial_run(parent.experiment)
        initial["split"] = parent.split_id
    return LaunchForm(request.user, request.POST or None, dataset=request.GET.get("dataset", ""), initial=initial)


def _is_launch(request: HttpRequest) -> bool:
    """The other button only checks."""
    return request.method == "POST" and request.POST.get("action") != "check"


def _config(form: SchemaForm) -> ExperimentConfig:
    return cast(ExperimentConfig, form.cleaned_config)


def _fusion(form: SchemaForm) -> FusionConfig:
    return cast(FusionConfig, form.cleaned_config)


def _page(request: Request, template: str, ctx: dict[str, Any], parts: Sequence[forms.Form]) -> HttpResponse:
    """The page, or its checks alone where the form asks for them as it changes."""
    is_check = request.htmx.target == "findings"
    ctx |= {"is_refused": is_check and any(map(has_mistakes, parts))}
    return render(request, "experiments/_findings.html" if is_check else template, ctx)
