"""A training that was stopped or killed goes on from its checkpoint and ends with the weights of one that was left alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest
from django.contrib.auth.models import User
from safetensors.numpy import load_file

from ml.config.data import DataConfig, RGBInput
from ml.config.evaluation import Protocol
from ml.config.experiment import ExperimentConfig
from ml.config.training import TrainingConfig
from tests.processes import Plant, reaches, until
from webapp.datasets.models import Dataset
from webapp.experiments.models import Run
from webapp.experiments.services.launch import launch_run
from webapp.jobs import services
from webapp.jobs.models import Job
from webapp.jobs.selectors import log_tail

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
State = Job.State
LONG_SECONDS = 90.0
EPOCHS, STEPS = 12, 3
CONFIG = ExperimentConfig(
    data=DataConfig(input=RGBInput(), short_side=40, crop_size=32, validation_fraction=0.0),
    training=TrainingConfig(epochs=EPOCHS, steps_per_epoch=STEPS, batch_size=2, device="cpu"),
    evaluation=Protocol(frames=1, crops=1),
)

Begin = Callable[[str], Run]


@pytest.fixture
def begin(user: User, dataset: Dataset) -> Begin:
    """Starts the same training under another name."""

    def begun(name: str) -> Run:
        run = launch_run(user, dataset, dataset.splits.get(), CONFIG, name)
        services.cancel(run.evaluations.get().job)
        return run

    return begun


@contextmanager
def caught(plant: Plant, run: Run) -> Iterator[psutil.Process]:
    """The run's process, halted once it has saved a checkpoint; it goes on afterwards."""
    until(lambda: "checkpoint saved" in log_tail(run.job), f"a checkpoint of {run}", LONG_SECONDS)
    (process,) = plant.worker.ml_processes()
    process.suspend()
    yield process
    if process.is_running():
        process.resume()


def weights(run: Run) -> dict[str, bytes]:
    """Name of each tensor of the trained network → its bits."""
    assert reaches(run.job, State.DONE, State.FAILED, seconds=LONG_SECONDS) == State.DONE, run.job.failure
    assert list(run.points.filter(is_epoch_end=True).values_list("step", flat=True)) == [STEPS * (n + 1) for n in range(EPOCHS)]
    return {name: tensor.tobytes() for name, tensor in load_file(run.folder / "model.safetensors").items()}


def test_a_stopped_and_a_killed_training_end_with_the_weights_of_one_left_alone(plant: Plant, begin: Begin) -> None:
    left_alone = weights(begin("left alone"))
    assert len(left_alone) > 10

    stopped = begin("stopped")
    with caught(plant, stopped):
        services.request_stop(stopped.job)
        until(lambda: "asked to save and stop" in log_tail(stopped.job), "the request to stop")
    assert reaches(stopped.job, State.STOPPED, State.DONE) == State.STOPPED
    assert 0 < stopped.points.latest("step").step < EPOCHS * STEPS
    services.restart(stopped.job)
    assert weights(stopped) == left_alone

    killed = begin("killed")
    with caught(plant, killed) as process:
        process.kill()
        assert reaches(killed.job, State.FAILED, State.DONE) == State.FAILED
    assert killed.job.failure["code"] == "Killed"
    services.restart(killed.job)
    assert weights(killed) == left_alone
    assert "Going on from step" in log_tail(killed.job)
