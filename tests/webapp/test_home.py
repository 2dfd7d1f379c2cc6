"""The home page: what runs, what failed, what came out, and how to begin."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.webapp.factories import make_dataset, make_evaluation, make_fusion, make_job, make_run, make_user, share
from webapp.datasets.models import Import
from webapp.jobs.models import Job

pytestmark = pytest.mark.django_db


def test_an_empty_install_shows_the_first_steps(as_ada: Client) -> None:
    page = as_ada.get("/").content.decode()
    assert (
        "tell what happens in videos" in page
        and "From videos to results" in page
        and "Import a dataset" in page
        and "Choose a model" not in page
    )


def test_with_a_dataset_the_next_step_is_a_model(as_ada: Client, ada: User) -> None:
    make_dataset(ada)
    page = as_ada.get("/").content.decode()
    assert "Choose a model" in page and "Import a dataset" not in page


def test_who_may_only_look_at_a_dataset_is_led_to_data_of_their_own(client: Client) -> None:
    viewer = make_user("vera")
    share(make_dataset(make_user("olga")), viewer)
    client.force_login(viewer)
    page = client.get("/").content.decode()
    assert "Import a dataset" in page and "Choose a model" not in page


def test_results_stand_with_their_protocol_and_fusions_come_first(as_ada: Client, ada: User) -> None:
    dataset = make_dataset(ada)
    streams = [make_evaluation(make_run(dataset, kind), lambda label, _position: 0) for kind in ("rgb", "flow")]
    make_fusion(streams)
    page = as_ada.get("/").content.decode()
    table = page.partition("Latest results")[2]
    assert table.index("100\u00a0%") < table.index("33\u00a0%")
    assert table.count("test · 5 frames × 1 crop<") == 3 and table.count('title="5 frames × 1 crop, class probabilities averaged') == 3
    assert "6 of 6" in table and "2 of 6" in table
    assert "From videos to results" not in page


def test_the_newest_fusion_stands_beside_its_streams_and_beside_guessing(as_ada: Client, ada: User) -> None:
    dataset = make_dataset(ada)
    streams = [make_evaluation(make_run(dataset, kind), lambda label, _position: 0) for kind in ("rgb", "flow")]
    fusion = make_fusion(streams)
    sentence = "Right on 6 videos: RGB alone 33\u00a0%, flow alone 33\u00a0%, fused 100\u00a0%. By guessing one of 3 classes: 33\u00a0%."
    for address in ("/", f"/experiments/fusions/{fusion.pk}/"):
        assert sentence in as_ada.get(address).content.decode()


def test_open_jobs_show_their_progress(as_ada: Client, ada: User) -> None:
    make_job(Job.Kind.TRAIN, ada, state=Job.State.RUNNING, progress_done=3, progress_total=9, progress_unit="steps")
    page = as_ada.get("/").content.decode()
    assert "3 / 9 steps" in page and 'hx-trigger="every 2s"' in page


def test_a_failure_stays_until_it_was_seen(as_ada: Client, ada: User) -> None:
    failure = {"code": "nan", "message": "The loss became NaN.", "advice": "Lower the learning rate.", "detail": ""}
    job = make_job(Job.Kind.TRAIN, ada, state=Job.State.FAILED, failure=failure)
    assert "Lower the learning rate." in as_ada.get("/").content.decode()
    as_ada.post(f"/jobs/{job.pk}/acknowledge")
    assert "Lower the learning rate." not in as_ada.get("/").content.decode()


def test_a_poll_gets_the_live_part_alone(as_ada: Client) -> None:
    page = as_ada.get("/", headers={"HX-Request": "true"}).content.decode()
    assert page.lstrip().startswith('<div id="home"') and "<html" not in page


def test_the_number_of_queries_does_not_grow_with_the_rows(as_ada: Client, ada: User, django_assert_max_num_queries: Any) -> None:
    dataset = make_dataset(ada)
    for _number in range(6):
        make_fusion([make_evaluation(make_run(dataset, kind)) for kind in ("rgb", "flow")])
        make_job(Job.Kind.TRAIN, dataset.owner, dataset, Job.State.QUEUED)
    with django_assert_max_num_queries(13):
        as_ada.get("/")


def test_others_see_nothing_of_it_and_viewers_can_not_wave_failures_away(client: Client) -> None:
    dataset = make_dataset(make_user("bob"))
    make_run(dataset, name="bobs run")
    make_job(Job.Kind.FLOW, dataset.owner, dataset, Job.State.FAILED)
    viewer = make_user("vic")
    client.force_login(viewer)
    assert "bobs run" not in client.get("/").content.decode()
    share(dataset, viewer)
    page = client.get("/").content.decode()
    assert "bobs run" in page and "acknowledge" not in page


def test_a_form_with_an_old_token_is_refused_on_a_page_of_ours(ada: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    answer = client.post("/accounts/logout/")
    assert answer.status_code == 403
    assert b"The form is out of date" in answer.content and b"Kinetoscope" in answer.content


def test_many_failures_are_one_card(as_ada: Client, ada: User) -> None:
    for number in range(7):
        failure = {"code": "x", "message": f"reason {number}", "advice": "", "detail": ""}
        make_job(Job.Kind.TRAIN, ada, state=Job.State.FAILED, failure=failure)
    page = as_ada.get("/").content.decode()
    assert page.count('class="failure') == 1 and "7 jobs failed" in page and "Seen all" in page and "All failed jobs" in page
    assert page.count("reason ") == 5


def test_an_import_that_waits_to_be_confirmed_is_told(as_ada: Client, ada: User) -> None:
    import_ = Import.objects.create(user=ada, preview={"num_videos": 1})
    for address in ("/", "/datasets/", "/datasets/import/"):
        page = as_ada.get(address).content.decode()
        assert "An import of 1 video waits" in page and f"/datasets/imports/{import_.pk}/" in page, address
