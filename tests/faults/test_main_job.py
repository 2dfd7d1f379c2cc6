"""The main job through the site's services and real workers: import, flow, two streams, fusion, prediction."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from ml.config.data import DataConfig, FlowInput, FrameSpec, RGBInput
from ml.config.evaluation import FusionConfig, Protocol
from ml.config.experiment import ExperimentConfig
from ml.config.flow import Farneback, FlowSpec
from ml.config.training import TrainingConfig
from tests.processes import ROOT, Plant, reaches, state_of, until
from webapp.datasets.models import Dataset, Upload
from webapp.datasets.services.imports import confirm_import, latest_job, start_import
from webapp.experiments.heads import Head
from webapp.experiments.models import Fusion, VideoScore
from webapp.experiments.services.fusions import launch_two_stream
from webapp.jobs.models import Job
from webapp.predictions.models import Prediction
from webapp.predictions.services import predict

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
State = Job.State
LONG_SECONDS = 120.0


@pytest.fixture(scope="module")
def drawn() -> Path:
    """Three recordings of each of the nine classes."""
    folder: Path = settings.IMPORT_ROOTS[0] / "shapes_in_motion"
    command = [sys.executable, "-m", "ml", "draw", "--groups", "3", "--clips-per-group", "1", "--out", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return folder


def config(input: RGBInput | FlowInput) -> ExperimentConfig:
    return ExperimentConfig(
        data=DataConfig(input=input, short_side=40, crop_size=32, validation_fraction=0.0),
        training=TrainingConfig(epochs=2, batch_size=9, device="cpu"),
        evaluation=Protocol(frames=2, crops=1),
    )


def imported(user: User, folder: Path) -> Dataset:
    import_ = start_import(user, [], folder)
    done(latest_job(import_))
    import_.refresh_from_db()
    split = {"test_fraction": 1 / 3, "seed": 0}
    dataset = confirm_import(import_, name="Shapes", description="", frame_spec=FrameSpec(short_side=48), split=split)
    done(latest_job(import_))
    return dataset


def trained(user: User, dataset: Dataset) -> Fusion:
    flow = FlowInput(stack_len=2, flow=FlowSpec(method=Farneback()))
    fusion = launch_two_stream(user, dataset, dataset.splits.get(), config(RGBInput()), config(flow), FusionConfig(), "Shapes")
    for job in dataset.jobs.order_by("pk"):
        done(job)
    return fusion


def done(job: Job | None) -> None:
    assert job is not None
    assert reaches(job, *(state for state in State if state not in Job.OPEN), seconds=LONG_SECONDS) == State.DONE, job.failure


def uploaded(user: User, name: str, content: bytes) -> Upload:
    upload = Upload.objects.create(user=user, name=name, size=len(content), received=len(content))
    upload.path.parent.mkdir(parents=True, exist_ok=True)
    upload.path.write_bytes(content)
    return upload


def predicted(user: User, upload: Upload, fusion: Fusion) -> Prediction:
    (prediction,) = predict(user, [upload], Head(fusion))
    reaches(prediction.job, State.DONE, State.FAILED, seconds=LONG_SECONDS)
    prediction.refresh_from_db()
    return prediction


def test_the_main_job_from_a_folder_of_videos_to_predictions(plant: Plant, user: User, drawn: Path) -> None:
    dataset = imported(user, drawn)
    assert (dataset.labels.count(), dataset.videos.filter(status="ok").count()) == (9, 27)

    fusion = trained(user, dataset)
    assert set(dataset.jobs.values_list("state", flat=True)) == {State.DONE}
    tested = dataset.splits.get().entries.filter(subset="test").count()
    members = [member.evaluation for member in fusion.memberships.all()]
    for evaluation in [*members, fusion.evaluation]:
        evaluation.refresh_from_db()
        assert VideoScore.objects.filter(evaluation=evaluation).count() == tested == evaluation.metrics["num_videos"]
        assert 0 <= evaluation.metrics["top1"] <= evaluation.metrics["top5"] <= 1
        assert evaluation.metrics["protocol"]["subset"] == "test"

    check_predictions(plant, user, fusion, next(drawn.rglob("*.mp4")).read_bytes())


def check_predictions(plant: Plant, user: User, fusion: Fusion, video: bytes) -> None:
    """Good, bad, good again by the same process; killed in the middle, and the next one by a new process."""
    first = predicted(user, uploaded(user, "good.mp4", video), fusion)
    assert first.job.state == State.DONE, first.job.failure
    assert [stream["name"] for stream in first.result["streams"]] == ["Shapes: spatial", "Shapes: temporal"]
    (warm,) = plant.sweeper.ml_processes()

    bad = predicted(user, uploaded(user, "bad.mp4", video[:2000]), fusion)
    assert (bad.job.state, bool(bad.job.failure["message"]), bool(bad.job.failure["advice"])) == (State.FAILED, True, True)
    second = predicted(user, first.upload, fusion)
    assert (second.job.state, second.result["top"]) == (State.DONE, first.result["top"])
    assert plant.sweeper.ml_processes() == [warm]

    warm.suspend()  # so that it is at it, for sure
    (killed,) = predict(user, [first.upload], Head(fusion))
    until(lambda: state_of(killed.job) == State.RUNNING, "the begin of the prediction")
    warm.kill()
    assert reaches(killed.job, State.FAILED, State.DONE) == State.FAILED
    assert killed.job.failure["code"] == "Killed"
    third = predicted(user, first.upload, fusion)
    assert (third.job.state, third.result["top"]) == (State.DONE, first.result["top"])
    assert warm not in plant.sweeper.ml_processes()
