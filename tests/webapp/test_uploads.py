"""Uploads in chunks: cuts, wrong offsets, bad names and sizes, strangers."""

import fcntl
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from tests.webapp.factories import make_upload, make_user
from webapp.datasets.models import Import, Upload
from webapp.datasets.services.uploads import OffsetConflict, RefusedUpload, append_chunk, open_upload

pytestmark = pytest.mark.django_db

OPEN = "/datasets/uploads/"


def begin(client: Client, name: Any, size: Any) -> HttpResponse:
    return client.post(OPEN, json.dumps({"name": name, "size": size}), content_type="application/json")  # type: ignore[return-value]


def patch(client: Client, url: str, offset: object, chunk: bytes) -> HttpResponse:
    headers = {"Upload-Offset": str(offset)}
    return client.patch(url, chunk, content_type="application/offset+octet-stream", headers=headers)  # type: ignore[return-value]


def test_a_file_in_three_chunks_arrives_whole(as_ada: Client) -> None:
    content = bytes(range(250)) * 4
    opened = begin(as_ada, "clips.zip", len(content))
    assert opened.status_code == 201 and opened["Upload-Offset"] == "0"
    for start in (0, 400, 800):
        patch(as_ada, opened["Location"], start, content[start : start + 400])
    upload = Upload.objects.get()
    assert upload.is_complete and upload.path.read_bytes() == content


def test_an_upload_cut_in_the_middle_goes_on_where_it_stood(as_ada: Client) -> None:
    url = begin(as_ada, "clips.zip", 10)["Location"]
    patch(as_ada, url, 0, b"01234")
    head = as_ada.head(url)
    assert (head["Upload-Offset"], head["Upload-Length"]) == ("5", "10")
    patch(as_ada, url, int(head["Upload-Offset"]), b"56789")
    assert Upload.objects.get().path.read_bytes() == b"0123456789"


def test_bytes_that_came_before_a_cut_count(ada: User) -> None:
    """A line that is cut within a chunk ends the blocks early; what is on disk is what the row says."""
    upload = open_upload(ada, "clips.zip", 10)
    assert append_chunk(upload, 0, iter([b"012"])) == 3
    assert append_chunk(upload, 3, iter([b"3456789"])) == 10
    assert upload.path.read_bytes() == b"0123456789"


def test_bytes_written_by_a_process_that_died_are_written_over(ada: User) -> None:
    upload = open_upload(ada, "clips.zip", 6)
    upload.path.write_bytes(b"xxxx")
    append_chunk(upload, 0, [b"012"])
    append_chunk(upload, 3, [b"345"])
    assert upload.path.read_bytes() == b"012345"


@pytest.mark.parametrize("offset", [0, 3, 7])
def test_a_wrong_offset_is_told_the_right_one_and_changes_nothing(as_ada: Client, offset: int) -> None:
    url = begin(as_ada, "clips.zip", 10)["Location"]
    patch(as_ada, url, 0, b"01234")
    answer = patch(as_ada, url, offset, b"abc")
    assert answer.status_code == 409 and answer["Upload-Offset"] == "5"
    assert Upload.objects.get().path.read_bytes() == b"01234"


def test_two_chunks_at_once_cannot_mix(ada: User) -> None:
    upload = open_upload(ada, "clips.zip", 10)

    def while_another_comes() -> Iterator[bytes]:
        yield b"01234"
        with pytest.raises(OffsetConflict):
            append_chunk(Upload.objects.get(), 0, [b"abcde"])
        yield b"56789"

    append_chunk(upload, 0, while_another_comes())
    assert upload.path.read_bytes() == b"0123456789"


def test_a_chunk_that_meets_a_locked_file_is_told_where_to_go_on(as_ada: Client) -> None:
    url = begin(as_ada, "clips.zip", 10)["Location"]
    with Upload.objects.get().path.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert patch(as_ada, url, 0, b"01234").status_code == 409
    assert patch(as_ada, url, 0, b"01234").status_code == 200


def test_bytes_beyond_the_size_are_refused_and_nothing_of_the_chunk_counts(as_ada: Client) -> None:
    url = begin(as_ada, "clips.zip", 4)["Location"]
    answer = patch(as_ada, url, 0, b"012345")
    assert answer.status_code == 413 and "clips.zip" in answer.json()["message"]  # type: ignore[attr-defined]
    upload = Upload.objects.get()
    assert upload.received == 0 and upload.path.read_bytes() == b""


def test_a_chunk_larger_than_the_limit_is_refused(as_ada: Client, settings: Settings) -> None:
    settings.UPLOAD_CHUNK_BYTES = 4
    url = begin(as_ada, "clips.zip", 10)["Location"]
    assert patch(as_ada, url, 0, b"01234").status_code == 413


@pytest.mark.parametrize("name", ["", "..", ".", "a/b.mp4", "../x", "a\\b.mp4", "a\0b", "a\nb", "x" * 256])
def test_a_name_that_is_no_file_name_is_refused(as_ada: Client, name: str) -> None:
    answer = begin(as_ada, name, 10)
    assert answer.status_code == 400 and answer.json()["advice"]  # type: ignore[attr-defined]
    assert not Upload.objects.exists()


@pytest.mark.parametrize("name", ["打拳.zip", "<b>.mp4", "…", "a b'c\".avi"])
def test_any_other_name_is_taken_and_the_file_lies_under_its_id(as_ada: Client, name: str, data_dir: Path) -> None:
    assert begin(as_ada, name, 10).status_code == 201
    upload = Upload.objects.get()
    assert upload.name == name and upload.path == data_dir / "uploads" / str(upload.pk)


@pytest.mark.parametrize("size", [0, -1])
def test_an_empty_file_is_refused_with_its_name(as_ada: Client, size: int) -> None:
    answer = begin(as_ada, "clips.zip", size)
    assert answer.status_code == 400 and "clips.zip" in answer.json()["message"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"name": "x"}', '{"name": "x", "size": "many"}', "\x00"])
def test_a_wish_that_makes_no_sense_is_refused(as_ada: Client, body: str) -> None:
    assert as_ada.post(OPEN, body, content_type="application/json").status_code == 400


def test_a_file_beyond_the_limit_is_refused_with_another_way(as_ada: Client, settings: Settings) -> None:
    settings.UPLOAD_LIMIT_BYTES = 100
    answer = begin(as_ada, "huge.zip", 101)
    assert answer.status_code == 400 and "folder on the server" in answer.json()["advice"]  # type: ignore[attr-defined]


def test_the_page_promises_no_more_than_there_is_room_for(as_ada: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(10**12, 0, 3 * 2**30))
    settings.UPLOAD_LIMIT_BYTES = 200 * 2**30
    assert "up to 2.8\xa0GB a file" in as_ada.get("/datasets/import/").content.decode()
    settings.UPLOAD_LIMIT_BYTES = 2**30
    assert "up to 1.0\xa0GB a file" in as_ada.get("/datasets/import/").content.decode()


def test_a_file_that_does_not_fit_on_the_disk_beside_running_uploads_is_refused(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(10**12, 0, 2**30))
    open_upload(ada, "first.zip", 500 * 2**20)
    with pytest.raises(RefusedUpload, match=r"second\.zip"):
        open_upload(ada, "second.zip", 400 * 2**20)


def test_the_offset_header_must_be_a_number(as_ada: Client) -> None:
    url = begin(as_ada, "clips.zip", 10)["Location"]
    assert patch(as_ada, url, "later", b"x").status_code == 400


def test_an_upload_is_its_owners_alone(client: Client, ada: User) -> None:
    upload = open_upload(ada, "clips.zip", 4)
    url = reverse("datasets:upload", args=(upload.pk,))
    assert client.get(url).status_code == 302
    client.force_login(make_user("root", is_superuser=True))
    assert {client.head(url).status_code, patch(client, url, 0, b"evil").status_code, client.delete(url).status_code} == {404}
    assert upload.path.read_bytes() == b""


def test_an_unknown_upload_is_not_found(as_ada: Client) -> None:
    assert as_ada.head(reverse("datasets:upload", args=(uuid4(),))).status_code == 404


def test_giving_up_takes_the_bytes_away_unless_an_import_uses_them(as_ada: Client, ada: User) -> None:
    used, unused = make_upload(ada), make_upload(ada)
    Import.objects.create(user=ada).uploads.add(used)
    assert as_ada.delete(reverse("datasets:upload", args=(unused.pk,))).status_code == 204
    assert as_ada.delete(reverse("datasets:upload", args=(used.pk,))).status_code == 409
    assert used.path.exists() and not unused.path.exists()


def test_chunks_need_the_csrf_token(ada: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    assert begin(client, "clips.zip", 10).status_code == 403
