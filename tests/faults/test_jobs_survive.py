"""Real processes are killed at bad moments: every job ends done, resumable or explained; none runs twice."""

import signal
from collections.abc import Callable

import pytest

from tests.processes import Plant, reaches, state_of, until
from webapp import queue
from webapp.datasets.models import FlowCache
from webapp.jobs import services
from webapp.jobs.models import Job

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
State = Job.State
Submit = Callable[[], Job]


def midway(job: Job) -> Job:
    """The job once it runs and has done something, but not all."""
    until(lambda: state_of(job) == State.RUNNING and job.progress_done > 0, f"{job} is under way")
    return job


def test_a_job_is_sent_run_and_done(plant: Plant, flow_job: Submit) -> None:
    job = flow_job()
    assert reaches(job, State.DONE, State.FAILED) == State.DONE
    cache = FlowCache.objects.get()
    assert (cache.videos_done, cache.videos_failed, job.attempts) == (6, [], 1)
    assert cache.bytes > 0
