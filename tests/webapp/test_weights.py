"""Pretrained weights on the site: what is there, what was uploaded, and what a run that needs them is told."""

from pathlib import Path

import pytest
import torch
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, TestCase

from ml.backbones import build_backbone
from ml.config.experiment import ExperimentConfig
from ml.config.models import TwoStream
from ml.config.weights import IMAGENET
from tests.webapp.factories import make_dataset, make_upload, make_user
from webapp.datasets.models import Upload
from webapp.experiments.models import WeightsFile, weights_folder
from webapp.experiments.preflight import preflight
from webapp.experiments.services.weights import check_weights, fetch_weights, shelves
from webapp.jobs.models import Job
from worker.run import run_job

pytestmark = pytest.mark.django_db
RESNET = ExperimentConfig(model=TwoStream(backbone="resnet10t", pretrained="imagenet"))


@pytest.fixture(autouse=True)
def empty_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


@pytest.fixture
def chief(client: Client) -> Client:
    client.force_login(make_user("chief", is_superuser=True))
    return client


def origins() -> dict[str, str]:
    return {shelf.backbone: shelf.origin for shelf in shelves()}


def test_what_is_there_is_told_with_where_it_comes_from(chief: Client, tmp_path: Path) -> None:
    for folder, name in ((weights_folder(), "resnet18"), (tmp_path / "torch/hub/checkpoints", "vgg16")):
        folder.mkdir(parents=True)
        (folder / IMAGENET[name].file).touch()  # type: ignore[index]
    assert {name: origin for name, origin in origins().items() if origin} == {
        "resnet18": "uploaded", "vgg16": "cache", "efficientnet_lite0": "package",
    }  # fmt: skip
    page = chief.get("/experiments/weights/").content.decode()
    assert all(wanted.file in page for wanted in IMAGENET.values())
    assert page.count(">missing<") == len(IMAGENET) - 3 and "comes with a package" in page


def test_an_upload_is_queued_for_its_check(chief: Client) -> None:
    upload = make_upload(User.objects.get(), "resnet.pth")
    chief.post("/experiments/weights/", {"backbone": "resnet18", "uploads": [str(upload.pk)]})
    chief.post("/experiments/weights/", {"backbone": "vgg16", "file": SimpleUploadedFile("vgg.pth", b"x")})
    found = WeightsFile.objects.order_by("pk")
    assert [(one.backbone, one.name, one.job.kind, one.job.queue) for one in found] == [
        ("resnet18", "resnet.pth", "weights", "predict"), ("vgg16", "vgg.pth", "weights", "predict"),
    ]  # fmt: skip
    assert 'hx-trigger="every 2s"' in chief.get("/experiments/weights/").content.decode()


@pytest.mark.parametrize(
    ("data", "words"), [({"backbone": "resnet18"}, "Choose one file of weights"), ({"backbone": "alexnet"}, "Select a valid choice")]
)
def test_a_form_without_a_file_or_for_no_backbone_of_ours_is_told(chief: Client, data: dict[str, str], words: str) -> None:
    assert words in chief.post("/experiments/weights/", data).content.decode()
    assert not WeightsFile.objects.exists()


def test_everybody_may_look_but_only_who_runs_the_site_may_add(client: Client) -> None:
    user = make_user()
    client.force_login(user)
    assert "Add weights" not in client.get("/experiments/weights/").content.decode()
    assert client.post("/experiments/weights/", {"backbone": "vgg16", "uploads": [str(make_upload(user).pk)]}).status_code == 403
    client.logout()
    assert client.get("/experiments/weights/").status_code == 302


def checked(content: object, tmp_path: Path) -> WeightsFile:
    """A file that was uploaded for ResNet-10-T, after the worker has looked at it."""
    torch.save(content, tmp_path / "state.pth")
    user = make_user()
    weights = check_weights(user, make_upload(user, "state.pth", (tmp_path / "state.pth").read_bytes()), "resnet10t")
    with TestCase.captureOnCommitCallbacks(execute=True):
        run_job.apply(args=(weights.job_id,), throw=True)
    weights.refresh_from_db()
    return weights


def test_weights_that_fit_are_kept_and_the_upload_goes(chief: Client, tmp_path: Path) -> None:
    split = make_dataset(make_user("bob")).splits.get()
    assert any("ImageNet weights of ResNet-10-T are not here" in found.message for found in preflight(split, RESNET))
    weights = checked(build_backbone("resnet10t", 3).net.state_dict(), tmp_path)
    assert weights.job.state == Job.State.DONE and weights.report["fits"]
    assert origins()["resnet10t"] == "uploaded" and not Upload.objects.exists() and not list((tmp_path / "uploads").iterdir())
    assert not any("ImageNet weights" in found.message for found in preflight(split, RESNET))
    assert "fits" in chief.get("/experiments/weights/").content.decode()


def test_weights_that_do_not_fit_are_refused_with_the_names(chief: Client, tmp_path: Path) -> None:
    weights = checked({"conv.weight": torch.zeros(4, 3, 3, 3)}, tmp_path)
    assert weights.job.state == Job.State.DONE and not weights.report["fits"] and origins()["resnet10t"] == ""
    page = chief.get("/experiments/weights/").content.decode()
    assert "refused" in page and "conv.weight" in page and "0 tensors fit" in page


def test_a_file_without_weights_is_called_as_its_owner_called_it(chief: Client, tmp_path: Path) -> None:
    assert checked(["no tensors"], tmp_path).job.state == Job.State.FAILED
    assert "state.pth holds no state dict" in chief.get("/experiments/weights/").content.decode()


def test_weights_that_a_library_publishes_and_that_are_missing_can_be_fetched(chief: Client) -> None:
    page = chief.get("/experiments/weights/").content.decode()
    offered = {name for name in IMAGENET if f'action="/experiments/weights/{name}/fetch"' in page}
    assert offered == {"vgg16", "resnet10t", "resnet18", "resnet50"}
    assert "already" not in chief.post("/experiments/weights/resnet18/fetch", follow=True).content.decode()
    again = chief.post("/experiments/weights/resnet18/fetch", follow=True).content.decode()
    weights = WeightsFile.objects.get()
    assert f'“{weights}” is being fetched already. <a href="/jobs/{weights.job_id}/">Show the job</a>' in again
    assert (weights.name, weights.is_fetched, weights.job.kind) == (IMAGENET["resnet18"].file, True, "weights")
    Job.objects.update(state=Job.State.RUNNING, progress_done=3, progress_total=46, progress_unit="MB")
    page = chief.get("/experiments/weights/").content.decode()
    assert "resnet18/fetch" not in page and 'hx-trigger="every 2s"' in page and "3 / 46 MB" in page


@pytest.mark.parametrize(("backbone", "status"), [("cnn_m_2048", 302), ("efficientnet_lite0", 302), ("alexnet", 404)])
def test_what_is_here_or_nobody_publishes_is_not_fetched(chief: Client, backbone: str, status: int) -> None:
    assert chief.post(f"/experiments/weights/{backbone}/fetch").status_code == status
    assert not WeightsFile.objects.exists()


def test_only_who_runs_the_site_has_weights_fetched(client: Client) -> None:
    client.force_login(make_user())
    assert "/fetch" not in client.get("/experiments/weights/").content.decode()
    assert client.post("/experiments/weights/resnet18/fetch").status_code == 403


def test_without_a_network_a_fetch_says_so_and_can_be_asked_for_again(chief: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nothing listens there
    weights, _is_new = fetch_weights(User.objects.get(), "resnet18")
    run_job.apply(args=(weights.job_id,), throw=True)
    page = chief.get("/experiments/weights/").content.decode()
    assert "The weights of resnet18 could not be fetched from https://" in page and "Connection refused" in page
    assert "upload them on the page" in page and "resnet18/fetch" in page and "hx-trigger" not in page
    assert not list(weights_folder().iterdir())
