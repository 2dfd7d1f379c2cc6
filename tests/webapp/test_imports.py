"""Imports in steps: sources, preview, confirmation, report."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from tests.webapp.factories import make_dataset, make_job, make_upload, make_user
from webapp.datasets.models import Dataset, Import, Upload, Video
from webapp.datasets.services.imports import ImportMoved, confirm_import, latest_job, start_import, suggested_name
from webapp.jobs.models import Job

pytestmark = pytest.mark.django_db

NEW = "/datasets/import/"
PREVIEW: dict[str, Any] = {
    "layout": "folder_per_class",
    "layout_title": "One folder per class",
    "num_videos": 5,
    "classes": [{"name": "<b>run</b>", "videos": 3}, {"name": "走", "videos": 2}],
    "splits": [],
    "groups": 2,
    "ungrouped": 0,
    "problems": [{"path": "run/broken.avi", "reason": "It is truncated.", "advice": "Copy it again."}],
    "findings": [{"kind": "leak", "message": "Two files are the same."}],
    "total_bytes": 5_000_000,
}
OFFICIAL = {"name": "1", "origin": "official", "train": 3, "validation": 0, "test": 2}


@pytest.fixture(autouse=True)
def root(settings: Settings, tmp_path: Path) -> Path:
    """An import root with a folder in it."""
    settings.DATA_DIR = tmp_path / "data"
    settings.IMPORT_ROOTS = [tmp_path / "import"]
    settings.DATA_DIR.mkdir()
    (tmp_path / "import" / "clips" / "run").mkdir(parents=True)
    return tmp_path / "import"


def previewed(user: User, **changes: Any) -> Import:
    """An import whose sources were looked at."""
    import_ = start_import(user, [make_upload(user, "my_clips.zip")])
    Job.objects.update(state=Job.State.DONE)
    import_.preview = {**PREVIEW, **changes}
    import_.save()
    return import_


def page_of(client: Client, import_: Import) -> str:
    return client.get(reverse("datasets:import_detail", args=(import_.pk,))).content.decode()


def test_uploads_become_an_import_with_a_job_that_looks(as_ada: Client, ada: User) -> None:
    upload = make_upload(ada, "clips.zip")
    response = as_ada.post(NEW, {"uploads": [str(upload.pk)]})
    import_ = Import.objects.get()
    assert response["Location"] == reverse("datasets:import_detail", args=(import_.pk,))
    job = latest_job(import_)
    assert job is not None and (job.kind, job.subject_id, job.state) == (Job.Kind.INSPECT, import_.pk, Job.State.QUEUED)


def test_a_plain_form_without_scripts_uploads_too(as_ada: Client) -> None:
    as_ada.post(NEW, {"file": [SimpleUploadedFile("a.mp4", b"abc"), SimpleUploadedFile("list.csv", b"path,label")]})
    assert [upload.path.read_bytes() for upload in Import.objects.get().uploads.all()] == [b"abc", b"path,label"]


def test_an_import_of_nothing_says_what_to_choose(as_ada: Client) -> None:
    response = as_ada.post(NEW, {})
    assert response.status_code == 400 and "Choose files, or a folder on the server." in response.content.decode()


def test_an_unfinished_upload_cannot_be_imported(as_ada: Client, ada: User) -> None:
    upload = make_upload(ada, "clips.zip")
    Upload.objects.update(size=100)
    page = as_ada.post(NEW, {"uploads": [str(upload.pk)]}).content.decode()
    assert "not complete" in page and "clips.zip" in page and not Import.objects.exists()


@pytest.mark.parametrize("key", ["nonsense", "6e7a5ac2-6f04-4c0f-8f3e-4d1bb8a0a000"])
def test_an_upload_that_is_not_there_is_refused(as_ada: Client, key: str) -> None:
    assert as_ada.post(NEW, {"uploads": [key]}).status_code == 400


def test_an_upload_of_somebody_else_is_refused(as_ada: Client) -> None:
    assert as_ada.post(NEW, {"uploads": [str(make_upload(make_user("eve")).pk)]}).status_code == 400


def test_a_folder_inside_a_root_is_taken_resolved(as_ada: Client, root: Path) -> None:
    as_ada.post(NEW, {"folder": f"{root}/clips/../clips"})
    assert Import.objects.get().folder == str(root / "clips")


def test_a_folder_outside_the_roots_is_refused_and_the_roots_are_named(as_ada: Client, root: Path) -> None:
    (root / "link").symlink_to("/etc")
    for folder in ("/etc", f"{root}/../..", f"{root}/clips/../../..", f"{root}/link", str(root) + "suffix", "relative", "~", f"{root}/\0"):
        response = as_ada.post(NEW, {"folder": folder})
        assert response.status_code == 400, folder
        assert "\0" in folder or str(root) in response.content.decode().split("id_folder_error")[-1], folder
    assert not Import.objects.exists()


def test_a_folder_that_is_not_there_is_named(as_ada: Client, root: Path) -> None:
    assert "There is no folder" in as_ada.post(NEW, {"folder": f"{root}/nowhere"}).content.decode()


def test_the_form_offers_folders_of_the_roots(as_ada: Client, root: Path) -> None:
    (root / ".hidden").mkdir()
    page = as_ada.get(NEW).content.decode()
    assert f"{root}/clips/run" in page and ".hidden" not in page


def test_the_page_asks_again_while_the_job_is_open_and_stops_when_it_is_not(as_ada: Client, ada: User) -> None:
    import_ = start_import(ada, [make_upload(ada)])
    assert "hx-trigger" in page_of(as_ada, import_)
    Job.objects.update(state=Job.State.FAILED, failure={"message": "The archive is damaged.", "advice": "Pack it again."})
    page = page_of(as_ada, import_)
    assert "hx-trigger" not in page
    assert "The archive is damaged." in page and "Pack it again." in page and "Try again" in page


def test_the_preview_shows_everything_escaped_and_writes_nothing(as_ada: Client, ada: User) -> None:
    page = page_of(as_ada, previewed(ada))
    for text in (
        "One folder per class",
        "&lt;b&gt;run",
        "走",
        "It is truncated.",
        "Copy it again.",
        "Two files are the same.",
        "Import 5 videos",
    ):
        assert text in page, text
    assert "<b>run" not in page and 'value="my clips"' in page and 'name="test_fraction"' in page
    assert not Dataset.objects.exists()


def test_a_split_that_is_only_proposed_can_be_changed(as_ada: Client, ada: User) -> None:
    assert 'name="test_fraction"' in page_of(as_ada, previewed(ada, splits=[{**OFFICIAL, "origin": "generated"}]))


def test_data_with_a_split_is_not_asked_for_one(as_ada: Client, ada: User) -> None:
    assert 'name="test_fraction"' not in page_of(as_ada, previewed(ada, splits=[OFFICIAL]))


def test_sources_without_videos_cannot_be_confirmed(as_ada: Client, ada: User) -> None:
    page = page_of(as_ada, previewed(ada, num_videos=0, classes=[]))
    assert "No video was recognised" in page and "import_confirm" not in page


def test_confirming_makes_the_dataset_and_the_job_that_reads_in(as_ada: Client, ada: User) -> None:
    import_ = previewed(ada)
    fields = {"name": "signs", "description": "d", "short_side": 144, "test_fraction": 0.25, "seed": 3}
    as_ada.post(reverse("datasets:import_confirm", args=(import_.pk,)), fields)
    import_.refresh_from_db()
    dataset = Dataset.objects.get()
    assert import_.dataset == dataset and dataset.owner == ada and dataset.frames.short_side == 144
    assert import_.options == {"name": "signs", "frame_spec": dataset.frame_spec, "test_fraction": 0.25, "seed": 3}
    job = latest_job(import_)
    assert job is not None and (job.kind, job.dataset) == (Job.Kind.INGEST, dataset)


def test_confirming_twice_makes_one_dataset(ada: User) -> None:
    import_ = previewed(ada)
    stale = Import.objects.get()
    options: dict[str, Any] = {"name": "a", "description": "", "frame_spec": make_dataset(ada, name="other").frames, "split": {}}
    confirm_import(import_, **options)
    with pytest.raises(ImportMoved):
        confirm_import(stale, **options)
    assert Dataset.objects.exclude(name="other").count() == 1


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"short_side": 5}, {"short_side": 99999}, {"test_fraction": 1.5}, {"seed": -1}, {"name": "x" * 121}]
)
def test_options_out_of_range_are_refused_in_place(as_ada: Client, ada: User, wrong: dict[str, Any]) -> None:
    fields = {"name": "signs", "short_side": 144, "test_fraction": 0.25, "seed": 3, **wrong}
    response = as_ada.post(reverse("datasets:import_confirm", args=(previewed(ada).pk,)), fields)
    assert response.status_code == 400 and 'class="error"' in response.content.decode()
    assert not Dataset.objects.exists()


def test_the_report_lists_what_came_in_and_what_was_refused(as_ada: Client, ada: User) -> None:
    import_ = previewed(ada)
    dataset = make_dataset(ada)
    dataset.findings = [{"kind": "duplicate", "message": "Two are the same.", "videos": ["v1", "v2"]}]
    dataset.save()
    Video.objects.create(dataset=dataset, key="bad", path="bad.avi", status="refused", reason="It is audio only.", advice="Leave it out.")
    Import.objects.update(dataset=dataset)
    page = page_of(as_ada, import_)
    for text in (
        "12 videos were imported",
        "1 file is left out",
        "It is audio only.",
        "Leave it out.",
        "Two are the same.",
        "Open the dataset",
    ):
        assert text in page, text


def test_a_failed_import_is_tried_again_in_the_same_job(as_ada: Client, ada: User) -> None:
    import_ = start_import(ada, [make_upload(ada)])
    Job.objects.update(state=Job.State.FAILED)
    as_ada.post(reverse("datasets:import_retry", args=(import_.pk,)))
    assert Job.objects.get().state == Job.State.QUEUED


def test_discarding_takes_the_uploads_along_but_not_while_a_job_is_open(as_ada: Client, ada: User) -> None:
    import_ = start_import(ada, [make_upload(ada)])
    address = reverse("datasets:import_discard", args=(import_.pk,))
    as_ada.post(address)
    assert Import.objects.exists()
    Job.objects.update(state=Job.State.DONE)
    path = Upload.objects.get().path
    as_ada.post(address)
    assert not Import.objects.exists() and not Upload.objects.exists() and not path.exists()


def test_an_import_is_its_users_alone(client: Client, ada: User) -> None:
    import_ = previewed(ada)
    addresses = [reverse(f"datasets:import_{name}", args=(import_.pk,)) for name in ("detail", "confirm", "retry", "discard")]
    assert {client.post(address).status_code for address in addresses} == {302}
    client.force_login(make_user("eve"))
    assert client.get(addresses[0]).status_code == 404
    assert {client.post(address).status_code for address in addresses[1:]} == {404}


def test_the_suggested_name_comes_from_the_first_source(ada: User, root: Path) -> None:
    assert suggested_name(start_import(ada, [], root / "clips")) == "clips"


def test_the_preview_warns_of_what_will_hurt_later(as_ada: Client, ada: User) -> None:
    make_dataset(ada, name="My clips")
    classes = [{"name": "run", "videos": 4}, {"name": "lonely", "videos": 1}]
    untested = {"name": "1", "origin": "generated", "train": 5, "validation": 0, "test": 0}
    page = page_of(as_ada, previewed(ada, splits=[untested], classes=classes, groups=0, ungrouped=5))
    for text in (
        "Split “1” has no test videos.",
        "1 class has a single video",
        "lonely",
        "have no groups",
        "a dataset of this name already",
    ):
        assert text in page, text


def test_a_preview_of_sound_data_warns_of_nothing(as_ada: Client, ada: User) -> None:
    page = page_of(as_ada, previewed(ada, splits=[OFFICIAL], groups=0, ungrouped=5, findings=[]))
    assert 'class="message warning" role="status">' not in page


def test_a_name_that_is_taken_is_allowed_and_told(as_ada: Client, ada: User) -> None:
    make_dataset(ada, name="signs")
    fields = {"name": "Signs", "short_side": 144, "test_fraction": 0.25, "seed": 3}
    page = as_ada.post(reverse("datasets:import_confirm", args=(previewed(ada).pk,)), fields, follow=True).content.decode()
    assert Dataset.objects.count() == 2 and "There are two datasets called “Signs” now" in page


def refused(user: User, kind: str, import_: Import) -> Job:
    """The import's newest job, ended by what was in its files."""
    Job.objects.all().delete()
    failure = {"code": "BadLayout", "message": "The only video cannot be used; a.mp4: no video", "advice": "Copy it.", "detail": ""}
    job = make_job(kind, user, import_.dataset, Job.State.FAILED, failure=failure)
    Job.objects.filter(pk=job.pk).update(subject_id=import_.pk)
    return job


def test_a_refusal_that_was_read_on_the_imports_page_is_not_on_the_home_page_and_not_tried_again(as_ada: Client, ada: User) -> None:
    import_ = start_import(ada, [make_upload(ada)])
    refused(ada, Job.Kind.INSPECT, import_)
    assert "The only video cannot be used" in as_ada.get("/").content.decode()
    page = page_of(as_ada, import_)
    assert "The only video cannot be used" in page and "Try again" not in page and "Choose other files" in page
    assert "The only video cannot be used" not in as_ada.get("/").content.decode()


def test_a_folder_on_the_server_may_be_mended_and_tried_again(as_ada: Client, ada: User, root: Path) -> None:
    import_ = start_import(ada, [], root / "clips")
    refused(ada, Job.Kind.INSPECT, import_)
    assert "Try again" in page_of(as_ada, import_)


def test_a_dataset_that_nothing_came_into_says_why_and_is_discarded_with_its_import(as_ada: Client, ada: User) -> None:
    import_ = previewed(ada)
    Import.objects.update(dataset=Dataset.objects.create(name="bare", owner=ada, frame_spec={}))
    import_.refresh_from_db()
    refused(ada, Job.Kind.INGEST, import_)
    page = as_ada.get(reverse("datasets:dataset_detail", args=(import_.dataset_id,))).content.decode()
    assert "a.mp4: no video" in page and "Open the import" in page
    assert "Discard this import" in page_of(as_ada, import_)
    as_ada.post(reverse("datasets:import_discard", args=(import_.pk,)))
    assert not Dataset.objects.exists() and not Import.objects.exists() and not Upload.objects.exists()


def test_an_import_that_brought_videos_is_not_discarded(as_ada: Client, ada: User) -> None:
    import_ = previewed(ada)
    Import.objects.update(dataset=make_dataset(ada))
    as_ada.post(reverse("datasets:import_discard", args=(import_.pk,)))
    assert Import.objects.exists() and Dataset.objects.exists()
