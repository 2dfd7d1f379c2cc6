"""One extraction done in parts by real workers, some of which are killed."""

from collections.abc import Iterator

import psutil
import pytest
from django.contrib.auth.models import User
from django.db import transaction

from tests.faults.conftest import LONG, NUM_FRAMES, NUM_VIDEOS, SPEC, write_frames
from tests.processes import Plant, Server, reaches, state_of, until, worker
from webapp.datasets.models import Dataset, FlowCache
from webapp.jobs import services
from webapp.jobs.models import Job
from webapp.jobs.selectors import log_tail

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
State = Job.State


@pytest.fixture
def second(plant: Plant) -> Iterator[Server]:
    """Another worker for the same queue."""
    server = worker(plant.worker.folder, "-Q", "cpu,gpu", "-c", "1", name="second")
    server.start()
    until(lambda: server.log.exists() and "ready." in server.log.read_text(), "the second worker is ready")
    yield server
    server.close()


@pytest.fixture
def whole(user: User, dataset: Dataset) -> Job:
    """An extraction in two parts, each with a long video."""
    for video in dataset.videos.order_by("pk")[:2]:
        write_frames(video, LONG)
    with transaction.atomic():
        cache = FlowCache.objects.create(dataset=dataset, spec_id=SPEC.spec_id(), spec=SPEC.model_dump(mode="json"))
        job = services.open_job(Job.Kind.FLOW, "flow", user, dataset)
        services.submit_in_parts(job, cache.pk, 2, total=2 * (LONG - 1) + NUM_VIDEOS - 2, unit="pairs")
    return job


def shorten(dataset: Dataset, part: Job) -> None:
    """Make the long video of a part whose process is gone as short as the others."""
    assert part.shard is not None
    write_frames(dataset.videos.order_by("pk")[part.shard[0] - 1], NUM_FRAMES)


def under_way(jobs: list[Job]) -> None:
    until(lambda: all(state_of(job) == State.RUNNING and "begins" in log_tail(job) for job in jobs), "all parts are under way")


def is_whole(job: Job) -> bool:
    assert reaches(job, State.DONE, State.FAILED) == State.DONE
    cache = FlowCache.objects.get()
    return (cache.videos_done, cache.videos_failed) == (NUM_VIDEOS, []) and all(
        cache.pack(video.media).exists() for video in cache.dataset.videos.all()
    )


def test_two_workers_share_an_extraction_and_when_one_is_killed_the_other_ends_it(
    plant: Plant, second: Server, whole: Job, dataset: Dataset
) -> None:
    parts = list(whole.parts.order_by("pk"))
    under_way(parts)
    assert {part.worker for part in parts} == {"cpu@test", "second@test"}
    whole.refresh_from_db()
    assert (whole.state, whole.shown_state, whole.attempts) == (State.WAITING, State.RUNNING, 0)
    below = second.children()
    second.kill()
    shorten(dataset, next(part for part in parts if part.worker == "second@test"))
    _gone, alive = psutil.wait_procs(below, timeout=10)
    assert alive == []
    assert is_whole(whole)
    for part in parts:
        part.refresh_from_db()
    assert sorted(part.attempts for part in parts) == [1, 2]
    assert {(part.state, part.worker) for part in parts} == {(State.DONE, "cpu@test")}
    assert whole.result["new"] == 0  # it found all that its parts made


def test_a_part_whose_process_is_killed_leaves_the_other_alone_and_a_retry_does_only_that_part(
    plant: Plant, second: Server, whole: Job, dataset: Dataset
) -> None:
    parts = list(whole.parts.order_by("pk"))
    under_way(parts)
    killed, other = sorted(parts, key=lambda part: part.worker != "second@test")
    second.ml_processes()[0].kill()
    assert reaches(killed, State.FAILED, State.DONE) == State.FAILED
    shorten(dataset, killed)
    assert killed.failure["code"] == "Killed"
    assert reaches(other, State.DONE, State.FAILED) == State.DONE
    assert reaches(whole, State.FAILED) and whole.failure["job"] == killed.pk
    services.restart(whole)
    assert is_whole(whole)
    killed.refresh_from_db()
    other.refresh_from_db()
    assert (killed.attempts, other.attempts) == (2, 1)
