"""Sharing, and deleting for good."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from tests.webapp.factories import make_dataset, make_evaluation, make_fusion, make_prediction, make_run, make_upload, make_user, share
from webapp.datasets.models import Dataset, Import, Membership, Upload, Video, media_store
from webapp.datasets.services.datasets import NotShared, share_dataset
from webapp.datasets.services.deletion import DatasetBusy, delete_dataset, freed_bytes
from webapp.datasets.services.files import remove_after_commit
from webapp.experiments.models import Evaluation, Fusion, Run, VideoScore
from webapp.jobs.models import Job
from webapp.jobs.selectors import job_folder
from webapp.predictions.models import Prediction

pytestmark = pytest.mark.django_db


def grown(dataset: Dataset) -> list[Path]:
    """Runs, evaluations, a fusion, a prediction and an import of the dataset, with a file behind each; the folders of those files."""
    runs = [make_run(dataset, modality) for modality in ("rgb", "flow")]
    fusion = make_fusion([make_evaluation(run) for run in runs])
    prediction = make_prediction(dataset.owner, fusion)
    Import.objects.create(user=dataset.owner, dataset=dataset).uploads.add(make_upload(dataset.owner))
    rows: list[Run | Evaluation | Prediction | Dataset] = [*runs, *Evaluation.objects.all(), prediction, dataset]
    media = [media_store().folder(video.media) for video in dataset.videos.all()]
    folders = [*(row.folder for row in rows), *media, job_folder(runs[0].job_id)]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"0123456789")
    return folders


def test_deleting_leaves_no_row_and_no_file(
    ada: User, dataset: Dataset, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    folders = grown(dataset)
    uploads = [upload.path for upload in Upload.objects.all()]
    with django_capture_on_commit_callbacks(execute=True):
        delete_dataset(dataset)
    for model in (Dataset, Run, Evaluation, Fusion, Prediction, VideoScore, Video, Job, Import, Upload):
        assert not model.objects.exists(), model
    assert [path for path in (*folders, *uploads) if path.exists()] == []


def test_what_is_freed_is_what_the_files_take(dataset: Dataset) -> None:
    folders = grown(dataset)
    uploads = sum(upload.size for upload in Upload.objects.all())
    assert freed_bytes(dataset) == 10 * (len(folders) - 1) + uploads  # the job's log is not counted


def test_media_of_another_dataset_and_uploads_in_use_elsewhere_stay(
    ada: User, dataset: Dataset, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    grown(dataset)
    other = make_dataset(ada, name="other", videos_per_class=1)
    shared = dataset.videos.all()[0].media
    Video.objects.filter(pk=other.videos.all()[0].pk).update(media=shared)
    upload = Import.objects.get().uploads.get()
    Import.objects.create(user=ada).uploads.add(upload)
    with django_capture_on_commit_callbacks(execute=True):
        delete_dataset(dataset)
    assert media_store().folder(shared).exists()
    assert upload.path.exists() and Upload.objects.get() == upload
    assert Dataset.objects.get() == other


@pytest.mark.parametrize("state", Job.OPEN)
def test_nothing_is_deleted_while_a_job_is_open(dataset: Dataset, state: str) -> None:
    make_run(dataset, state=state)
    with pytest.raises(DatasetBusy, match="Train"):
        delete_dataset(dataset)
    assert dataset.videos.count() == 12 and Run.objects.exists()


def test_a_prediction_under_way_holds_the_dataset_too(dataset: Dataset) -> None:
    make_prediction(make_user("bob"), make_run(dataset), state=Job.State.RUNNING)
    with pytest.raises(DatasetBusy):
        delete_dataset(dataset)


def test_files_stay_when_the_transaction_does_not_commit(dataset: Dataset) -> None:
    folders = grown(dataset)
    delete_dataset(dataset)  # the test's own transaction never commits
    assert all(folder.exists() for folder in folders)


@pytest.mark.parametrize("path", ["/etc/hostname", "..", "."])
def test_nothing_outside_the_data_folder_is_ever_removed(data_dir: Path, path: str) -> None:
    with pytest.raises(ValueError, match="not inside"):
        remove_after_commit(data_dir / path)


def test_the_page_asks_first_and_deletes_on_the_answer(client: Client, ada: User, dataset: Dataset) -> None:
    client.force_login(ada)
    address = reverse("datasets:dataset_delete", args=(dataset.pk,))
    grown(dataset)
    page = client.get(address).content.decode()
    assert "Delete for good" in page and "bytes" in page
    assert Dataset.objects.exists()
    assert client.post(address)["Location"] == reverse("datasets:dataset_list")
    assert not Dataset.objects.exists()


def test_the_page_says_which_job_is_in_the_way(client: Client, ada: User, dataset: Dataset) -> None:
    make_run(dataset, state=Job.State.RUNNING)
    client.force_login(ada)
    response = client.post(reverse("datasets:dataset_delete", args=(dataset.pk,)), follow=True)
    assert "still waiting or running" in response.content.decode()


def test_sharing_lets_somebody_in_and_taking_it_back_shuts_them_out(client: Client, ada: User, dataset: Dataset) -> None:
    make_user("bob")
    page = reverse("datasets:dataset_detail", args=(dataset.pk,))
    owner, guest = client, Client()
    owner.force_login(ada)
    guest.force_login(User.objects.get(username="bob"))
    owner.post(reverse("datasets:member_add", args=(dataset.pk,)), {"username": "bob", "role": "viewer"})
    assert guest.get(page).status_code == 200
    owner.post(reverse("datasets:member_remove", args=(dataset.pk, Membership.objects.get().pk)))
    assert guest.get(page).status_code == 404


def test_whoever_was_let_in_may_leave_and_takes_nobody_along(client: Client, dataset: Dataset) -> None:
    bob, carol = (share(dataset, make_user(name)) for name in ("bob", "carol"))
    client.force_login(bob.user)
    page = client.get(reverse("datasets:dataset_detail", args=(dataset.pk,))).content.decode()
    assert f"/members/{bob.pk}/remove" in page and f"/members/{carol.pk}/remove" not in page and "Leave this dataset?" in page
    assert client.post(reverse("datasets:member_remove", args=(dataset.pk, carol.pk))).status_code == 404
    told = client.post(reverse("datasets:member_remove", args=(dataset.pk, bob.pk)), follow=True).content.decode()
    assert "“gestures” is not shared with you any more." in told and Membership.objects.get() == carol


def test_sharing_again_changes_the_role(dataset: Dataset) -> None:
    make_user("bob")
    share_dataset(dataset, "bob", "viewer")
    share_dataset(dataset, "bob", "editor")
    assert Membership.objects.get().role == "editor"


@pytest.mark.parametrize("name", ["nobody", "ada", "' OR 1=1 --"])
def test_nobody_and_the_owner_cannot_be_members(dataset: Dataset, name: str) -> None:
    with pytest.raises(NotShared, match=name):
        share_dataset(dataset, name, "viewer")


@pytest.mark.parametrize("fields", [{}, {"username": "bob"}, {"username": "bob", "role": "owner"}])
def test_a_member_form_that_makes_no_sense_shares_nothing(client: Client, ada: User, dataset: Dataset, fields: dict[str, str]) -> None:
    make_user("bob")
    client.force_login(ada)
    client.post(reverse("datasets:member_add", args=(dataset.pk,)), fields)
    assert not Membership.objects.exists()


def test_a_membership_of_another_dataset_is_not_found(client: Client, ada: User, dataset: Dataset) -> None:
    elsewhere = share(make_dataset(make_user("eve"), name="other"), make_user("bob"))
    client.force_login(ada)
    assert client.post(reverse("datasets:member_remove", args=(dataset.pk, elsewhere.pk))).status_code == 404
