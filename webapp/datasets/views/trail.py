"""The list that a video was opened from: what is before and after it there, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from webapp.datasets.models import Video
from webapp.datasets.selectors.browse import BrowseForm, chosen_videos, neighbours
from webapp.experiments.forms.results import ScoredVideoFilter
from webapp.experiments.models import Evaluation
from webapp.experiments.result_links import ids_in, videos_url
from webapp.experiments.results import Results
from webapp.experiments.selectors.results import evaluations_with_source, scored_videos

SCORED = "scored"
"""In an address: the evaluation whose videos, under its filter, are the list; without it the list is the dataset's."""

FILTERS = tuple(BrowseForm.base_fields)
SCORED_FILTERS = tuple(ScoredVideoFilter.base_fields)


@dataclass(frozen=True)
class Trail:
    """`query` leads along it from video to video, `url` back to the list."""

    before: Video | None
    after: Video | None
    url: str
    title: str
    query: str


def query_of(request: HttpRequest) -> str:
    """What of an address says which list it is, without its page or anything else."""
    names = (SCORED, *SCORED_FILTERS) if request.GET.get(SCORED) else FILTERS
    return urlencode({name: request.GET[name] for name in names if request.GET.get(name)})


def trail_of(request: HttpRequest, video: Video) -> Trail:
    """Raises: Http404: it goes over an evaluation that is not there, or not this user's to see."""
    if request.GET.get(SCORED):
        return _over_scored(request, video)
    before, after = neighbours(chosen_videos(BrowseForm(video.dataset, request.GET)), video)
    query = query_of(request)
    url = reverse("datasets:browse", args=(video.dataset_id,)) + (f"?{query}" if query else "")
    return Trail(before, after, url, _("Videos"), query)


def _over_scored(request: HttpRequest, video: Video) -> Trail:
    evaluation = next(iter(_visible(request, ids_in([request.GET[SCORED]])[:1])), None)
    if evaluation is None:
        raise Http404
    chosen = ScoredVideoFilter(Results.of(evaluation.metrics).names, request.GET).chosen()
    _visible(request, [*chosen["right"], *chosen["wrong"]])
    order = list(scored_videos(evaluation, **chosen).values_list("video_id", flat=True))
    place = order.index(video.pk) if video.pk in order else None
    before = order[place - 1] if place else None
    after = order[place + 1] if place is not None and place + 1 < len(order) else None
    found = Video.objects.in_bulk([pk for pk in (before, after) if pk])
    filters = {name: request.GET.get(name) for name in SCORED_FILTERS}
    url, title = videos_url(evaluation.pk, **filters), _("Scored videos")
    return Trail(found.get(before or 0), found.get(after or 0), url, f"{title} · {evaluation.source}", query_of(request))


def _visible(request: HttpRequest, ids: list[int]) -> list[Evaluation]:
    """Those of these ids that have their numbers; all of them, or the page does not exist."""
    found = list(evaluations_with_source(request.user).filter(pk__in=ids).exclude(metrics={}))
    if len(found) != len(set(ids)):
        raise Http404
    return found
