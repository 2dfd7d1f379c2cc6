"""Every page that links lead to, found as a visitor finds it: fits a phone, has one heading, names its controls, can be tabbed."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.walk import kind_of, walk
from tests.webapp.embedding_files import keep_embeddings
from tests.webapp.factories import make_dataset, make_evaluation, make_fusion, make_job, make_prediction, make_run
from webapp.datasets.models import Import
from webapp.experiments.models import RunPoint
from webapp.jobs.models import Job

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE, DESK = 390, 1280
REACHED = {
    "home", "datasets:dataset_list", "datasets:import_new", "datasets:import_detail", "datasets:dataset_detail", "datasets:dataset_edit",
    "datasets:combine_new", "datasets:dataset_delete", "datasets:flow_new", "datasets:browse", "datasets:video_detail",
    "datasets:split_new", "experiments:run_list",
    "experiments:gallery", "experiments:new_run", "experiments:new_two_stream", "experiments:run_detail", "experiments:delete",
    "experiments:fusion_list", "experiments:fusion_new", "experiments:fusion_detail", "experiments:evaluation_detail",
    "experiments:evaluation_videos", "experiments:embedding", "experiments:embedding_video", "jobs:job_list", "jobs:job_detail",
    "jobs:system", "predictions:prediction_list", "predictions:prediction_detail",
}  # fmt: skip
UNNAMED = """() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a[href]')].filter((control) =>
    !control.labels?.length && !control.closest('[aria-hidden=true], [hidden]')
    && !(control.ariaLabel || control.title || control.textContent.trim())).map((control) => control.outerHTML)"""
IN_SIGHT = """() => { const box = document.activeElement.getBoundingClientRect();
    return document.activeElement.className === 'skip' && box.left >= 0 && box.top >= 0; }"""


@pytest.fixture
def site(signed_in: Page, live_server: LiveServer) -> list[str]:
    """Something of everything, with long names; addresses to begin at."""
    ada = User.objects.get(username="ada")
    dataset = make_dataset(ada, classes=[f"a rather long name of a class {i}" for i in range(12)], name="a dataset with a long name " * 3)
    runs = [make_run(dataset, kind, name=f"a run with quite a long name, {kind}") for kind in ("rgb", "flow")]
    members = [make_evaluation(run, lambda label, position: label + position % 2) for run in runs]
    keep_embeddings(members[0])
    fusion = make_fusion(members)
    running = make_run(dataset, state=Job.State.RUNNING)
    RunPoint.objects.create(run=running, step=10, epoch=1, is_epoch_end=True, train={"loss": 1.0, "top1": 0.5})
    Job.objects.filter(pk=running.job_id).update(progress_done=10, progress_total=200, progress_unit="steps")
    failure = {"code": "x", "message": "It failed: " + "a_path_without_any_space/" * 5, "advice": "Do this.", "detail": "Traceback"}
    failed = make_job("flow", ada, dataset, Job.State.FAILED, failure=failure)
    classes = [{"name": "a rather long name of a class", "videos": 3}]
    preview = {
        "num_videos": 3,
        "classes": classes,
        "splits": [],
        "groups": 1,
        "total_bytes": 99,
        "layout": "folders",
        "problems": [],
        "findings": [],
    }
    arrival = Import.objects.create(user=ada, preview=preview)
    Job.objects.filter(pk=make_job("inspect", ada).pk).update(subject_id=arrival.pk)
    prediction = make_prediction(ada, fusion)
    ids = ",".join(str(run.pk) for run in runs)
    embedding = f"/experiments/evaluations/{members[0].pk}/embedding"
    other = make_dataset(ada, [f"ARatherLongNameOfAClass{i}" for i in range(3)], name="another dataset")
    return [
        f"/datasets/{dataset.pk}/combine/?second={other.pk}&shared=joined",
        "/",
        f"/experiments/{running.pk}/",
        f"/jobs/{failed.pk}/",
        f"/predict/{prediction.pk}/",
        f"/experiments/compare?runs={ids}",
        embedding,
    ]


def test_every_page_fits_has_a_heading_names_its_controls_and_begins_with_the_skip_link(
    signed_in: Page, live_server: LiveServer, site: list[str]
) -> None:
    page = signed_in
    page.route("**/*.jpg", lambda route: route.fulfill(status=200, content_type="image/jpeg", body=b""))
    page.route("**/*.mp4", lambda route: route.fulfill(status=200, content_type="video/mp4", body=b""))
    page.set_viewport_size({"width": PHONE, "height": 844})
    reached = set()
    for path in walk(page, live_server.url, site):
        reached.add(kind_of(path)[0])
        for width in (PHONE, DESK):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} at {width} px"
        assert page.locator("h1").count() == 1, path
        assert page.title().split(" · ")[0].strip(), path
        assert page.evaluate(UNNAMED) == [], path
        page.keyboard.press("Tab")
        assert page.evaluate(IN_SIGHT), f"{path}: the first Tab leads to the skip link"
        page.set_viewport_size({"width": PHONE, "height": 844})
    assert reached >= REACHED


def test_the_menu_of_a_phone_opens_says_so_and_closes_with_escape(signed_in: Page) -> None:
    page = signed_in
    page.set_viewport_size({"width": PHONE, "height": 844})
    menu = page.get_by_role("button", name="Menu")
    link = page.get_by_role("link", name="Predict")
    assert not link.is_visible()
    menu.click()
    assert link.is_visible() and menu.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Escape")
    assert not link.is_visible() and menu.get_attribute("aria-expanded") == "false"


def test_what_has_the_focus_has_an_outline(signed_in: Page, live_server: LiveServer) -> None:
    signed_in.goto(f"{live_server.url}/experiments/new/")
    for _ in range(12):
        signed_in.keyboard.press("Tab")
        assert signed_in.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_a_live_part_without_a_server_says_so_until_the_next_answer(
    context: BrowserContext, signed_in: Page, live_server: LiveServer
) -> None:
    make_job("train", User.objects.get(), state=Job.State.RUNNING)
    page = context.new_page()  # unwatched: its console tells of the requests that fail
    page.goto(f"{live_server.url}/jobs/")
    note = page.get_by_text("The server does not answer")
    expect(note).to_be_hidden()
    page.route("**/jobs/", lambda route: route.abort())
    expect(note).to_be_visible()
    page.unroute("**/jobs/")
    expect(note).to_be_hidden()
