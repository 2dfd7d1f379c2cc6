"""Choosing another system in a real browser: its fields come, the others go, and so do those of its loss."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from ml.config.losses import SupCon
from ml.config.models import NFMML
from tests.webapp.factories import make_dataset
from webapp import queue
from webapp.experiments.models import Run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "send", lambda job: True)


def test_a_metric_learning_run_is_composed_refused_mended_and_launched(signed_in: Page, live_server: LiveServer) -> None:
    make_dataset(User.objects.get())
    page = signed_in
    page.goto(f"{live_server.url}/experiments/new/run/?preset=cpu_spatial")
    trained, weight = page.get_by_label("Trained layers"), page.get_by_label("Weight λ2")
    margin, temperature = page.get_by_label("Margin function"), page.get_by_label("Temperature")
    expect(trained).to_be_visible()
    expect(weight).to_be_hidden()

    page.locator("[name='model.kind']").select_option("nfmml")
    expect(trained).to_be_hidden()
    expect(weight).to_be_visible()
    expect(margin).to_be_visible()
    expect(temperature).to_be_hidden()
    page.locator("[name='model.nfmml.loss.kind']").select_option("sup_con")
    expect(margin).to_be_hidden()
    temperature.fill("0.2")
    page.get_by_label("Name").fill("with pairs")
    page.get_by_role("button", name="Launch").click()
    expect(page.locator("[id='id_training.sampling_error']")).to_contain_text("choose class-balanced sampling")
    expect(temperature).to_have_value("0.2")

    page.get_by_label("Sampling").select_option("balanced")
    page.get_by_role("button", name="Launch").click()
    expect(page.get_by_role("heading", name="with pairs")).to_be_visible()
    model = Run.objects.get().experiment.model
    assert isinstance(model, NFMML) and model.loss == SupCon(temperature=0.2)
