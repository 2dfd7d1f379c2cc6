"""Asking for optical flow, and deleting it."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from ml.config.availability import unavailable_methods
from ml.config.flow import Farneback, FlowSpec
from ml.errors import UserError
from webapp.choices import name_of
from webapp.datasets.selectors import editable_datasets, editable_flow_caches
from webapp.datasets.selectors.estimate import flow_estimates, room_for_flow
from webapp.datasets.services.flow import delete_flow, request_flow
from webapp.forms import schema_form
from webapp.requests import Request, told

FlowForm = schema_form(FlowSpec)


@require_http_methods(["GET", "POST"])
def flow_new(request: Request, dataset_id: int) -> HttpResponse:
    dataset = get_object_or_404(editable_datasets(request.user), pk=dataset_id)
    spec = FlowSpec(method=Farneback())  # what the small presets take; Brox and TV-L1, the papers' choices, take far longer
    form = FlowForm(request.POST or None, config=spec)
    if request.method == "POST" and form.is_valid():
        spec = cast(FlowSpec, form.cleaned_config)
        try:
            _cache, job = request_flow(dataset, spec, request.user)
        except UserError as error:
            form.add_error(None, error.sentences)
        else:
            if job is None:
                messages.success(request, _("This flow is there already."))
            return redirect("datasets:dataset_detail", dataset.pk)
    ctx = {
        "dataset": dataset,
        "form": form,
        "room": room_for_flow(dataset, spec),
        "estimates": flow_estimates(dataset),
        "unavailable": {name_of(kind): reason for kind, reason in unavailable_methods().items()},
    }
    return render(request, "datasets/flow_new.html", ctx, status=400 if form.errors else 200)


@require_POST
def flow_complete(request: Request, cache_id: int) -> HttpResponse:
    """The videos that came after the extraction."""
    cache = get_object_or_404(editable_flow_caches(request.user), pk=cache_id)
    with told(request):
        request_flow(cache.dataset, FlowSpec.model_validate(cache.spec), request.user)
    return redirect("datasets:dataset_detail", cache.dataset_id)


@require_POST
def flow_delete(request: HttpRequest, cache_id: int) -> HttpResponse:
    cache = get_object_or_404(editable_flow_caches(request.user), pk=cache_id)
    with told(request):
        delete_flow(cache)
    return redirect("datasets:dataset_detail", cache.dataset_id)
