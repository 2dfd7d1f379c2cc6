"""Results, fusions and predictions in a real browser."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.visitor import CENTRE_OF_CELL
from tests.webapp.factories import make_dataset, make_evaluation, make_fusion, make_prediction, make_run
from webapp import queue
from webapp.datasets.models import Dataset, Label
from webapp.experiments.models import Evaluation, Fusion
from webapp.jobs.models import Job
from webapp.predictions.models import Prediction

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CLASSES = [f"{a} {m}" for a in ("dots", "plain", "stripes") for m in ("left", "turn", "up")]


@pytest.fixture(autouse=True)
def broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "send", lambda job: True)


@pytest.fixture
def dataset(signed_in: Page) -> Dataset:
    return make_dataset(User.objects.get(), CLASSES, videos_per_class=12)


@pytest.fixture
def rgb(dataset: Dataset) -> Evaluation:
    """Knows the appearance and guesses the motion."""
    return make_evaluation(make_run(dataset, "rgb"), lambda label, position: 3 * (label // 3) + position % 3)


@pytest.fixture
def fusion(dataset: Dataset, rgb: Evaluation) -> Fusion:
    flow = make_evaluation(make_run(dataset, "flow"), lambda label, position: 3 * ((position + 1) % 3) + label % 3)
    return make_fusion([rgb, flow], lambda label, position: label)


@pytest.fixture
def calm(page: Page) -> Page:
    """A page whose videos have posters, though the test's rows have no files."""
    svg = "<svg xmlns='http://www.w3.org/2000/svg'/>"
    page.route("**/poster.jpg", lambda route: route.fulfill(content_type="image/svg+xml", body=svg))
    page.route("**/proxy.mp4", lambda route: route.fulfill(status=200, content_type="video/mp4", body=""))
    return page


def open_evaluation(page: Page, server: LiveServer, evaluation: Evaluation, query: str = "") -> None:
    page.goto(f"{server.url}/experiments/evaluations/{evaluation.pk}/{query}")
    page.wait_for_function("document.querySelectorAll('[data-chart] .main-svg').length > 0")


def test_a_cell_of_the_matrix_is_told_and_leads_to_its_videos(
    signed_in: Page, calm: Page, live_server: LiveServer, rgb: Evaluation
) -> None:
    open_evaluation(calm, live_server, rgb)
    calm.locator("[data-cells]").scroll_into_view_if_needed()
    cell = calm.evaluate(CENTRE_OF_CELL, [1, 0])
    calm.mouse.move(*cell)
    expect(calm.locator(".told")).to_have_text("dots turn taken for dots left: 2 of 6 (33\u00a0%)")
    calm.mouse.click(*cell)
    calm.wait_for_url("**/videos?true=1&predicted=0")
    expect(calm.locator(".thumb")).to_have_count(2)
    expect(calm.get_by_label("True class")).to_have_value("1")


def test_a_bar_leads_to_the_videos_of_its_class(signed_in: Page, calm: Page, live_server: LiveServer, rgb: Evaluation) -> None:
    open_evaluation(calm, live_server, rgb, "?order=name")
    bar = calm.locator("[data-chart='recall-figure'] .bars path").first.bounding_box()
    assert bar is not None
    calm.mouse.click(bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2)  # plotly listens on a layer above the bars
    calm.wait_for_url("**/videos?true=0")
    expect(calm.locator(".thumb")).to_have_count(6)


def test_a_class_that_is_never_recognised_is_opened_by_its_line(
    signed_in: Page, calm: Page, live_server: LiveServer, dataset: Dataset
) -> None:
    evaluation = make_evaluation(make_run(dataset, name="blind"), lambda _label, _position: 1)
    open_evaluation(calm, live_server, evaluation)
    calm.get_by_text("dots left (6)").click(force=True)
    calm.wait_for_url("**/videos?true=0")
    open_evaluation(calm, live_server, evaluation)
    places = "[...document.querySelectorAll('[data-chart=recall-figure] .ytick text')].map((text) => text.getBoundingClientRect())"
    box = calm.evaluate(f"({places}).map(({{ right, y, height }}) => [right + 200, y + height / 2])")
    calm.mouse.click(*box[-1])
    calm.wait_for_url("**/videos?true=*")


def test_a_choice_redraws_the_charts_without_leaving_the_page(
    signed_in: Page, calm: Page, live_server: LiveServer, rgb: Evaluation
) -> None:
    open_evaluation(calm, live_server, rgb)
    calm.get_by_label("Diagonal").select_option("hide")
    calm.wait_for_url("**diagonal=hide**")
    calm.wait_for_function("document.querySelector('[data-cells]')?.data?.[0].z[0][0] === null")
    calm.locator("[data-cells]").scroll_into_view_if_needed()
    calm.mouse.click(*calm.evaluate(CENTRE_OF_CELL, [1, 0]))
    calm.wait_for_url("**/videos?true=1&predicted=0")


IS_ABOVE = """chart => {
  const [buttons, drawing] = [".modebar", ".main-svg"].map((part) => chart.querySelector(part).getBoundingClientRect());
  return buttons.height > 0 && buttons.bottom <= drawing.top;
}"""


@pytest.mark.parametrize("width", [390, 1280])
def test_the_buttons_of_a_chart_cover_nothing_of_it(
    signed_in: Page, calm: Page, live_server: LiveServer, rgb: Evaluation, width: int
) -> None:
    calm.set_viewport_size({"width": width, "height": 860})
    open_evaluation(calm, live_server, rgb)
    for chart in calm.locator("[data-chart]").all():
        chart.hover()
        assert chart.evaluate(IS_ABOVE)


def test_what_leads_somewhere_has_a_hand(signed_in: Page, calm: Page, live_server: LiveServer, rgb: Evaluation) -> None:
    open_evaluation(calm, live_server, rgb)
    for chart, mark in (("recall-figure", ".bars .point"), ("confusion-figure", ".hm image")):
        drawn = calm.locator(f"[data-chart={chart}]")
        drawn.scroll_into_view_if_needed()
        box = drawn.locator(mark).first.bounding_box()
        assert box is not None
        calm.mouse.move(box["x"] + 5, box["y"] + 5, steps=3)
        expect(drawn).to_have_class(re.compile(r"\bleads\b"))
        assert drawn.locator(".nsewdrag").first.evaluate("drag => getComputedStyle(drag).cursor") == "pointer"


def test_numbers_in_cells_fit_on_a_phone(signed_in: Page, calm: Page, live_server: LiveServer, rgb: Evaluation) -> None:
    calm.set_viewport_size({"width": 390, "height": 844})
    open_evaluation(calm, live_server, rgb)
    texts = calm.locator("[data-chart=confusion-figure] .heatmap-label").all_text_contents()
    assert texts and all(text.isdecimal() for text in texts)


def test_the_fusion_shows_three_matrices_and_leads_to_the_videos_of_a_count(
    signed_in: Page, calm: Page, live_server: LiveServer, fusion: Fusion
) -> None:
    calm.goto(f"{live_server.url}/experiments/fusions/{fusion.pk}/")
    expect(calm.locator("[data-cells] .main-svg").first).to_be_visible()
    assert calm.locator("[data-cells]").count() == 3
    calm.get_by_role("row", name="neither").get_by_role("link").first.click()
    expect(calm.get_by_text("rgb run is wrong")).to_be_visible()
    expect(calm.locator(".thumb").first).to_be_visible()


@pytest.mark.parametrize(("page_of", "heading"), [("fusions", "Who is right?"), ("evaluations", "Top confusions")])
def test_a_page_that_waits_becomes_the_results_by_itself(
    signed_in: Page, calm: Page, live_server: LiveServer, fusion: Fusion, page_of: str, heading: str
) -> None:
    evaluation = fusion.evaluation
    metrics = evaluation.metrics
    Evaluation.objects.filter(pk=evaluation.pk).update(metrics={})
    Job.objects.filter(pk=evaluation.job_id).update(state=Job.State.RUNNING)
    calm.goto(f"{live_server.url}/experiments/{page_of}/{(fusion if page_of == 'fusions' else evaluation).pk}/")
    expect(calm.get_by_text("Results appear here by themselves")).to_be_visible()
    Evaluation.objects.filter(pk=evaluation.pk).update(metrics=metrics)
    Job.objects.filter(pk=evaluation.job_id).update(state=Job.State.DONE)
    expect(calm.get_by_role("heading", name=heading)).to_be_visible()
    expect(calm.locator("[data-cells] .main-svg").first).to_be_visible()


def test_a_dropped_video_is_uploaded_and_predicted(signed_in: Page, live_server: LiveServer, rgb: Evaluation, tmp_path: Path) -> None:
    clip = tmp_path / "clip.avi"
    clip.write_bytes(b"frames" * 1000)
    signed_in.goto(f"{live_server.url}/predict/")
    picker = signed_in.get_by_label("Choose videos")
    picker.focus()
    assert signed_in.locator(".picker label").evaluate("label => getComputedStyle(label).outlineStyle") == "solid"
    assert picker.evaluate("input => input.getBoundingClientRect().width") <= 1  # the browser's own “No file chosen” is not seen
    picker.set_input_files(clip)
    expect(signed_in.locator("[data-status]")).to_contain_text("complete")
    signed_in.get_by_role("button", name="Predict").click()
    expect(signed_in.get_by_role("heading", name="clip.avi")).to_be_visible()
    assert Prediction.objects.get().upload.path.read_bytes() == clip.read_bytes()


def test_an_answer_appears_by_itself_and_is_judged_by_keyboard(
    signed_in: Page, calm: Page, live_server: LiveServer, dataset: Dataset, rgb: Evaluation
) -> None:
    assert rgb.run is not None
    prediction = make_prediction(User.objects.get(), rgb.run, Job.State.RUNNING)
    calm.goto(f"{live_server.url}/predict/{prediction.pk}/")
    expect(calm.get_by_text("Looking at the video")).to_be_visible()
    answer = make_prediction(User.objects.get(), rgb.run).result
    Prediction.objects.filter(pk=prediction.pk).update(result=answer)
    Job.objects.filter(pk=prediction.job_id).update(state=Job.State.DONE)
    expect(calm.get_by_role("heading", name="Is that right?")).to_be_visible()
    expect(calm.get_by_role("button", name="Accept")).to_be_visible()
    calm.keyboard.press("2")
    expect(calm.get_by_role("button", name="Correct")).to_be_visible()
    calm.keyboard.press("Enter")
    expect(calm.get_by_text("corrected to dots turn")).to_be_visible()
    assert Prediction.objects.get(pk=prediction.pk).confirmed_label == Label.objects.get(name="dots turn")
