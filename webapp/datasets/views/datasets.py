"""The list of datasets."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.datasets.selectors.overview import datasets_with_counts, imports_to_confirm, open_import_jobs


@require_GET
def dataset_list(request: HttpRequest) -> HttpResponse:
    ctx = {
        "datasets": datasets_with_counts(request.user),
        "import_jobs": open_import_jobs(request.user),
        "waiting_imports": imports_to_confirm(request.user),
    }
    is_poll = request.htmx  # type: ignore[attr-defined]
    return render(request, "datasets/_import_jobs.html" if is_poll else "datasets/dataset_list.html", ctx)
