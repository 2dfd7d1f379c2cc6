"""Media through views: ranges, types, caching, and what is missing."""

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponseBase, StreamingHttpResponse
from django.test import Client
from django.urls import reverse

from ml.config.flow import FlowSpec
from tests.webapp.factories import make_dataset
from webapp.datasets.media import byte_range
from webapp.datasets.models import FlowCache, Video, media_store

pytestmark = pytest.mark.django_db
CONTENT = bytes(range(256)) * 4


@pytest.fixture
def video(ada: User, client: Client) -> Video:
    """A video with all its files, seen by its owner."""
    client.force_login(ada)
    video = make_dataset(ada).videos.all()[0]
    store = media_store()
    spec = FlowSpec()
    cache = FlowCache.objects.create(dataset=video.dataset, spec=spec.model_dump(mode="json"), spec_id=spec.spec_id())
    store.folder(video.media).mkdir(parents=True)
    for path in (
        store.proxy(video.media),
        store.poster(video.media),
        store.original(video.media),
        cache.preview(video.media),
    ):
        path.write_bytes(CONTENT)
    return video


def get(client: Client, name: str, *args: int, **headers: str) -> HttpResponseBase:
    return client.get(reverse(f"datasets:media_{name}", args=args), headers=headers)


def body(response: HttpResponseBase) -> bytes:
    assert isinstance(response, StreamingHttpResponse)
    return b"".join(response.streaming_content)  # type: ignore[arg-type]


TYPES = {"proxy": "video/mp4", "poster": "image/jpeg", "original": "application/octet-stream"}


@pytest.mark.parametrize("name", TYPES)
def test_a_whole_file_has_a_fixed_type_and_is_cached_privately(client: Client, video: Video, name: str) -> None:
    response = get(client, name, video.pk)
    assert body(response) == CONTENT
    assert response["Content-Type"] == TYPES[name] and response["X-Content-Type-Options"] == "nosniff"
    assert "private" in response["Cache-Control"] and "immutable" in response["Cache-Control"]
    assert video.media in response["ETag"] and response["Accept-Ranges"] == "bytes"


def test_the_original_is_only_handed_out_under_a_name_of_ours(client: Client, video: Video) -> None:
    Video.objects.filter(pk=video.pk).update(path='evil".html')
    response = get(client, "original", video.pk)
    assert response["Content-Disposition"] == f'attachment; filename="video-{video.pk}.bin"'
    response.close()


def test_flow_of_another_dataset_is_not_found(client: Client, video: Video, ada: User) -> None:
    cache = FlowCache.objects.get()
    assert body(get(client, "flow", video.pk, cache.pk)) == CONTENT
    other = make_dataset(ada, name="other").videos.all()[0]
    assert get(client, "flow", other.pk, cache.pk).status_code == 404


RANGES = {
    "bytes=0-9": (0, 10),
    "bytes=1000-": (1000, 1024),
    "bytes=-24": (1000, 1024),
    "bytes=1000-9999": (1000, 1024),
    "bytes=0-0": (0, 1),
    "bytes=0-": (0, 1024),
}


@pytest.mark.parametrize("asked", RANGES)
def test_a_range_is_answered_with_just_its_bytes(client: Client, video: Video, asked: str) -> None:
    start, end = RANGES[asked]
    response = get(client, "proxy", video.pk, Range=asked)
    assert response.status_code == 206
    assert body(response) == CONTENT[start:end]
    assert response["Content-Range"] == f"bytes {start}-{end - 1}/1024" and response["Content-Length"] == str(end - start)


@pytest.mark.parametrize("asked", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
def test_a_range_beyond_the_end_cannot_be_met(client: Client, video: Video, asked: str) -> None:
    response = get(client, "proxy", video.pk, Range=asked)
    assert response.status_code == 416 and response["Content-Range"] == "bytes */1024"


@pytest.mark.parametrize("asked", ["bytes=9-5", "lines=1-2", "bytes=a-b", "bytes=0-1,4-5", "bytes=-"])
def test_a_range_we_do_not_know_gives_the_whole(asked: str) -> None:
    assert byte_range(asked, 1024) == (0, 1024)


def test_an_empty_file_has_no_range() -> None:
    assert byte_range("bytes=0-", 0) is None and byte_range("bytes=-5", 0) is None


def test_what_the_browser_has_is_not_sent_again(client: Client, video: Video) -> None:
    response = get(client, "proxy", video.pk)
    assert body(response) == CONTENT
    assert get(client, "proxy", video.pk, **{"If-None-Match": response["ETag"]}).status_code == 304


def test_a_range_of_an_older_file_gives_the_whole_new_one(client: Client, video: Video) -> None:
    response = get(client, "proxy", video.pk, **{"Range": "bytes=0-9", "If-Range": '"older"'})
    assert body(response) == CONTENT


def test_a_file_that_is_not_made_yet_is_not_found(client: Client, video: Video) -> None:
    media_store().proxy(video.media).unlink()
    assert get(client, "proxy", video.pk).status_code == 404


def test_only_reading_is_allowed(client: Client, video: Video) -> None:
    assert client.post(reverse("datasets:media_proxy", args=(video.pk,))).status_code == 405
