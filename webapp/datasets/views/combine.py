"""A dataset enlarged by classes of another one: choose it, say what becomes of each class, follow the job."""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from ml.errors import UserError
from webapp.datasets.forms.combine import ClassMapForm, PartnerForm
from webapp.datasets.models import Dataset
from webapp.datasets.selectors import editable_datasets, visible_datasets
from webapp.datasets.selectors.combine import origin_of, partners
from webapp.datasets.selectors.summary import class_rows
from webapp.datasets.services.combine import check_pair, combine_datasets
from webapp.requests import Request


@require_http_methods(["GET", "POST"])
def combine_new(request: Request, dataset_id: int) -> HttpResponse:
    """Without `?second=`: only which dataset. With it: a line a class, and on POST the new dataset."""
    dataset = get_object_or_404(editable_datasets(request.user), pk=dataset_id)
    asked = PartnerForm(request.user, dataset, request.GET or None)
    ctx: dict[str, Any] = {"dataset": dataset, "asked": asked, "has_partners": partners(request.user, dataset).exists()}
    if not asked.is_valid():
        return render(request, "datasets/combine_new.html", ctx, status=400 if asked.errors else 200)
    second = cast(Dataset, asked.cleaned_data["second"])
    form = _class_map_form(request, dataset, second, asked.cleaned_data["shared"])
    try:
        check_pair(dataset, second)
        if form.is_valid():
            made = combine_datasets(request.user, dataset, second, form.class_map, form.cleaned_data["name"])
            return redirect("datasets:dataset_detail", made.pk)
    except UserError as error:
        asked.add_error(None, error.sentences)
        return render(request, "datasets/combine_new.html", ctx, status=400)
    return render(request, "datasets/combine_new.html", {**ctx, "second": second, "form": form}, status=400 if form.errors else 200)


def _class_map_form(request: HttpRequest, first: Dataset, second: Dataset, shared: Any) -> ClassMapForm:
    names = list(first.labels.values_list("name", flat=True))
    initial = {"name": f"{first.name} + {second.name}"[:120]}
    return ClassMapForm(names, class_rows(second, None), shared, request.POST or None, initial=initial)


@require_GET
def combine_progress(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """The live part of a combined dataset's page; the whole page once its videos are there."""
    dataset = get_object_or_404(visible_datasets(request.user), pk=dataset_id)
    origin = origin_of(dataset, request.user)
    if origin is None or not origin.is_live:
        return HttpResponseClientRefresh()
    return render(request, "datasets/_combined.html", {"dataset": dataset, "origin": origin})
