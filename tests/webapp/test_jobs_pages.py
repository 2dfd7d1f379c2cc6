"""The job list, a job's page, its buttons and the System page: what they show, and to whom."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from tests.webapp.factories import make_dataset, make_evaluation, make_job, make_run, make_user, share
from webapp.datasets.models import Dataset, Membership
from webapp.jobs.models import Job, WorkerNode
from webapp.jobs.selectors import job_folder

State = Job.State
pytestmark = pytest.mark.django_db
ACTIONS = ("stop", "cancel", "restart", "acknowledge")


@pytest.fixture
def ada(client: Client) -> User:
    user = make_user("ada")
    client.force_login(user)
    return user


@pytest.fixture
def dataset(ada: User) -> Dataset:
    return make_dataset(ada)


def test_an_empty_list_says_what_makes_jobs(client: Client, ada: User) -> None:
    assert b"No jobs here" in client.get("/jobs/").content


def test_the_list_shows_place_in_the_queue_progress_and_asks_again(client: Client, ada: User) -> None:
    make_job("train", ada, state=State.QUEUED)
    make_job("flow", ada, state=State.QUEUED)
    make_job("train", ada, state=State.RUNNING, progress_done=30, progress_total=120, progress_unit="steps")
    page = client.get("/jobs/").content.decode()
    assert "no. 1 in line" in page
    assert "no. 2 in line" in page
    assert "30 / 120 steps" in page
    assert 'hx-trigger="every 2s"' in page


def test_the_list_stops_asking_when_nothing_is_open(client: Client, ada: User) -> None:
    make_job("train", ada, state=State.DONE)
    assert b"hx-trigger" not in client.get("/jobs/").content


def test_a_poll_gets_the_table_alone(client: Client, ada: User) -> None:
    page = client.get("/jobs/", headers={"HX-Request": "true"}).content
    assert page.lstrip().startswith(b'<div id="jobs"')


def test_the_list_can_be_filtered_and_a_wrong_filter_filters_nothing(client: Client, ada: User) -> None:
    done, failed = make_job("train", ada, state=State.DONE), make_job("flow", ada, state=State.FAILED)
    rows = client.get("/jobs/?state=failed").context["rows"]
    assert [row.job for row in rows] == [failed]
    rows = client.get("/jobs/?state=nonsense&kind=train").context["rows"]
    assert [row.job for row in rows] == [done]


def test_a_job_whose_parts_run_is_found_among_the_running_and_not_among_the_waiting(client: Client, ada: User) -> None:
    whole = make_job("flow", ada, state=State.WAITING, progress_total=100)
    make_job("flow", ada, state=State.RUNNING, parent=whole)
    behind_another = make_job("flow", ada, state=State.WAITING)

    def found(state: str) -> list[Job]:
        return [row.job for row in client.get(f"/jobs/?state={state}&kind=flow").context["rows"]]

    assert (found("running"), found("waiting")) == ([whole], [behind_another])
    whole.parts.update(state=State.QUEUED)
    assert (found("running"), found("waiting")) == ([], [behind_another, whole])


def test_the_page_of_a_failed_job_explains_it_and_escapes_what_it_was_told(client: Client, ada: User) -> None:
    card = {"code": "BadVideo", "message": "<b>a.avi</b> is cut off", "advice": "Upload it again.", "detail": "trace"}
    job = make_job("ingest", ada, state=State.FAILED, failure=card)
    page = client.get(f"/jobs/{job.pk}/").content.decode()
    assert "&lt;b&gt;a.avi&lt;/b&gt; is cut off" in page
    assert "Upload it again." in page


def test_the_page_shows_the_end_of_the_log(client: Client, ada: User) -> None:
    job = make_job("train", ada, state=State.RUNNING)
    log = job_folder(job.pk) / "log.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("\n".join(f"line {i}" for i in range(1000)))
    page = client.get(f"/jobs/{job.pk}/").content.decode()
    assert "line 999" in page
    assert "line 799\n" not in page


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("stop", State.QUEUED, State.STOPPED),
        ("cancel", State.WAITING, State.CANCELLED),
        ("restart", State.FAILED, State.QUEUED),
        ("restart", State.STOPPED, State.QUEUED),
    ],
)
def test_the_buttons_do_what_they_say(client: Client, ada: User, action: str, before: State, after: State) -> None:
    job = make_job("train", ada, state=before)
    assert client.post(f"/jobs/{job.pk}/{action}").status_code == 302
    job.refresh_from_db()
    assert job.state == after


def test_a_button_pressed_too_late_says_so(client: Client, ada: User) -> None:
    job = make_job("train", ada, state=State.DONE)
    page = client.post(f"/jobs/{job.pk}/cancel", follow=True).content.decode()
    assert "already" in page
    job.refresh_from_db()
    assert job.state == State.DONE


def test_a_seen_failure_is_no_reminder_any_more(client: Client, ada: User) -> None:
    job = make_job("train", ada, state=State.FAILED)
    client.post(f"/jobs/{job.pk}/acknowledge")
    job.refresh_from_db()
    assert job.acknowledged


def test_a_redirect_never_leaves_the_site(client: Client, ada: User) -> None:
    job = make_job("train", ada, state=State.FAILED)
    response = client.post(f"/jobs/{job.pk}/acknowledge", {"next": "https://elsewhere.example/"})
    assert response.headers["Location"] == f"/jobs/{job.pk}/"


@pytest.mark.parametrize("action", ACTIONS)
def test_a_button_needs_a_post(client: Client, ada: User, action: str) -> None:
    job = make_job("train", ada, state=State.RUNNING)
    assert client.get(f"/jobs/{job.pk}/{action}").status_code == 405


def test_an_outsider_sees_and_changes_nothing(client: Client, dataset: Dataset, ada: User) -> None:
    job = make_job("train", ada, dataset, state=State.RUNNING)
    client.force_login(make_user("eve"))
    assert client.get("/jobs/").context["rows"] == []
    assert client.get(f"/jobs/{job.pk}/").status_code == 404
    assert {client.post(f"/jobs/{job.pk}/{action}").status_code for action in ACTIONS} == {404}
    job.refresh_from_db()
    assert not (job.stop_requested or job.cancel_requested or job.acknowledged)


@pytest.mark.parametrize(("role", "status"), [(Membership.Role.VIEWER, 404), (Membership.Role.EDITOR, 302)])
def test_a_viewer_may_look_and_an_editor_may_change(client: Client, dataset: Dataset, ada: User, role: str, status: int) -> None:
    job = make_job("train", ada, dataset, state=State.RUNNING)
    friend = make_user("bob")
    share(dataset, friend, role)
    client.force_login(friend)
    page = client.get(f"/jobs/{job.pk}/")
    assert page.status_code == 200
    assert (b"Cancel" in page.content) == (role == Membership.Role.EDITOR)
    assert client.post(f"/jobs/{job.pk}/cancel").status_code == status


@pytest.mark.parametrize("path", ["/jobs/", "/jobs/1/", "/jobs/system/"])
def test_the_anonymous_are_sent_to_the_login(client: Client, path: str) -> None:
    assert client.get(path).headers["Location"].startswith("/accounts/login/")


def test_the_system_page_shows_workers_queues_and_a_broker_that_is_gone(client: Client, ada: User) -> None:
    WorkerNode.objects.create(name="jobs@host", queues=["cpu", "gpu"], info={"processes": 2})
    page = client.get("/jobs/system/").content.decode()
    assert "jobs@host" in page
    assert "cpu, gpu" in page
    assert "does not answer" in page
    assert "django" in page


def test_a_queue_that_no_worker_listens_to_says_so(client: Client, ada: User) -> None:
    WorkerNode.objects.create(name="jobs@host", queues=["cpu", "sweep"])
    WorkerNode.objects.create(name="gone@host", queues=["gpu"], last_seen=timezone.now() - WorkerNode.ALIVE_FOR)
    make_job("predict", ada, state=State.QUEUED, queue="predict")
    page = client.get("/jobs/system/").content.decode()
    assert page.count("no worker listens") == 2 and page.count('badge-failed">no worker listens') == 1
    assert "Messages: calls that the broker keeps" in page


@pytest.mark.parametrize(
    ("info", "shown"), [({"processes": 2}, "–"), ({"processes": 2, "gpus": 0}, "0"), ({"processes": 2, "gpus": 8}, "8")]
)
def test_the_system_page_tells_the_gpus_of_a_worker(client: Client, ada: User, info: dict[str, int], shown: str) -> None:
    WorkerNode.objects.create(name="jobs@host", queues=["gpu"], info=info)
    assert f'data-title="GPUs">{shown}</td>' in client.get("/jobs/system/").content.decode()


def test_the_queries_of_the_list_do_not_grow_with_the_jobs(client: Client, ada: User, django_assert_max_num_queries: object) -> None:
    for _ in range(50):
        make_job("train", ada, state=State.QUEUED)
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        client.get("/jobs/")


def test_the_page_of_a_job_leads_on_to_what_it_works_on(client: Client, dataset: Dataset) -> None:
    run = make_run(dataset)
    assert f'href="/experiments/{run.pk}/">Open the run</a>' in client.get(f"/jobs/{run.job_id}/").content.decode()
    evaluation = make_evaluation(run)
    assert "Open the results" in client.get(f"/jobs/{evaluation.job_id}/").content.decode()
    gone = make_job("inspect", dataset.owner)
    assert b"Open the import" not in client.get(f"/jobs/{gone.pk}/").content


def test_what_is_done_has_no_bar_and_nobody_reads_keys_of_videos(client: Client, ada: User) -> None:
    facts: dict[str, Any] = {"progress_done": 9, "progress_total": 9, "progress_unit": "videos", "message": "9c32c2a9b6dfa06d"}
    make_job("evaluate", ada, state=State.DONE, **facts)
    page = client.get("/jobs/").content.decode()
    assert "9 / 9 videos" in page and "<progress" not in page and "9c32" not in page
    make_job("evaluate", ada, state=State.RUNNING, **facts)
    page = client.get("/jobs/").content.decode()
    assert page.count("<progress") == 1 and "9c32" not in page


def test_what_was_refused_for_its_files_is_not_offered_again_and_what_may_succeed_is(client: Client, ada: User) -> None:
    def buttons(kind: str, code: str) -> str:
        job = make_job(kind, ada, state=State.FAILED, failure={"code": code, "message": "m", "advice": "a", "detail": ""})
        return client.get(f"/jobs/{job.pk}/").content.decode()

    for kind, code in (("inspect", "BadArchive"), ("ingest", "BadLayout"), ("predict", "BadVideo")):
        assert ">Retry</button>" not in buttons(kind, code), kind
    for kind, code in (("ingest", "DiskFull"), ("flow", "BadVideo"), ("train", "OutOfMemory")):
        assert ">Retry</button>" in buttons(kind, code), kind


def test_a_restart_says_where_it_begins(client: Client, ada: User, dataset: Dataset) -> None:
    run = make_run(dataset, state=State.CANCELLED)
    assert "from the start" in client.get(f"/jobs/{run.job_id}/").content.decode()
    run.folder.mkdir(parents=True)
    (run.folder / "checkpoint.safetensors").touch()
    assert "from the checkpoint" in client.get(f"/jobs/{run.job_id}/").content.decode()
    flow = make_job("flow", ada, state=State.CANCELLED)
    assert "what is done is kept" in client.get(f"/jobs/{flow.pk}/").content.decode()


def test_only_what_runs_is_cancelled_after_a_question_that_says_what_is_lost(client: Client, ada: User) -> None:
    running, queued = (make_job("train", ada, state=state) for state in (State.RUNNING, State.QUEUED))
    page = client.get(f"/jobs/{running.pk}/").content.decode()
    assert "data-confirm" in page and "since the last checkpoint is lost" in page and "Stop: saves a checkpoint" in page
    assert 'data-yes="Cancel the run" data-no="Keep running"' in page
    page = client.get(f"/jobs/{queued.pk}/").content.decode()
    assert "data-confirm" not in page and "nothing is lost" in page


def test_the_list_calls_no_queue_a_place(client: Client, ada: User) -> None:
    make_job("train", ada, queue="gpu")
    assert "gpu" not in client.get("/jobs/").content.decode()


def test_all_failures_are_seen_at_once_and_those_of_others_stay(client: Client, ada: User) -> None:
    mine = [make_job("train", ada, state=State.FAILED) for _number in range(3)]
    foreign = make_job("train", make_user("eve"), state=State.FAILED)
    assert client.post("/jobs/acknowledge").headers["Location"] == "/"
    assert all(Job.objects.get(pk=job.pk).acknowledged for job in mine)
    assert not Job.objects.get(pk=foreign.pk).acknowledged
