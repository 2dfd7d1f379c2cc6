"""A disk that runs full in the middle of a job."""

import os
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.faults.conftest import NUM_VIDEOS
from webapp.datasets.models import Dataset, FlowCache, media_store
from webapp.jobs import services
from webapp.jobs.models import Job
from worker.run import run_job

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]
PAGE = 4096

Resize = Callable[[int], None]


@pytest.fixture
def disk() -> Iterator[Resize]:
    """The media store on a file system of its own; gives it so many free bytes."""
    root = media_store().root
    root.mkdir(parents=True, exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(root)], capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small file system")

    def resize(free: int) -> None:
        state = os.statvfs(root)
        used = (state.f_blocks - state.f_bfree) * state.f_frsize
        subprocess.run(["mount", "-o", f"remount,size={used + free}", str(root)], check=True)

    yield resize
    subprocess.run(["umount", "--lazy", str(root)], check=True)


def test_a_full_disk_is_named_and_with_room_again_the_job_ends_well(disk: Resize, dataset: Dataset, flow_job: Callable[[], Job]) -> None:
    job = flow_job()
    disk(5 * PAGE)
    run_job.apply(args=(job.pk,), throw=True)
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert job.failure["code"] == "DiskFull"
    assert job.failure["advice"]
    assert not list(media_store().root.rglob("*.tmp"))

    disk(2**24)
    services.restart(job)
    run_job.apply(args=(job.pk,), throw=True)
    job.refresh_from_db()
    assert (job.state, job.failure) == (Job.State.DONE, {})
    cache = FlowCache.objects.get()
    assert (cache.videos_done, cache.videos_failed) == (NUM_VIDEOS, [])
