"""λ2 of NFMML in a real browser and with a real worker: three values from the sweep page, their table and distances; one more, stopped."""

import re
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from ml.config.data import DataConfig, FrameSpec
from ml.config.evaluation import Protocol
from ml.config.experiment import ExperimentConfig
from ml.config.models import NFMML
from ml.config.training import TrainingConfig
from ml.video.pack import write_frame_pack
from tests.processes import running_plant
from tests.webapp.factories import make_dataset, make_run
from webapp.datasets.models import Dataset, media_store
from webapp.experiments.models import Run, Study

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PATIENCE_MS = 240_000
TINY = ExperimentConfig(
    model=NFMML(backbone="resnet10t", embedding_size=8, metric_weight=0.1),
    data=DataConfig(num_segments=2, short_side=48, crop_size=32, validation_fraction=0),
    training=TrainingConfig(epochs=1, steps_per_epoch=2, batch_size=4, sampling="balanced", learning_rate=0.01, clip_norm=40),
    evaluation=Protocol(frames=1, crops=1, aggregation="logits"),
)


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


@pytest.fixture
def base(dataset: Dataset) -> Run:
    """What somebody has trained before, with a λ2 that the study does not ask for."""
    run = make_run(dataset, name="tiny")
    run.config = TINY.replace(data=TINY.data.replace(dataset=str(dataset.pk))).model_dump(mode="json")
    run.save()
    return run


def lines(page: Page) -> Locator:
    return page.locator("section", has=page.get_by_role("heading", name="Results", exact=True)).locator("tbody tr")


def test_a_study_of_three_weights_fills_its_table(
    signed_in: Page, live_server: LiveServer, base: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = signed_in
    page.goto(f"{live_server.url}/experiments/{base.pk}/")
    page.get_by_role("link", name="Vary …").click()
    page.get_by_label("Name").fill("how much metric")
    page.locator("[name=axis0-field]").select_option(label="Weight λ2")
    page.locator("[name=axis0-values]").fill("0, 0.2, 101")
    page.get_by_role("button", name="Launch").click()
    expect(page.get_by_text("you gave 101")).to_be_visible()
    page.locator("[name=axis0-values]").fill("0, 0.2, 0.4")
    monkeypatch.setenv("KINETOSCOPE_LEASE_SECONDS", "30")  # nobody is killed here, and a loaded machine may be slow
    with running_plant(tmp_path, at_once=2):
        page.get_by_role("button", name="Launch").click()
        expect(page.get_by_role("heading", name="how much metric")).to_be_visible()
        expect(lines(page).get_by_text("0 / 1")).to_have_count(3)
        expect(lines(page).get_by_text("1 / 1").first).to_be_visible(timeout=PATIENCE_MS)
        expect(lines(page).get_by_text("1 / 1")).to_have_count(3, timeout=PATIENCE_MS)
    page.get_by_label("Beside").select_option("nfmml_1")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("link", name="Table 1", exact=True)).to_be_visible()
    for row, (weight, published) in zip(lines(page).all(), (("0", "83.2"), ("0.2", "–"), ("0.4", "–")), strict=True):
        cells = [cell.strip() for cell in row.locator("td").all_inner_texts()]
        source, *protocol = cells[0].splitlines()
        assert (source, cells[1], cells[-1]) == ("RGB frames", weight, published)
        assert protocol == ["1 frame × 1 crop, scores before softmax"]
        assert re.fullmatch(r"(\d+)\s+\d+ of \d+", cells[2]) and all(re.fullmatch(r"\d+", number) for number in cells[3:-2])
    expect(page.locator("[data-chart] .scatterlayer .trace")).to_have_count(2)  # ours and the paper's

    children = Study.objects.get().runs.order_by("pk")
    sees_distances(page, live_server.url, children[2])
    page.goto(f"{live_server.url}/experiments/compare?runs={','.join(str(run.pk) for run in children)}")
    expect(page.locator("[data-chart^=distances-figure] .scatterlayer .trace")).to_have_count(9)  # three runs in three panels

    page.goto(f"{live_server.url}/experiments/studies/{Study.objects.get().pk}/")
    page.locator("[name=field]").select_option(label="Weight λ2")
    page.locator("[name=values]").fill("0.3")
    page.get_by_role("button", name="Add and launch").click()
    expect(lines(page)).to_have_count(4)
    page.get_by_role("button", name="Stop all").click()
    expect(page.get_by_text("Stopped", exact=True)).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Stopped", exact=True)).to_be_hidden()
    assert [run.experiment.model.metric_weight for run in children.all()] == [0, 0.2, 0.4, 0.3]  # type: ignore[union-attr]


def sees_distances(page: Page, url: str, run: Run) -> None:
    """Beside loss and accuracy, of the run with a metric loss."""
    page.goto(f"{url}/experiments/{run.pk}/?tab=curves")
    expect(page.get_by_role("heading", name="Distances")).to_be_visible()
    expect(page.locator("#distances .scatterlayer .trace")).to_have_count(3)
