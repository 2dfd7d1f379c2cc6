"""`python -m tests.faults.one_database claim|write`: several processes on one database at the same moment; what came of it, as JSON."""

import json
import os
import sys
from collections.abc import Callable
from itertools import chain
from multiprocessing import get_context
from typing import TypeVar

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.db import connections  # noqa: E402

from ml.events import DeviceUse, Progress, StepsDone  # noqa: E402
from tests.webapp.factories import make_dataset, make_job, make_run  # noqa: E402
from webapp.experiments.models import Run, RunPoint  # noqa: E402
from webapp.jobs import services  # noqa: E402
from webapp.jobs.models import Job  # noqa: E402
from worker.curve import Curve  # noqa: E402

NUM_RACERS, NUM_JOBS = 8, 20
NUM_WRITERS, NUM_ROUNDS = 5, 60
FORK = get_context("fork")
BARRIERS = {number: FORK.Barrier(number) for number in (NUM_RACERS, NUM_WRITERS)}

Work = TypeVar("Work")
Outcome = TypeVar("Outcome")


def claim(job_ids: list[int]) -> list[int]:
    """Claim every job as soon as all are there; the ids that were won."""
    meet(NUM_RACERS)
    return [job_id for job_id in job_ids if services.claim(job_id, f"racer-{os.getpid()}")]


def write(job_id: int) -> None:
    """Everything that site and worker write while a job runs, in rounds."""
    meet(NUM_WRITERS)
    job = Job.objects.get(pk=job_id)
    lease, curve = services.claim(job_id, "writer") or "", Curve(Run.objects.get(job=job))
    for number in range(1, NUM_ROUNDS + 1):
        assert services.heartbeat(job_id, lease)
        services.record_progress(job_id, lease, Progress(number, NUM_ROUNDS, "steps"))
        services.record_device(job_id, lease, DeviceUse("cpu", 50.0, 2**20))
        curve.add(StepsDone(number, 1, {"cross_entropy": 1 / number}, 0.1, 9.0))
        curve.write()
        services.cancel(services.open_job("flow", "a visitor's", job.user))
    services.finish(job_id, lease, Job.State.DONE)


def meet(number: int) -> None:
    """Connect, and wait until so many have."""
    Job.objects.exists()
    BARRIERS[number].wait(60)


def race(user: User) -> dict[str, object]:
    job_ids = [make_job("train", user, state=Job.State.QUEUED).pk for _ in range(NUM_JOBS)]
    return {"jobs": job_ids, "won": list(chain(*together(claim, [job_ids] * NUM_RACERS)))}


def writing(user: User) -> dict[str, object]:
    dataset = make_dataset(user)
    together(write, [make_run(dataset, state=Job.State.QUEUED).job_id for _ in range(NUM_WRITERS)])
    states = list(Job.objects.filter(user=user).values_list("state", flat=True))
    return {"points": RunPoint.objects.count(), "done": states.count("done"), "cancelled": states.count("cancelled")}


def together(do: Callable[[Work], Outcome], works: list[Work]) -> list[Outcome]:
    """Each work in a process of its own."""
    connections.close_all()  # a forked process must not inherit one
    with FORK.Pool(len(works)) as pool:
        return pool.map(do, works, chunksize=1)


if __name__ == "__main__":
    kinds = {"claim": race, "write": writing}
    print(json.dumps(kinds[sys.argv[1]](User.objects.create_user(sys.argv[1]))))
