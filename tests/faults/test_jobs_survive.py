"""Real processes are killed at bad moments: every job ends done, resumable or explained; none runs twice."""

import signal
from collections.abc import Callable

import psutil
import pytest
from redis import Redis

from tests.processes import Plant, is_ml, reaches, state_of, until
from webapp import queue
from webapp.datasets.models import FlowCache
from webapp.jobs import services
from webapp.jobs.models import Job
from webapp.jobs.selectors import log_tail

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
State = Job.State
Submit = Callable[[], Job]
Shorten = Callable[[], None]


def under_way(job: Job) -> Job:
    """The job once it runs and its process has spoken."""
    until(lambda: state_of(job) == State.RUNNING and "begins" in log_tail(job), f"{job} is under way")
    return job


def is_done_completely(job: Job) -> bool:
    """Done, with the flow of every video; one attempt after the other, never two at once."""
    cache = FlowCache.objects.get(pk=job.subject_id)
    return reaches(job, State.DONE, State.FAILED) == State.DONE and FlowCache.objects.get(pk=cache.pk).videos_done == 6


def test_a_job_is_sent_run_and_done(plant: Plant, flow_job: Submit) -> None:
    job = flow_job()
    assert is_done_completely(job)
    assert job.attempts == 1
    assert job.fraction == 1


def test_a_killed_ml_process_is_explained_and_a_retry_ends_well(plant: Plant, flow_job: Submit, long_video: Shorten) -> None:
    job = under_way(flow_job())
    plant.worker.ml_processes()[0].kill()
    long_video()
    assert reaches(job, State.FAILED, State.DONE) == State.FAILED
    assert job.failure["code"] == "Killed"
    assert "memory" in job.failure["message"]
    assert job.failure["advice"]
    services.restart(job)
    assert is_done_completely(job)


def test_a_job_whose_celery_process_was_killed_goes_on_by_itself(plant: Plant, flow_job: Submit, long_video: Shorten) -> None:
    job = under_way(flow_job())
    (ml,) = plant.worker.ml_processes()
    parent = ml.parent()
    assert parent is not None
    parent.kill()
    long_video()
    until(lambda: not ml.is_running() or ml.status() == psutil.STATUS_ZOMBIE, "the end of the ml process")
    assert is_done_completely(job)
    assert job.attempts == 2


def test_a_job_whose_whole_worker_was_killed_goes_on_with_the_next_worker(plant: Plant, flow_job: Submit, long_video: Shorten) -> None:
    job = under_way(flow_job())
    below = plant.worker.children()
    plant.worker.kill()
    long_video()
    _gone, alive = psutil.wait_procs(below, timeout=10)
    assert alive == []
    reaches(job, State.QUEUED)
    plant.worker.start()
    assert is_done_completely(job)
    assert job.attempts == 2


def test_a_worker_that_is_shut_down_hands_its_job_back_without_costing_an_attempt(
    plant: Plant, flow_job: Submit, long_video: Shorten
) -> None:
    job = under_way(flow_job())
    plant.worker.send(signal.SIGTERM)
    assert plant.worker.wait() == 0
    assert reaches(job, State.INTERRUPTED, State.QUEUED, State.DONE) != State.DONE
    assert (job.attempts, job.max_attempts) == (1, 4)
    plant.worker.start()
    assert is_done_completely(job)


def test_a_killed_broker_does_not_disturb_a_running_job_and_workers_come_back_to_it(
    plant: Plant, flow_job: Submit, long_video: Shorten
) -> None:
    job = under_way(flow_job())
    plant.valkey.kill()
    waiting = flow_job()
    assert (state_of(waiting), waiting.sent_at) == (State.QUEUED, None)
    assert is_done_completely(job)
    assert job.attempts == 1
    plant.start_broker()
    assert is_done_completely(waiting)


def test_a_lost_message_is_sent_again(plant: Plant, flow_job: Submit) -> None:
    plant.worker.kill()
    job = flow_job()
    assert job.sent_at is not None or Job.objects.get(pk=job.pk).sent_at is not None
    Redis.from_url(queue.sender.conf.broker_url).delete("cpu")
    plant.worker.start()
    assert is_done_completely(job)
    assert job.attempts == 1


def test_a_message_that_comes_twice_runs_the_job_once(plant: Plant, flow_job: Submit) -> None:
    job = flow_job()
    for _ in range(5):
        queue.send(job)
    assert is_done_completely(job)
    until(lambda: queue.lengths() == {"cpu": 0, "gpu": 0, "predict": 0}, "the end of all messages")
    assert (state_of(job), job.attempts) == (State.DONE, 1)


def test_a_running_job_is_cancelled_at_once_and_leaves_no_process(plant: Plant, flow_job: Submit, long_video: Shorten) -> None:
    job = under_way(flow_job())
    below = [process for process in plant.worker.children() if is_ml(process)]
    services.cancel(job)
    assert reaches(job, State.CANCELLED, State.DONE) == State.CANCELLED
    _gone, alive = psutil.wait_procs(below, timeout=10)
    assert alive == []


def test_a_running_job_that_is_stopped_goes_on_where_it_was(plant: Plant, flow_job: Submit, long_video: Shorten) -> None:
    job = under_way(flow_job())
    services.request_stop(job)
    assert reaches(job, State.STOPPED, State.DONE) == State.STOPPED
    services.restart(job)
    assert is_done_completely(job)
