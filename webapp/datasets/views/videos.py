"""Videos: the grid with its filters, the page of one, and its class."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from webapp.datasets.forms.datasets import RelabelForm
from webapp.datasets.models import Video
from webapp.datasets.selectors import editable_datasets, editable_videos, visible_datasets, visible_videos
from webapp.datasets.selectors.browse import PAGE_SIZE, BrowseForm, chosen_videos, with_page_rows
from webapp.datasets.selectors.flow import open_flow_job
from webapp.datasets.selectors.videos import flow_choices, score_rows
from webapp.datasets.services.datasets import relabel_video
from webapp.datasets.views.trail import query_of, trail_of
from webapp.downloads import csv_response
from webapp.requests import told

LIST_COLUMNS = ("path", "label", "subset", "group")


@require_GET
def browse(request: HttpRequest, dataset_id: int) -> HttpResponse:
    dataset = get_object_or_404(visible_datasets(request.user), pk=dataset_id)
    form = BrowseForm(dataset, request.GET)
    videos = with_page_rows(chosen_videos(form), form.split_row)
    page = Paginator(videos, PAGE_SIZE).get_page(request.GET.get("page"))
    refused = chosen_videos(form).filter(status=Video.Status.REFUSED).count()
    ctx = {"dataset": dataset, "form": form, "page": page, "query": query_of(request)}
    return render(request, "datasets/browse.html", ctx | {"videos": page.paginator.count - refused, "refused": refused})


@require_GET
def browse_csv(request: HttpRequest, dataset_id: int) -> HttpResponse:
    """The videos under the filter as the list that an import reads: the subsets are those of the chosen split."""
    dataset = get_object_or_404(visible_datasets(request.user), pk=dataset_id)
    form = BrowseForm(dataset, request.GET)
    videos = with_page_rows(chosen_videos(form), form.split_row).iterator(chunk_size=1000)
    rows = ([video.path, video.label or "", *_subset_of(video), video.group] for video in videos)
    return csv_response(f"dataset-{dataset.pk}.csv", LIST_COLUMNS, rows)


def _subset_of(video: Video) -> list[str]:
    """Of the split that came with `with_page_rows`; one value."""
    return [entry.subset for entry in video.chosen_entries] or [""]  # type: ignore[attr-defined]


@require_GET
def video_detail(request: HttpRequest, video_id: int) -> HttpResponse:
    video = get_object_or_404(visible_videos(request.user), pk=video_id)
    choices = flow_choices(video)
    wanted = request.GET.get("flow")
    ctx: dict[str, Any] = {
        "video": video,
        "dataset": video.dataset,
        "trail": trail_of(request, video),
        "flow_choices": choices,
        "flow": next((row.cache for row in choices if str(row.cache.pk) == wanted), choices[0].cache if choices else None),
        "flow_job": None if choices else open_flow_job(video.dataset),
        "entries": video.split_entries.select_related("split").order_by("split__name"),
        "scores": score_rows(request.user, video),
        "relabel_form": RelabelForm(video.dataset, initial={"label": video.label_id}),
        "may_edit": editable_datasets(request.user).filter(pk=video.dataset_id).exists(),
    }
    return render(request, "datasets/video_detail.html", ctx)


@require_POST
def video_relabel(request: HttpRequest, video_id: int) -> HttpResponse:
    video: Video = get_object_or_404(editable_videos(request.user), pk=video_id)
    form = RelabelForm(video.dataset, request.POST)
    with told(request):
        if form.is_valid():
            relabel_video(video, form.cleaned_data["label"])
            messages.success(
                request, _("The class is “%(name)s” now. Runs keep what they learned and were tested with.") % {"name": video.label}
            )
        else:
            messages.error(request, str(form.errors["label"][0]))
    query = query_of(request)
    return redirect(reverse("datasets:video_detail", args=(video.pk,)) + (f"?{query}" if query else ""))
