"""The life of a job's row: who may move it where, and what follows for the jobs that wait."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from ml.events import Failed, Progress
from webapp import queue
from webapp.jobs import services
from webapp.jobs.models import Job

State = Job.State
pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> User:
    return User.objects.create_user("ada", password="x")


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ids that went to the broker."""
    ids: list[int] = []

    def send(job: Job) -> bool:
        ids.append(job.pk)
        Job.objects.filter(pk=job.pk).update(sent_at=timezone.now())
        return True

    monkeypatch.setattr(queue, "send", send)
    return ids


def submitted(user: User, *after: Job, kind: str = "train") -> Job:
    job = services.open_job(kind, "a title", user)
    services.submit(job, 1, after)
    return job


def state_of(job: Job) -> str:
    job.refresh_from_db()
    return job.state


def ended(job: Job, state: State, **fields: object) -> None:
    lease = services.claim(job.pk, "w")
    assert lease is not None
    services.finish(job.pk, lease, state, **fields)  # type: ignore[arg-type]


def test_an_open_job_cannot_be_claimed_before_it_is_submitted(user: User) -> None:
    job = services.open_job("train", "t", user)
    services.release_waiting()
    assert services.claim(job.pk, "w") is None
    assert state_of(job) == State.WAITING


def test_a_submitted_job_is_queued_and_sent_after_the_commit(
    user: User, sent: list[int], django_capture_on_commit_callbacks: object
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        job = submitted(user)
        assert sent == []
    assert (state_of(job), sent) == (State.QUEUED, [job.pk])


def test_what_somebody_waits_for_has_its_own_queue_and_a_training_goes_to_the_one_named(user: User) -> None:
    assert {submitted(user, kind=kind).queue for kind in ("predict", "inspect")} == {"predict"}
    job = services.open_job("train", "t", user)
    services.submit(job, 1, queue="gpu")
    assert job.queue == "gpu"


def test_only_the_first_claim_wins_and_counts_as_an_attempt(user: User) -> None:
    job = submitted(user)
    assert services.claim(job.pk, "first") is not None
    assert services.claim(job.pk, "second") is None
    job.refresh_from_db()
    assert (job.attempts, job.worker, job.state) == (1, "first", State.RUNNING)


@pytest.mark.parametrize("state", [State.DONE, State.FAILED, State.STOPPED, State.CANCELLED, State.INTERRUPTED])
def test_a_running_job_ends_in_any_final_state_and_lets_go_of_its_lease(user: User, state: State) -> None:
    job = submitted(user)
    ended(job, state)
    assert state_of(job) == state
    assert (job.lease, job.lease_until) == ("", None)
    assert job.finished_at is not None


def test_whoever_lost_the_lease_can_neither_renew_nor_finish(user: User) -> None:
    job = submitted(user)
    lease = services.claim(job.pk, "slow")
    assert lease is not None
    services.interrupt_expired(timezone.now() + timedelta(hours=1))
    services.requeue_interrupted()
    assert services.claim(job.pk, "other") is not None
    services.record_progress(job.pk, lease, Progress(5, 10))
    assert services.heartbeat(job.pk, lease) is False
    with pytest.raises(services.LeaseLost):
        services.finish(job.pk, lease, State.DONE)
    assert state_of(job) == State.RUNNING
    assert (job.worker, job.progress_done) == ("other", 0)


def test_a_heartbeat_keeps_the_job_from_being_interrupted(user: User) -> None:
    job = submitted(user)
    lease = services.claim(job.pk, "w")
    assert lease is not None
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert services.heartbeat(job.pk, lease) is True
    assert services.interrupt_expired() == []


def test_an_expired_lease_interrupts_and_the_job_goes_back_to_the_queue_until_its_attempts_are_used_up(user: User) -> None:
    job = submitted(user)
    for attempt in range(1, 4):
        assert services.claim(job.pk, "w") is not None
        assert services.interrupt_expired(timezone.now() + timedelta(hours=1)) == [job.pk]
        assert state_of(job) == State.INTERRUPTED
        assert services.requeue_interrupted() == ([job.pk] if attempt < 3 else [])
    assert state_of(job) == State.INTERRUPTED
    assert job.failure["code"] == "Interrupted"
    assert job.failure["advice"]


def test_a_worker_that_shuts_down_costs_no_attempt(user: User) -> None:
    job = submitted(user)
    for _ in range(5):
        lease = services.claim(job.pk, "w")
        assert lease is not None
        services.hand_back(job.pk, lease)
        assert services.requeue_interrupted() == [job.pk]


@pytest.mark.parametrize(("ask", "state"), [(services.request_stop, State.STOPPED), (services.cancel, State.CANCELLED)])
def test_a_job_that_has_not_begun_ends_at_once(user: User, ask: object, state: State) -> None:
    job = submitted(user)
    ask(job)  # type: ignore[operator]
    assert state_of(job) == state
    assert services.claim(job.pk, "w") is None


@pytest.mark.parametrize(("ask", "state"), [(services.request_stop, State.STOPPED), (services.cancel, State.CANCELLED)])
def test_a_running_job_is_asked_and_ends_as_asked_even_if_its_worker_dies(user: User, ask: object, state: State) -> None:
    job = submitted(user)
    services.claim(job.pk, "w")
    ask(job)  # type: ignore[operator]
    assert state_of(job) == State.RUNNING
    services.interrupt_expired(timezone.now() + timedelta(hours=1))
    assert state_of(job) == state


@pytest.mark.parametrize("ask", [services.request_stop, services.cancel, services.restart])
def test_a_finished_job_refuses_to_be_stopped_cancelled_or_restarted(user: User, ask: object) -> None:
    job = submitted(user)
    ended(job, State.DONE)
    with pytest.raises(services.JobMoved, match="Done"):
        ask(job)  # type: ignore[operator]
    assert state_of(job) == State.DONE


@pytest.mark.parametrize("state", Job.RESTARTABLE)
def test_a_restart_brings_back_every_restartable_state_with_fresh_attempts(user: User, state: State) -> None:
    job = submitted(user)
    ended(job, state, failure=Failed("Bug", "broken"))
    services.restart(job)
    assert state_of(job) == State.QUEUED
    assert (job.failure, job.attempts, job.max_attempts) == ({}, 1, 4)


def test_a_follower_waits_until_all_jobs_before_it_are_done(user: User) -> None:
    spatial, temporal = submitted(user), submitted(user)
    fuse = submitted(user, spatial, temporal, kind="fuse")
    assert fuse.state == State.WAITING
    ended(spatial, State.DONE)
    assert state_of(fuse) == State.WAITING
    ended(temporal, State.DONE)
    assert state_of(fuse) == State.QUEUED


def test_a_job_submitted_after_one_that_is_done_is_queued(user: User) -> None:
    first = submitted(user)
    ended(first, State.DONE)
    assert submitted(user, first).state == State.QUEUED


def test_cancelling_a_job_cancels_all_that_follow_and_a_restart_recalls_them(user: User) -> None:
    first = submitted(user)
    second = submitted(user, first)
    services.cancel(first)
    assert state_of(second) == State.CANCELLED
    services.restart(first)
    assert (state_of(first), state_of(second), second.failure) == (State.QUEUED, State.WAITING, {})


def test_what_follows_a_running_job_is_cancelled_with_it_and_not_when_its_process_is_gone(user: User) -> None:
    first = submitted(user)
    second = submitted(user, first)
    third = submitted(user, second)
    lease = services.claim(first.pk, "w")
    services.cancel(first)
    assert (state_of(first), state_of(second), state_of(third)) == (State.RUNNING, State.CANCELLED, State.CANCELLED)
    assert lease is not None
    services.finish(first.pk, lease, State.CANCELLED)
    services.restart(first)
    assert (state_of(first), state_of(second), state_of(third)) == (State.QUEUED, State.WAITING, State.WAITING)


def test_a_failure_fails_all_that_follow_and_names_the_culprit(user: User) -> None:
    first = submitted(user)
    second = submitted(user, first)
    third = submitted(user, second)
    ended(first, State.FAILED, failure=Failed("Bug", "broken"))
    assert (state_of(second), state_of(third)) == (State.FAILED, State.FAILED)
    assert str(first) in second.failure["message"]
    assert str(second) in third.failure["message"]


def test_restarting_the_culprit_lets_all_that_failed_with_it_wait_again(user: User) -> None:
    first = submitted(user)
    second = submitted(user, first)
    third = submitted(user, second)
    ended(first, State.FAILED, failure=Failed("Bug", "broken"))
    services.restart(first)
    assert (state_of(second), state_of(third)) == (State.WAITING, State.WAITING)
    ended(first, State.DONE)
    assert state_of(second) == State.QUEUED


def test_restarting_a_follower_of_a_failed_job_says_again_what_is_missing(user: User) -> None:
    first = submitted(user)
    second = submitted(user, first)
    ended(first, State.FAILED)
    services.restart(second)
    assert state_of(second) == State.FAILED
    assert second.failure["job"] == first.pk


def test_followers_of_a_stopped_job_wait_for_its_resumption(user: User) -> None:
    first = submitted(user)
    second = submitted(user, first)
    ended(first, State.STOPPED)
    assert state_of(second) == State.WAITING


def test_followers_of_an_interrupted_job_wait_while_it_has_attempts_and_fail_with_it(user: User) -> None:
    first = submitted(user)
    second = submitted(user, first)
    ended(first, State.INTERRUPTED)
    assert state_of(second) == State.WAITING
    Job.objects.filter(pk=first.pk).update(max_attempts=2)
    services.requeue_interrupted()
    ended(first, State.INTERRUPTED)
    assert state_of(second) == State.FAILED


def test_a_queued_job_whose_message_never_went_out_is_sent_again(user: User, sent: list[int]) -> None:
    lost, fresh, other = submitted(user), submitted(user), submitted(user, kind="predict")
    now = timezone.now()
    Job.objects.exclude(pk=fresh.pk).update(queued_at=now - timedelta(minutes=1))
    sent.clear()
    assert services.send_again("cpu", now - timedelta(seconds=30)) == [lost.pk]
    assert services.send_again("cpu", now - timedelta(seconds=30)) == []
    assert sent == [lost.pk]
    assert state_of(other) == State.QUEUED


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Time that stands still."""
    moment = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: moment)
    return moment


def test_the_eta_counts_the_pace_of_this_attempt_alone(user: User, now: datetime) -> None:
    job = submitted(user)
    Job.objects.update(progress_done=500)
    lease = services.claim(job.pk, "w")
    assert lease is not None
    Job.objects.update(started_at=now - timedelta(seconds=100))
    services.record_progress(job.pk, lease, Progress(600, 1000))
    job.refresh_from_db()
    assert job.eta is not None
    assert job.eta.total_seconds() == pytest.approx(400)


def test_the_running_time_is_that_of_all_attempts(user: User, now: datetime) -> None:
    job = submitted(user)
    for seconds in (18, 4):
        lease = services.claim(job.pk, "w1")
        assert lease is not None
        Job.objects.update(started_at=now - timedelta(seconds=seconds))
        services.finish(job.pk, lease, Job.State.STOPPED)
        services.restart(Job.objects.get())
    job = Job.objects.get()
    assert job.started_at is None and job.running_seconds == pytest.approx(22) and job.attempt_seconds == 0
    services.claim(job.pk, "w1")
    Job.objects.update(started_at=now - timedelta(seconds=7))
    assert Job.objects.get().running_seconds == pytest.approx(29)


def test_work_that_begins_anew_does_not_count_what_an_earlier_attempt_had_done(user: User) -> None:
    job = submitted(user)
    Job.objects.update(progress_done=500)
    lease = services.claim(job.pk, "w")
    assert lease is not None
    services.record_progress(job.pk, lease, Progress(0, 1000, "videos"))
    job.refresh_from_db()
    assert job.progress_at_start == 0


def in_parts(user: User, *after: Job) -> tuple[Job, list[Job]]:
    """An extraction in three parts of four videos each, and the parts."""
    job = services.open_job("flow", "flow", user)
    services.submit_in_parts(job, 1, 3, total=12, unit="videos")
    job.refresh_from_db()
    return job, list(job.parts.order_by("pk"))


def claimed(job: Job) -> str:
    lease = services.claim(job.pk, "w")
    assert lease is not None
    return lease


def states(jobs: list[Job]) -> list[str]:
    return [state_of(job) for job in jobs]


def test_parts_are_queued_at_once_and_the_whole_runs_when_all_are_done(user: User) -> None:
    job, parts = in_parts(user)
    follower = submitted(user, job)
    assert (state_of(job), states(parts)) == (State.WAITING, [State.QUEUED] * 3)
    assert [part.shard for part in parts] == [(1, 3), (2, 3), (3, 3)] and job.shard is None
    for part in parts:
        assert (state_of(job), state_of(follower)) == (State.WAITING, State.WAITING)
        ended(part, State.DONE)
    assert (state_of(job), state_of(follower)) == (State.QUEUED, State.WAITING)
    ended(job, State.DONE)
    assert state_of(follower) == State.QUEUED


def test_progress_and_pace_of_the_whole_are_those_of_its_parts_together(user: User, now: datetime) -> None:
    job, parts = in_parts(user)
    assert job.shown_state == State.WAITING and job.eta is None
    leases = [claimed(part) for part in parts[:2]]
    Job.objects.filter(parent=job).update(started_at=now - timedelta(seconds=10))
    for part, lease, kept in zip(parts, leases, (0, 2), strict=False):
        services.record_progress(part.pk, lease, Progress(3, 4, "videos", kept=kept))
    job = Job.objects.get(pk=job.pk)
    assert (job.state, job.shown_state, job.progress_done, job.progress_total) == (State.WAITING, State.RUNNING, 6, 12)
    assert job.pace == pytest.approx((3 + 1) / 10)
    assert job.eta is not None and job.eta.total_seconds() == pytest.approx(6 / 0.4)


def test_what_an_earlier_attempt_made_moves_the_start_of_the_pace(user: User) -> None:
    job = submitted(user)
    lease = claimed(job)
    for done, kept in ((1, 1), (500, 500), (510, 500)):
        services.record_progress(job.pk, lease, Progress(done, 1000, "pairs", kept=kept))
    job.refresh_from_db()
    assert job.progress_at_start == 500


@pytest.mark.parametrize(("ask", "state"), [(services.request_stop, State.STOPPED), (services.cancel, State.CANCELLED)])
def test_whoever_ends_the_whole_ends_its_parts_and_may_go_on_when_they_have_ended(user: User, ask: object, state: State) -> None:
    job, parts = in_parts(user)
    ended(parts[0], State.DONE)
    lease = claimed(parts[1])
    ask(job)  # type: ignore[operator]
    assert (state_of(job), states(parts)) == (state, [State.DONE, State.RUNNING, state])
    with pytest.raises(services.JobMoved, match="still being stopped"):
        services.restart(job)
    services.finish(parts[1].pk, lease, state)
    services.restart(job)
    assert (state_of(job), states(parts)) == (State.WAITING, [State.DONE, State.QUEUED, State.QUEUED])


def test_a_failed_part_loses_no_other_one_and_a_retry_takes_only_what_is_unfinished(user: User) -> None:
    job, parts = in_parts(user)
    follower = submitted(user, job)
    ended(parts[0], State.FAILED, failure=Failed("Killed", "killed"))
    assert (state_of(job), states(parts[1:])) == (State.WAITING, [State.QUEUED] * 2)
    for part in parts[1:]:
        ended(part, State.DONE)
    assert (state_of(job), state_of(follower)) == (State.FAILED, State.FAILED)
    assert job.failure["job"] == parts[0].pk
    services.restart(job)
    assert (state_of(job), states(parts), state_of(follower)) == (State.WAITING, [State.QUEUED, State.DONE, State.DONE], State.WAITING)
    ended(parts[0], State.DONE)
    assert (state_of(job), job.attempts) == (State.QUEUED, 0)


def test_a_part_whose_worker_dies_goes_on_and_one_that_does_so_too_often_fails_the_whole(user: User) -> None:
    job, parts = in_parts(user)
    for part in parts[1:]:
        ended(part, State.DONE)
    for _attempt in range(3):
        claimed(parts[0])
        services.interrupt_expired(timezone.now() + timedelta(hours=1))
        services.release_waiting()
        services.requeue_interrupted()
    assert (state_of(parts[0]), state_of(job)) == (State.INTERRUPTED, State.FAILED)
