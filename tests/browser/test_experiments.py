"""Launching and watching an experiment in a real browser."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, Response, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.visitor import unfold
from tests.webapp.factories import make_dataset, make_evaluation, make_run
from webapp import queue
from webapp.datasets.models import Dataset
from webapp.experiments.models import Fusion, Run, RunPoint
from webapp.jobs.models import Job

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "send", lambda job: True)


@pytest.fixture
def dataset(signed_in: Page) -> Dataset:
    return make_dataset(User.objects.get())


def train_until(run: Run, epoch: int) -> None:
    """What the worker writes down during an epoch of ten steps."""
    for step in range(10 * epoch - 8, 10 * epoch + 1, 2):
        RunPoint.objects.create(run=run, step=step, epoch=epoch, train={"cross_entropy": 3 / step})
    held_out = {"loss": 0.9 / epoch, "top1": 1 - 0.6 / epoch}
    train = {"loss": 0.7 / epoch, "top1": 1 - 0.5 / epoch}
    RunPoint.objects.create(run=run, step=10 * epoch, epoch=epoch, is_epoch_end=True, train=train, validation=held_out)
    Job.objects.filter(pk=run.job_id).update(progress_done=10 * epoch, progress_total=200, progress_unit="steps")


def test_both_streams_are_launched_from_the_gallery(signed_in: Page, live_server: LiveServer, dataset: Dataset) -> None:
    page = signed_in
    page.goto(f"{live_server.url}/experiments/")
    page.get_by_role("main").get_by_role("link", name="New experiment").first.click()
    page.get_by_role("link", name="Set up: Both streams and their fusion").click()
    page.get_by_label("Name").fill("my two streams")
    page.get_by_text("Temporal stream", exact=True).click()
    page.locator("[name='temporal-data.input.flow.stack_len']").fill("3")
    page.get_by_role("button", name="Launch").click()
    expect(page.get_by_role("heading", name="my two streams")).to_be_visible()
    runs = {run.name: run.experiment for run in Run.objects.all()}
    assert set(runs) == {"my two streams: spatial", "my two streams: temporal"}
    assert runs["my two streams: temporal"].data.input.stack_len == 3  # type: ignore[union-attr]
    assert Fusion.objects.get().name == "my two streams"


def is_check(answer: Response) -> bool:
    """What the form asks by itself as it changes."""
    return "hx-request" in answer.request.headers


def test_a_half_filled_form_keeps_its_values_through_a_switch_of_the_language(
    signed_in: Page, live_server: LiveServer, dataset: Dataset
) -> None:
    page = signed_in
    page.goto(f"{live_server.url}/experiments/new/run/?preset=cpu_spatial")
    unfold(page)
    page.locator("[name='name']").fill("half filled")
    page.locator("[name='training.epochs']").fill("7")
    page.locator("[name='data.input.modality']").select_option("flow")
    with page.expect_response(is_check):
        page.locator("[name='all_splits']").check()
    with page.expect_response(is_check):
        page.get_by_role("button", name="简体中文").click()
    expect(page.get_by_role("button", name="English")).to_be_visible()
    expect(page.locator("[name='name']")).to_have_value("half filled")
    expect(page.locator("[name='training.epochs']")).to_have_value("7")
    expect(page.locator("[name='all_splits']")).to_be_checked()
    expect(page.locator("[name='data.input.modality']")).to_have_value("flow")
    expect(page.locator("[data-variant='data.input.modality:flow']").first).not_to_have_attribute("hidden", "")


def test_the_fields_of_the_chosen_input_and_method_are_shown_and_no_others(
    signed_in: Page, live_server: LiveServer, dataset: Dataset
) -> None:
    page = signed_in
    page.goto(f"{live_server.url}/experiments/new/run/?preset=cpu_spatial")
    length = page.get_by_label("Stack length L (fields)")
    expect(length).to_be_hidden()
    page.get_by_label("Input").select_option("flow")
    expect(length).to_be_visible()
    expect(page.get_by_label("Stopping threshold ε")).to_be_visible()
    page.locator("[name='data.input.flow.flow.method.kind']").select_option("farneback")
    expect(page.get_by_label("Stopping threshold ε")).to_be_hidden()
    expect(page.get_by_label("Window (px)")).to_be_visible()
    page.get_by_role("button", name="Launch").click()
    expect(page.get_by_text("Waiting for optical flow").first).to_be_visible()
    assert Run.objects.get().experiment.data.input.flow.method.kind == "farneback"  # type: ignore[union-attr]


def test_the_checks_follow_what_is_typed(signed_in: Page, live_server: LiveServer, dataset: Dataset) -> None:
    page = signed_in
    page.goto(f"{live_server.url}/experiments/new/run/?preset=cpu_temporal")
    expect(page.get_by_text("A batch of 32 has room for all 6 training videos")).to_be_visible()
    page.get_by_label("Batch size").fill("3")
    expect(page.get_by_text("Nothing stands against it.")).to_be_visible()
    expect(page.get_by_text("has room for all")).to_be_hidden()
    expect(page.get_by_text("optical flow is not extracted yet")).to_be_visible()
    page.get_by_label("Input").select_option("rgb")
    expect(page.get_by_text("optical flow is not extracted yet")).to_be_hidden()


def test_a_bad_value_comes_back_with_its_reason_beside_the_field(signed_in: Page, live_server: LiveServer, dataset: Dataset) -> None:
    page = signed_in
    page.goto(f"{live_server.url}/experiments/new/run/")
    expect(page.get_by_label("Momentum")).to_be_hidden()
    unfold(page)
    page.get_by_label("Momentum").fill("1.5")
    page.get_by_role("button", name="Launch").click()
    field = page.get_by_label("Momentum")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("1.5")
    expect(page.get_by_text("Must be less than 1; you gave 1.5.")).to_be_visible()
    expect(field).to_be_focused()


def test_curves_and_progress_follow_the_training_without_a_reload(signed_in: Page, live_server: LiveServer, dataset: Dataset) -> None:
    page = signed_in
    run = make_run(dataset, state=Job.State.RUNNING)
    page.goto(f"{live_server.url}/experiments/{run.pk}/?tab=curves")
    expect(page.get_by_text("The curves begin with the first steps")).to_be_visible()
    page.evaluate("window.wasReloaded = false")
    train_until(run, 1)
    expect(page.locator("#curves .trace").first).to_be_visible()
    expect(page.get_by_text("10 / 200 steps")).to_be_visible()
    train_until(run, 2)
    expect(page.get_by_text("20 / 200 steps")).to_be_visible()
    expect(page.locator("#curves .xy .points path")).to_have_count(4)  # two epochs of training and of validation
    assert page.evaluate("curves.figure.data[1].x") == [1, 2]
    page.get_by_label("Across").select_option("step")
    expect(page.locator("#curves .x2title")).to_have_text("step")
    assert page.evaluate("curves.figure.data[1].x") == [10, 20]
    page.locator("#curve-smoothing").fill("0")
    assert page.evaluate("document.getElementById('curves').data[0].y[0]") == 1.5
    Job.objects.filter(pk=run.job_id).update(state=Job.State.DONE)
    expect(page.locator("#run-head .badge-done")).to_be_visible()
    expect(page.locator("#run-head")).not_to_have_attribute("hx-trigger", "every 2s")
    assert page.evaluate("window.wasReloaded") is False


def test_smoothing_is_a_moving_average_without_bias(signed_in: Page, live_server: LiveServer, dataset: Dataset) -> None:
    page = signed_in
    run = make_run(dataset)
    page.goto(f"{live_server.url}/experiments/{run.pk}/?tab=curves")
    assert page.evaluate("curves.smoothed([4, 4, 4], 0.9)") == pytest.approx([4, 4, 4])
    assert page.evaluate("curves.smoothed([1, 3], 0.5)") == pytest.approx([1, (0.25 * 1 + 0.5 * 3) / 0.75])


def test_chosen_runs_are_compared(signed_in: Page, live_server: LiveServer, dataset: Dataset) -> None:
    page = signed_in
    for kind in ("rgb", "flow"):
        make_evaluation(make_run(dataset, kind))
    page.goto(f"{live_server.url}/experiments/")
    page.get_by_label("Choose rgb run").check()
    page.get_by_label("Choose flow run").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert "/experiments/compare?runs=" in page.url
