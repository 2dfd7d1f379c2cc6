"""The list of datasets, and the page of one: counts, splits, health, flow, members."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from ml.errors import UserError
from webapp.charts.class_counts import CountSeries, class_counts
from webapp.charts.histogram import histogram
from webapp.datasets.forms.datasets import DatasetForm, MemberForm
from webapp.datasets.models import Dataset, Split, SplitEntry, Video
from webapp.datasets.selectors import editable_datasets, owned_datasets, visible_datasets
from webapp.datasets.selectors import summary as reading
from webapp.datasets.selectors.combine import origin_of
from webapp.datasets.selectors.flow import flow_rows
from webapp.datasets.selectors.overview import datasets_with_counts, imports_to_confirm, open_import_jobs
from webapp.datasets.services.deletion import belongings, delete_dataset, freed_bytes
from webapp.jobs.models import Job
from webapp.requests import Request


@require_GET
def dataset_list(request: Request) -> HttpResponse:
    ctx = {
        "datasets": datasets_with_counts(request.user),
        "import_jobs": open_import_jobs(request.user),
        "waiting_imports": imports_to_confirm(request.user),
    }
    is_poll = request.htmx
    return render(request, "datasets/_import_jobs.html" if is_poll else "datasets/dataset_list.html", ctx)


@require_GET
def dataset_detail(request: Request, dataset_id: int) -> HttpResponse:
    dataset = get_object_or_404(visible_datasets(request.user).select_related("owner"), pk=dataset_id)
    ctx: dict[str, Any] = {
        "dataset": dataset,
        "may_edit": editable_datasets(request.user).filter(pk=dataset.pk).exists(),
        "is_owner": owned_datasets(request.user).filter(pk=dataset.pk).exists(),
        "flow_rows": flow_rows(dataset, request.user),
    }
    ctx["is_live"] = any(row.is_live for row in ctx["flow_rows"])
    if request.htmx:
        return render(request, "datasets/_flow_caches.html", ctx)
    return render(request, "datasets/dataset_detail.html", {**ctx, **_overview(request, dataset)})


def _overview(request: HttpRequest, dataset: Dataset) -> dict[str, Any]:
    splits = {split.name: split for split in dataset.splits.all()}
    split = splits.get(request.GET.get("split", "")) or next(iter(splits.values()), None)
    rows, totals, split_rows = reading.class_rows(dataset, split), reading.totals(dataset), reading.split_rows(dataset)
    return {
        "split": split,
        "origin": origin_of(dataset, request.user),
        "totals": totals,
        "classes": rows,
        "counts_figure": _counts_figure(dataset, split, rows),
        "histograms": _histograms(dataset),
        "split_rows": split_rows,
        "lacks_groups": totals["ungrouped"] and any(row.split.origin == "generated" for row in split_rows),
        "refused": dataset.videos.filter(status=Video.Status.REFUSED)[:200],
        "open_jobs": dataset.jobs.filter(state__in=("waiting", "queued", "running", "interrupted")).exclude(kind="flow"),
        "failed_import": None if totals["videos"] else dataset.jobs.filter(kind=Job.Kind.INGEST, state=Job.State.FAILED).first(),
        "memberships": dataset.memberships.select_related("user"),
        "form": DatasetForm(instance=dataset),
        "member_form": MemberForm(),
    }


def _counts_figure(dataset: Dataset, split: Split | None, rows: list[reading.ClassRow]) -> dict[str, Any]:
    start = reverse("datasets:browse", args=(dataset.pk,))

    def series(subset: str, name: str) -> CountSeries:
        query = {"split": split.name if split else "", "subset": subset or ("none" if split else "")}
        address = f"{start}?{urlencode(query)}&label="
        return CountSeries(name, [row.counts.get(subset, 0) for row in rows], lambda i: f"{address}{rows[i].index}")

    subsets = [(value, str(label)) for value, label in SplitEntry.Subset.choices]
    return class_counts([row.name for row in rows], [series(*subset) for subset in [*subsets, (reading.UNASSIGNED, _("in no subset"))]])


def _histograms(dataset: Dataset) -> dict[str, dict[str, Any]]:
    measured = reading.measures(dataset)
    words = (
        ("duration", _("Duration"), "s"),
        ("fps", _("Frame rate"), _("frames/s")),
        ("short_side", _("Short side of the originals"), "px"),
    )
    return {name: histogram(measured[name], title, unit) for name, title, unit in words if measured[name]}


@require_http_methods(["GET", "POST"])
def dataset_edit(request: HttpRequest, dataset_id: int) -> HttpResponse:
    dataset = get_object_or_404(editable_datasets(request.user), pk=dataset_id)
    form = DatasetForm(request.POST or None, instance=dataset)
    if request.method == "POST" and form.is_valid():
        form.save()
        return redirect("datasets:dataset_detail", dataset.pk)
    return render(request, "datasets/dataset_edit.html", {"dataset": dataset, "form": form}, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def dataset_delete(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """Asks with what goes and what that frees; deletes on POST."""
    dataset = get_object_or_404(owned_datasets(request.user), pk=dataset_id)
    if request.method == "POST":
        try:
            delete_dataset(dataset)
        except UserError as error:
            messages.error(request, error.sentences)
            return redirect("datasets:dataset_delete", dataset.pk)
        messages.success(request, _("“%(name)s” is deleted.") % {"name": dataset.name})
        return redirect("datasets:dataset_list")
    ctx = {"dataset": dataset, "totals": reading.totals(dataset), "mine": belongings(dataset), "bytes": freed_bytes(dataset)}
    return render(request, "datasets/dataset_delete.html", ctx)
