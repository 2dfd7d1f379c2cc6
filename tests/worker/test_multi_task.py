"""A run that learns two datasets on two devices, from the launch to tests, fusions and predictions, through real ml processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from ml.config.data import DataConfig
from ml.config.evaluation import FusionConfig, Protocol
from ml.config.experiment import ExperimentConfig
from ml.config.training import TrainingConfig
from tests.media import draw_video
from tests.webapp.factories import make_user
from tests.worker.test_tasks import imported, no_messages, run, upload, zipped
from webapp.datasets.models import Dataset
from webapp.experiments.heads import Head
from webapp.experiments.models import Evaluation
from webapp.experiments.references import reference_to
from webapp.experiments.selectors.embeddings import embedding_of
from webapp.experiments.services.fusions import create_fusion
from webapp.experiments.services.launch import launch_run, request_evaluation
from webapp.jobs.models import Job
from webapp.predictions.services import predict
from webapp.words import translated
from worker.run import run_job
from worker.warm import warm

__all__ = ["no_messages"]
pytestmark = pytest.mark.django_db


def a_dataset(user: User, folder: Path, name: str, labels: tuple[str, ...], seed: int) -> Dataset:
    folder.mkdir()
    run("ingest", user, imported(user, zipped(folder, labels, seed=seed)).pk)
    dataset = Dataset.objects.latest("pk")
    dataset.name = name
    dataset.save()
    return dataset


@pytest.fixture(autouse=True)
def cold_process() -> Iterator[None]:
    yield
    warm.drop()


def done(*jobs: Job) -> None:
    for job in jobs:
        run_job.apply(args=(job.pk,), throw=True)
        job.refresh_from_db()
        assert (job.state, job.failure) == (Job.State.DONE, {})


def test_a_run_of_two_datasets_on_two_devices_is_trained_and_tested(tmp_path: Path) -> None:
    user = make_user()
    moves = a_dataset(user, tmp_path / "moves", "Moves", ("jump", "wave"), seed=80)
    poses = a_dataset(user, tmp_path / "poses", "Poses", ("lie", "sit", "stand"), seed=90)
    config = ExperimentConfig(
        data=DataConfig(also=(reference_to(poses.splits.get()),), short_side=40, crop_size=32, validation_fraction=0),
        training=TrainingConfig(epochs=1, steps_per_epoch=2, batch_size=4, devices=2, device="cpu"),
        evaluation=Protocol(frames=1, crops=1),
    )

    row = launch_run(user, moves, moves.splits.get(), config, "both")
    own, other = row.evaluations.order_by("pk")
    done(row.job, own.job, other.job)

    for changed in (row, own, other):
        changed.refresh_from_db()
    assert row.facts["device"] == "2 × cpu"
    assert (row.facts["dataset"], [other["dataset"] for other in row.facts["also"]]) == ("Moves", ["Poses"])
    assert list(row.points.filter(is_epoch_end=False).values_list("step", flat=True)) == [1, 2]
    assert [each["name"] for each in own.metrics["per_class"]] == ["jump", "wave"]
    assert [each["name"] for each in other.metrics["per_class"]] == ["lie", "sit", "stand"]
    assert {score.video.dataset for score in own.video_scores.all()} == {moves}
    assert {score.video.dataset for score in other.video_scores.all()} == {poses}
    for evaluation in (own, other):
        embedding = embedding_of(evaluation)
        assert embedding is not None and len(embedding.videos) == evaluation.metrics["num_videos"]
        assert list(embedding.classes) == [each["name"] for each in evaluation.metrics["per_class"]]

    again = request_evaluation(row, "test", Protocol(frames=2, crops=1), user, poses.splits.get())
    fusion = create_fusion(user, [other, again], FusionConfig(), "poses")
    done(again.job, fusion.evaluation.job)
    fused = Evaluation.objects.get(fusion=fusion)
    assert (fusion.dataset, {score.video.dataset for score in fused.video_scores.all()}) == (poses, {poses})
    described = translated(fused.metrics["protocol"]["description"])
    assert "1 frame × 1 crop, class probabilities averaged; head of “Poses”, one of 2" in described

    for head in (Head(row), Head(row, poses.splits.get()), Head(fusion)):
        (prediction,) = predict(user, [upload(user, draw_video(tmp_path / "new.mp4", seed=99))], head)
        done(prediction.job)
        prediction.refresh_from_db()
        assert {name for name, _share in prediction.result["top"]} == set(head.dataset.labels.values_list("name", flat=True))
