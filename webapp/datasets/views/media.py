"""Posters, proxies and flow previews of videos the user may see. Every path comes from ids through the media store."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from webapp.datasets.media import serve
from webapp.datasets.models import Video, media_store
from webapp.datasets.selectors import visible_flow_caches, visible_videos


def _stored_video(request: HttpRequest, video_id: int) -> Video:
    video = get_object_or_404(visible_videos(request.user), pk=video_id)
    if not video.media:
        raise Http404("a refused file has no media")
    return video


@require_safe
def media_poster(request: HttpRequest, video_id: int) -> HttpResponseBase:
    video = _stored_video(request, video_id)
    return serve(request, media_store().poster(video.media), "image/jpeg", f"{video.media}-poster")


@require_safe
def media_proxy(request: HttpRequest, video_id: int) -> HttpResponseBase:
    video = _stored_video(request, video_id)
    return serve(request, media_store().proxy(video.media), "video/mp4", f"{video.media}-proxy")


@require_safe
def media_flow(request: HttpRequest, video_id: int, cache_id: int) -> HttpResponseBase:
    video = _stored_video(request, video_id)
    cache = get_object_or_404(visible_flow_caches(request.user), pk=cache_id, dataset=video.dataset_id)
    return serve(request, cache.preview(video.media), "video/mp4", f"{video.media}-{cache.spec_id}")


@require_safe
def media_original(request: HttpRequest, video_id: int) -> HttpResponseBase:
    """The file as it was given: never shown in the page, only handed out under a name of ours."""
    video = _stored_video(request, video_id)
    store = media_store()
    return serve(request, store.original(video.media), "application/octet-stream", f"{video.media}-original", f"video-{video.pk}.bin")
