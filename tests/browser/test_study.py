"""A study in a real browser and with a real worker: varied from a run's page, its table read when it is full, a value added, stopped."""

import re
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from ml.config.data import FrameSpec
from ml.video.pack import write_frame_pack
from tests.browser.visitor import unfold
from tests.processes import running_plant
from tests.webapp.factories import make_dataset
from webapp.datasets.models import Dataset, media_store
from webapp.experiments.models import Study

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PATIENCE_MS = 180_000
TINY = {"data.short_side": "48", "data.crop_size": "32", "training.epochs": "1", "training.batch_size": "4", "evaluation.frames": "1"}


@pytest.fixture
def dataset(signed_in: Page) -> Dataset:
    """Dark videos and bright ones, straight as packs."""
    dataset = make_dataset(User.objects.get(), ("bright", "dark"), videos_per_class=4, name="light")
    for video in dataset.videos.select_related("label"):
        assert video.label is not None
        noise = np.random.default_rng(video.pk).integers(0, 60, (video.frames, 48, 64, 3))
        frames = (noise + (180 if video.label.name == "bright" else 10)).astype(np.uint8)
        path = media_store().frames(video.media, dataset.frames.spec_id())
        path.parent.mkdir(parents=True, exist_ok=True)
        write_frame_pack(path, list(frames), FrameSpec())
    return dataset


def launch_tiny_run(page: Page, url: str) -> None:
    page.goto(f"{url}/experiments/new/run/?preset=cpu_spatial")
    page.get_by_label("Name").fill("tiny")
    unfold(page)
    for name, value in TINY.items():
        page.locator(f"[name='{name}']").fill(value)
    page.get_by_role("button", name="Launch").click()
    expect(page.get_by_role("heading", name="tiny")).to_be_visible()


def lines(page: Page) -> Locator:
    return page.locator("section", has=page.get_by_role("heading", name="Results", exact=True)).locator("tbody tr")


def test_a_study_over_two_values_fills_its_table(signed_in: Page, live_server: LiveServer, dataset: Dataset, tmp_path: Path) -> None:
    page = signed_in
    launch_tiny_run(page, live_server.url)
    page.get_by_role("link", name="Vary …").click()
    page.get_by_label("Name").fill("how much dropout")
    page.locator("[name=axis0-field]").select_option(label="Dropout")
    page.locator("[name=axis0-values]").fill("0.5, 1.9")
    page.get_by_role("button", name="Launch").click()
    expect(page.get_by_text("Must be less than 1; you gave 1.9.")).to_be_visible()
    page.locator("[name=axis0-values]").fill("0.5, 0.9")
    with running_plant(tmp_path):
        page.get_by_role("button", name="Launch").click()
        expect(page.get_by_role("heading", name="how much dropout")).to_be_visible()
        expect(lines(page).get_by_text("1 / 1")).to_have_count(2, timeout=PATIENCE_MS)
    for row, (dropout, published) in zip(lines(page).all(), (("0.5", "42.5"), ("0.9", "52.3")), strict=True):
        cells = [cell.strip() for cell in row.locator("td").all_inner_texts()]
        source, *protocol = cells[0].splitlines()
        assert (source, cells[1], cells[-1]) == ("RGB frames", dropout, published)
        assert protocol == ["1 frames × 1 crops, class probabilities averaged"]
        assert re.fullmatch(r"\d+\.\d", cells[2])
    expect(page.locator("[data-chart] .scatterlayer .trace")).to_have_count(2)

    page.locator("[name=field]").select_option(label="Dropout")
    page.locator("[name=values]").fill("0.7")
    page.get_by_role("button", name="Add and launch").click()
    expect(lines(page)).to_have_count(3)
    page.get_by_role("button", name="Stop all").click()
    expect(page.get_by_text("Stopped", exact=True)).to_be_visible()
    assert Study.objects.get().runs.count() == 3
