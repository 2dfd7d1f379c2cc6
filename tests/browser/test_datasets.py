"""Datasets in a real browser: an upload that is cut and goes on, filters, keys, the empty states."""

import hashlib
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, Route, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.webapp.factories import make_dataset
from webapp.datasets.models import Import, Upload

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def small_chunks(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    settings.UPLOAD_CHUNK_BYTES = 64 * 1024


def unwatched(page: Page) -> Page:
    """Another page of the same session, for tests in which the console rightly tells of a failed request."""
    return page.context.new_page()


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """A file of a few chunks whose every chunk differs."""
    path = tmp_path / "clips.zip"
    path.write_bytes(b"".join(hashlib.sha256(bytes([i])).digest() * 2048 for i in range(5)) + b"end")
    return path


def test_a_file_is_uploaded_in_chunks_and_imported(signed_in: Page, live_server: LiveServer, clips: Path) -> None:
    signed_in.goto(f"{live_server.url}/datasets/import/")
    signed_in.set_input_files("input[type=file]", clips)
    expect(signed_in.locator("[data-status]")).to_contain_text("complete")
    signed_in.get_by_role("button", name="Look at the files").click()
    signed_in.wait_for_url("**/datasets/imports/*/")
    assert Import.objects.get().uploads.get().path.read_bytes() == clips.read_bytes()


def test_an_upload_cut_in_the_middle_goes_on_by_itself(signed_in: Page, live_server: LiveServer, clips: Path) -> None:
    page = unwatched(signed_in)
    cuts: list[str] = []

    def cut_the_third(route: Route) -> None:
        if route.request.method == "PATCH" and route.request.headers["upload-offset"] == str(2 * 64 * 1024) and not cuts:
            cuts.append(route.request.url)
            route.fulfill(status=503)
        else:
            route.continue_()

    page.route("**/datasets/uploads/**", cut_the_third)
    page.goto(f"{live_server.url}/datasets/import/")
    page.set_input_files("input[type=file]", clips)
    expect(page.locator("[data-status]")).to_contain_text("complete")
    assert len(cuts) == 1
    assert Upload.objects.get().path.read_bytes() == clips.read_bytes()


def test_an_upload_whose_session_has_ended_says_so_and_does_not_try_for_ever(signed_in: Page, live_server: LiveServer, clips: Path) -> None:
    page = unwatched(signed_in)
    page.goto(f"{live_server.url}/datasets/import/")
    page.context.clear_cookies()
    page.set_input_files("input[type=file]", clips)
    expect(page.locator("[data-problem]")).to_contain_text("Your session has ended")


def test_a_form_sent_too_early_says_that_it_waits_and_goes_on_by_itself(signed_in: Page, live_server: LiveServer, clips: Path) -> None:
    held: list[Route] = []
    signed_in.route("**/datasets/uploads/*/", lambda route: route.continue_() if held else held.append(route))
    signed_in.goto(f"{live_server.url}/datasets/import/")
    waits = signed_in.get_by_text("still on their way")
    with signed_in.expect_request("**/datasets/uploads/*/"):
        signed_in.set_input_files("input[type=file]", clips)
    expect(waits).to_be_hidden()
    signed_in.get_by_role("button", name="Look at the files").click()
    expect(waits).to_be_visible()
    held[0].continue_()
    signed_in.wait_for_url("**/datasets/imports/*/")


def test_an_upload_goes_on_after_a_reload(signed_in: Page, live_server: LiveServer, clips: Path) -> None:
    sent: list[str] = []
    signed_in.on("request", lambda request: sent.append(request.headers["upload-offset"]) if request.method == "PATCH" else None)
    signed_in.route("**/datasets/uploads/*/", lambda route: route.continue_() if len(sent) <= 2 else None)
    signed_in.goto(f"{live_server.url}/datasets/import/")
    signed_in.set_input_files("input[type=file]", clips)
    expect(signed_in.locator("[data-status]")).to_contain_text("131.1 KB")
    signed_in.unroute("**/datasets/uploads/*/")
    signed_in.reload()
    sent.clear()
    signed_in.set_input_files("input[type=file]", clips)
    expect(signed_in.locator("[data-status]")).to_contain_text("complete")
    assert int(sent[0]) >= 2 * 64 * 1024
    assert Upload.objects.get().path.read_bytes() == clips.read_bytes()


def test_a_refused_file_says_why_beside_its_name(signed_in: Page, live_server: LiveServer, tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    page = unwatched(signed_in)
    page.goto(f"{live_server.url}/datasets/import/")
    page.set_input_files("input[type=file]", empty)
    expect(page.locator("[data-problem]")).to_contain_text("empty.mp4")


def test_filters_keep_their_state_in_the_address_and_keys_move_on(signed_in: Page, live_server: LiveServer) -> None:
    dataset = make_dataset(User.objects.get(username="ada"))
    signed_in.route("**/*.jpg", lambda route: route.fulfill(status=200, content_type="image/jpeg", body=b""))
    signed_in.route("**/*.mp4", lambda route: route.fulfill(status=200, content_type="video/mp4", body=b""))
    signed_in.goto(f"{live_server.url}/datasets/{dataset.pk}/videos/")
    signed_in.select_option("select[name=subset]", "test")
    signed_in.get_by_role("button", name="Filter").click()
    expect(signed_in.locator(".thumb")).to_have_count(6)
    signed_in.locator(".thumb").first.click()
    signed_in.wait_for_url("**/videos/*/?*subset=test*")
    first = signed_in.url
    signed_in.keyboard.press("ArrowRight")
    signed_in.wait_for_url(lambda url: url != first)
    assert "subset=test" in signed_in.url
    signed_in.keyboard.press("l")
    assert signed_in.evaluate("document.activeElement.name") == "label"


def test_the_chart_of_counts_leads_to_the_videos(signed_in: Page, live_server: LiveServer) -> None:
    dataset = make_dataset(User.objects.get(username="ada"))
    signed_in.goto(f"{live_server.url}/datasets/{dataset.pk}/")
    signed_in.locator("[data-chart=class-counts] .bars .point").first.click(force=True)
    signed_in.wait_for_url("**/videos/?*subset=train*label=0")
