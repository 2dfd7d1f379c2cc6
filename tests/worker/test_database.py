"""A chatty training writes little, and a database that does not answer for a while costs no job."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from ml.events import EpochEnded, Finished, StepsDone
from tests.webapp.factories import make_dataset, make_run, make_user
from tests.worker.test_supervise import Engine
from webapp import queue
from webapp.datasets.models import Import
from webapp.experiments.models import Run, RunPoint
from webapp.jobs import services
from webapp.jobs.models import Job, lease_end
from worker import curve, database
from worker.curve import MOST_POINTS, Curve
from worker.run import run_job
from worker.supervise import Ending
from worker.tasks.inspect import InspectTask

State = Job.State
pytestmark = pytest.mark.django_db


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(curve, "time", clock)
    return clock


@pytest.fixture
def run() -> Run:
    return make_run(make_dataset(make_user()))


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nobody waits; the pauses that were made."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made


def step(number: int) -> StepsDone:
    return StepsDone(number, epoch=1, losses={"cross_entropy": 1 / number}, learning_rate=0.1, videos_per_second=9.0)


def locked(times: int, then: Callable[..., Any]) -> Callable[..., Any]:
    """`then`, but the first `times` times the database is locked."""
    left = [OperationalError("database is locked")] * times

    def call(*args: object, **kwargs: object) -> object:
        if left:
            raise left.pop()
        return then(*args, **kwargs)

    return call


def test_thousands_of_steps_a_second_are_one_write_a_second(
    run: Run, clock: Clock, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    points = Curve(run)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        for number in range(1, 1001):
            clock.now = number * 0.01  # ten seconds
            with django_capture_on_commit_callbacks(execute=True):
                points.add(step(number))
                points.write_if_due()
    points.write()
    assert len([query for query in queries if "INSERT" in query["sql"]]) == 10
    assert run.points.count() == 1000


def test_a_long_training_leaves_no_more_rows_than_a_curve_can_show_and_its_last_step(run: Run, clock: Clock) -> None:
    points = Curve(run)
    points.num_steps = 100_003
    for number in range(7, 100_003, 7):
        points.add(step(number))
    points.add(step(points.num_steps))
    points.add(EpochEnded(1, points.num_steps, {"loss": 0.5}, {"loss": 0.6}))
    points.write()
    told = run.points.filter(is_epoch_end=False)
    assert MOST_POINTS <= told.count() <= MOST_POINTS + 1
    assert [point.step for point in told][-1] == points.num_steps
    assert run.points.get(is_epoch_end=True).validation == {"loss": 0.6}


def test_steps_that_come_again_replace_their_points(run: Run, clock: Clock) -> None:
    for _attempt in range(2):
        points = Curve(run)
        for number in (1, 2, 3):
            points.add(step(number))
        points.write()
    assert [point.train["cross_entropy"] for point in run.points.all()] == [1, 1 / 2, 1 / 3]


def test_points_that_got_lost_with_a_worker_are_found_in_what_the_run_told(
    run: Run, clock: Clock, settings: Settings, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    run.folder.mkdir(parents=True)
    lines = [step(1).json_line(), EpochEnded(1, 1, {"loss": 0.5}).json_line(), step(2).json_line()[:20]]
    (run.folder / "events.jsonl").write_text("\n".join(lines))
    points = Curve(run)
    points.begin(num_steps=4)
    points.add(step(2))
    points.write()
    assert [(point.step, point.is_epoch_end) for point in run.points.all()] == [(1, False), (1, True), (2, False)]
    shutil.rmtree(run.folder)


def test_points_that_a_locked_database_did_not_take_are_written_later(run: Run, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    points = Curve(run)
    monkeypatch.setattr(RunPoint.objects, "bulk_create", locked(1, RunPoint.objects.bulk_create))
    points.add(step(1))
    with pytest.raises(OperationalError):
        points.write_if_due()
    clock.now = 2.0
    points.add(step(2))
    points.write_if_due()
    assert [point.step for point in run.points.all()] == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_an_event_that_a_locked_database_does_not_take_ends_no_attempt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    engine = Engine(monkeypatch, tmp_path)
    monkeypatch.setattr(services, "record_progress", locked(9, services.record_progress))
    engine.hear = locked(1, engine.hear)
    ending = engine.run('say("Started", command="x", total=2, unit="videos"); say("Finished", summary={"a": 1})')
    assert ending == Ending(State.DONE, summary={"a": 1})
    assert engine.events == [Finished({"a": 1})]


@pytest.mark.django_db(transaction=True)
def test_the_end_of_a_job_waits_for_a_locked_database(monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> None:
    job = inspected(monkeypatch, locked_times=3)
    assert (job.state, job.failure, pauses) == (State.DONE, {}, list(database.PAUSES_SECONDS[:3]))


@pytest.mark.django_db(transaction=True)
def test_a_job_whose_end_no_database_takes_is_left_to_the_sweeper(monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> None:
    with pytest.raises(OperationalError, match="locked"):
        inspected(monkeypatch, locked_times=9)
    job = Job.objects.get()
    assert (job.state, job.failure) == (State.RUNNING, {})
    assert services.interrupt_expired(now=lease_end(job.lease_until)) == [job.pk]
    assert services.requeue_interrupted() == [job.pk]


def inspected(monkeypatch: pytest.MonkeyPatch, locked_times: int) -> Job:
    """A job whose attempt ends well, on a database that is then locked for some time."""
    monkeypatch.setattr(queue, "send", lambda job: True)
    monkeypatch.setattr(InspectTask, "run", lambda self, lease: Ending(State.DONE, answer={"layout": "x"}))
    monkeypatch.setattr(services, "finish", locked(locked_times, services.finish))
    user = make_user()
    job = services.open_job("inspect", "x", user)
    services.submit(job, Import.objects.create(user=user).pk)
    run_job.apply(args=(job.pk,), throw=True)
    job.refresh_from_db()
    return job
