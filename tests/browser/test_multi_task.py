"""A run of two datasets in a real browser and with a real worker: launched from the preset, its results read dataset by dataset."""

import re
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from ml.config.flow import Brox, FlowSpec
from ml.video.pack import write_flow_pack
from tests.browser.visitor import Visitor
from tests.processes import running_plant
from tests.webapp.factories import make_dataset
from webapp.datasets.models import Dataset, FlowCache

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PATIENCE_SECONDS = 300.0
TINY = {
    "model.two_stream.backbone": "resnet10t",
    "model.two_stream.dropout": "0",
    "data.short_side": "48",
    "data.crop_size": "32",
    "training.epochs": "1",
    "training.steps_per_epoch": "30",
    "training.batch_size": "8",
    "training.milestones": "",
    "training.loader_workers": "0",
    "evaluation.frames": "2",
    "evaluation.crops": "1",
}


def draw_motion(dataset: Dataset) -> None:
    """Flow as if extracted: in every dataset the right half of the picture goes up in the first class and down in the second."""
    spec = FlowSpec(method=Brox())  # of the preset
    cache = FlowCache.objects.create(dataset=dataset, spec=spec.model_dump(mode="json"), spec_id=spec.spec_id())
    for video in dataset.videos.select_related("label"):
        assert video.label is not None
        fields = np.random.default_rng(video.pk).normal(0, 0.3, (video.frames - 1, 2, 48, 64)).astype(np.float32)
        fields[:, 1, :, 32:] += 4 * (2 * video.label.index - 1)
        path = cache.pack(video.media)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_flow_pack(path, list(fields), spec, dataset.frames)
    FlowCache.objects.filter(pk=cache.pk).update(videos_done=dataset.videos.count())


@pytest.fixture
def gestures(signed_in: Page) -> Dataset:
    dataset = make_dataset(User.objects.get(), ("raise", "lower"), videos_per_class=4, name="gestures")
    draw_motion(dataset)
    return dataset


@pytest.fixture
def sports(signed_in: Page) -> Dataset:
    dataset = make_dataset(User.objects.get(), ("high jump", "squat"), videos_per_class=12, name="sports")
    draw_motion(dataset)
    return dataset


def test_a_run_of_two_datasets_is_launched_from_its_preset_and_tested_on_each(
    signed_in: Page, live_server: LiveServer, gestures: Dataset, sports: Dataset, tmp_path: Path
) -> None:
    signed_in.route("**/*.jpg", lambda route: route.fulfill(status=200, content_type="image/jpeg", body=b""))
    page, visitor = signed_in, Visitor(signed_in, live_server.url, PATIENCE_SECONDS)
    page.goto(f"{live_server.url}/experiments/new/run/?preset=paper_temporal_multi_task&dataset={gestures.pk}")
    visitor.fill({"name": "both", **TINY})
    page.get_by_label("Further datasets").select_option(label="sports · 1")
    visitor.see("multi-task-launch")
    with running_plant(tmp_path, at_once=2):
        visitor.press("Launch")
        expect(page.get_by_role("heading", name="both")).to_be_visible()
        expect(page.locator("#run-tab .badge-done")).to_have_count(2, timeout=1000 * PATIENCE_SECONDS)
    visitor.see("multi-task-run")

    found = page.locator("#run-tab tbody tr").all()
    lines = [[" ".join(cell.split()) for cell in line.locator("td").all_text_contents()] for line in found]
    assert [line[:2] for line in lines] == [["sports · 1", "test"], ["gestures · 1", "test"]]
    assert {line[2] for line in lines} == {"2 frames × 1 crop, class probabilities averaged"}
    assert all(re.fullmatch(r"\d+ %( \d+ of \d+)?", number) for line in lines for number in line[-2:])
    run_page = page.url
    for number, (line, classes) in enumerate(zip(lines, (["high jump", "squat"], ["lower", "raise"]), strict=True)):
        page.goto(run_page)
        page.locator("#run-tab tbody a").nth(number).click()
        visitor.waits_for(page.get_by_role("heading", name="Results"))
        visitor.see(f"multi-task-results-{number}")
        assert line[-2].startswith(visitor.stat("Top-1"))
        assert sorted(page.locator("details td a").all_text_contents()) == classes
