"""The map of the embeddings in a real browser: pointing plays, clicking leads on, choices redraw it."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from ml.config.embedding import UmapConfig
from tests.webapp.embedding_files import keep_embeddings, keep_map
from tests.webapp.factories import make_dataset, make_evaluation, make_run
from webapp import queue
from webapp.experiments.models import Evaluation
from webapp.experiments.selectors.embeddings import map_job
from webapp.jobs.models import Job

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CLASSES = [f"class {i}" for i in range(12)]
FIRST_POINT = """() => {
  const chart = document.querySelector("[data-embedding]"), { xaxis, yaxis } = chart._fullLayout, box = chart.getBoundingClientRect();
  const { x: [x], y: [y], customdata: [id] } = chart.data.find((trace) => trace.name === "class 3");
  return { at: [box.left + xaxis._offset + xaxis.c2p(x), box.top + yaxis._offset + yaxis.c2p(y)], id };
}"""


@pytest.fixture
def evaluation(signed_in: Page) -> Evaluation:
    """A class a cloud, far apart; the first video of each is wrong. More classes than colours."""
    signed_in.route(
        "**/poster.jpg", lambda route: route.fulfill(content_type="image/svg+xml", body="<svg xmlns='http://www.w3.org/2000/svg'/>")
    )
    signed_in.route("**/proxy.mp4", lambda route: route.fulfill(status=200, content_type="video/mp4", body=""))
    dataset = make_dataset(User.objects.get(), CLASSES, videos_per_class=6)
    evaluation = make_evaluation(make_run(dataset), lambda label, position: label if position else label + 1)
    keep_embeddings(evaluation, distance=40)
    return evaluation


def open_map(page: Page, server: LiveServer, evaluation: Evaluation, query: str = "") -> None:
    page.goto(f"{server.url}/experiments/evaluations/{evaluation.pk}/embedding{query}")
    expect_map(page)
    page.locator("[data-embedding]").scroll_into_view_if_needed()


def expect_map(page: Page) -> None:
    """And with it the scripts that listen."""
    expect(page.locator("[data-embedding] .main-svg").first).to_be_visible()


def test_pointing_at_a_video_plays_it_and_a_click_leads_to_its_neighbours(
    signed_in: Page, live_server: LiveServer, evaluation: Evaluation
) -> None:
    page = signed_in
    open_map(page, live_server, evaluation, "?classes=3")
    point = page.evaluate(FIRST_POINT)
    page.mouse.move(*point["at"])
    clip = page.locator(".pointed video")
    expect(clip).to_have_attribute("src", f"/datasets/videos/{point['id']}/proxy.mp4")
    expect(page.locator(".pointed")).to_contain_text("class 3")
    page.mouse.click(*point["at"])
    page.wait_for_url(f"**/embedding/{point['id']}")
    expect(page.locator(".thumb")).to_have_count(10)
    expect(page.get_by_text("same class").first).to_be_visible()
    page.get_by_role("link", name="Neighbour 1,").press("Enter")
    page.wait_for_url(lambda url: "/embedding/" in url and not url.endswith(f"/{point['id']}"))


def test_choices_redraw_the_map_and_keep_the_form(signed_in: Page, live_server: LiveServer, evaluation: Evaluation) -> None:
    page = signed_in
    keep_map(evaluation)
    open_map(page, live_server, evaluation)
    names, points = page.locator("[data-embedding] .legendtext"), page.locator("[data-embedding] .scatterlayer .point")
    expect(names).to_have_count(1 + 7)
    page.get_by_text("Classes in colour").click()
    page.get_by_label("class 3").check()
    expect(names).to_have_text(["other classes", "class 3"])
    expect(points).to_have_count(36)
    assert "classes=3" in page.url
    page.get_by_label("Outcome").select_option("wrong")
    expect(points).to_have_count(12)
    page.get_by_role("combobox", name="Map").select_option("pca")
    page.wait_for_url("**map=pca**")
    expect(page.get_by_label("class 3")).to_be_checked()
    page.get_by_text("The videos in colour as lists").click()
    page.get_by_role("link", name="class 3/v", exact=False).click()
    expect(page.get_by_role("heading", name="Nearest neighbours")).to_be_visible()


def test_a_map_that_is_asked_for_comes_into_the_page_without_a_reload(
    signed_in: Page, live_server: LiveServer, evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "send", lambda job: True)
    page = signed_in
    open_map(page, live_server, evaluation)
    which = page.get_by_role("combobox", name="Map")
    expect(which.locator("option")).to_have_text(["PCA"])
    page.get_by_text("Draw a map by UMAP").click()
    page.get_by_label("Neighbours").fill("7")
    page.get_by_role("button", name="Draw the UMAP map").click()
    expect(page.get_by_text("The UMAP map appears here by itself")).to_be_visible()
    expect_map(page)
    expect(page.get_by_role("button", name="Draw the UMAP map")).to_have_count(0)
    job = map_job(evaluation)
    evaluation.refresh_from_db()
    assert job is not None and evaluation.umap == UmapConfig(neighbors=7).model_dump()

    page.evaluate("document.body.dataset.before = 'yes'")
    page.get_by_text("Classes in colour").click()
    page.get_by_label("class 3").check()
    expect(page.locator("[data-embedding] .legendtext")).to_have_count(2)
    keep_map(evaluation)
    Job.objects.filter(pk=job.pk).update(state=Job.State.DONE)
    expect(which).to_have_value("umap")
    expect(page.locator("[data-embedding] .legendtext")).to_have_text(["other classes", "class 3"])
    page.wait_for_url("**map=umap**")
    assert page.locator("body[data-before=yes]").count() == 1
