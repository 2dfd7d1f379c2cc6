"""Uploading pretrained weights in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from webapp import queue
from webapp.experiments.models import WeightsFile

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_file_of_weights_goes_up_in_chunks_and_waits_for_its_check(
    signed_in: Page, live_server: LiveServer, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "send", lambda job: True)
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    settings.UPLOAD_CHUNK_BYTES = 4096
    file = tmp_path / "resnet.pth"
    file.write_bytes(bytes(range(256)) * 64)
    page = signed_in
    page.goto(f"{live_server.url}/experiments/weights/")
    page.get_by_label("Backbone").select_option("resnet18")
    page.set_input_files("input[type=file]", file)
    expect(page.locator("[data-status]")).to_contain_text("complete")
    page.get_by_role("button", name="Check and keep").click()
    row = page.locator("section", has=page.get_by_role("heading", name="Files brought in")).locator("tbody tr")
    expect(row.locator("td")).to_contain_text(["resnet.pth", "ResNet-18", "Queued", "ada"])
    weights = WeightsFile.objects.get()
    assert weights.upload is not None and weights.upload.path.read_bytes() == file.read_bytes()
