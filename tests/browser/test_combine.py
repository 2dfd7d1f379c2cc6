"""Two datasets combined in a real browser: classes compared, choices changed, the new one followed until its videos are there."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.visitor import Visitor
from tests.webapp.factories import make_dataset
from webapp import queue
from webapp.jobs.models import Job
from worker.run import run_job

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FIRST = ("brush_hair", "golf", "pullup", "<b>挥手</b>")
SECOND = ("Archery", "BrushingTeeth", "GolfSwing", "PullUps")


def fate(page: Page, name: str) -> Locator:
    return page.get_by_label(f"The videos of {name} are")


def same(page: Page, name: str) -> Locator:
    return page.get_by_label(f"{name} is the same class as")


def test_classes_of_a_second_dataset_are_mapped_and_added(
    signed_in: Page, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "send", lambda job: True)
    page, visitor = signed_in, Visitor(signed_in, live_server.url, patience=20.0)
    user = User.objects.get()
    hmdb, _ucf = make_dataset(user, FIRST, name="HMDB51"), make_dataset(user, SECOND, name="UCF101")

    page.goto(f"{live_server.url}/datasets/{hmdb.pk}/")
    visitor.follows("Combine with another dataset…")
    visitor.press("Compare the classes")
    expect(fate(page, "Archery")).to_have_value("added")
    expect(fate(page, "PullUps")).to_have_value("left_out")
    expect(same(page, "GolfSwing")).to_have_value("golf")
    fate(page, "GolfSwing").select_option(label="the same class as")
    fate(page, "BrushingTeeth").select_option(label="the same class as")
    same(page, "BrushingTeeth").fill("brush_hair")
    visitor.see("combine-classes")
    visitor.press("Combine")

    expect(page.get_by_role("heading", name="HMDB51 + UCF101")).to_be_visible()
    expect(page.get_by_text("Queued", exact=True).first).to_be_visible()
    run_job.apply(args=(Job.objects.get(kind=Job.Kind.COMBINE).pk,), throw=True)
    expect(page.locator("summary", has_text="Classes of UCF101: 1 added, 2 joined others, 1 left out")).to_be_visible()
    expect(page.locator(".stat", has_text="classes").locator("b")).to_have_text("5")
    assert visitor.stat("videos") == str(16 + 12)
    visitor.see("combine-dataset")
