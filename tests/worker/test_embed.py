"""The embeddings of an evaluation described anew through a real ml process; few enough that UMAP need not be compiled for it."""

import json

import pytest

from ml.config.embedding import LEAST_VIDEOS, VERSION, UmapConfig
from tests.webapp.embedding_files import keep_embeddings
from tests.webapp.factories import make_dataset, make_evaluation, make_run, make_user
from tests.worker.test_tasks import no_messages
from webapp.experiments.models import Evaluation
from webapp.experiments.selectors.embeddings import embedding_of
from webapp.experiments.services.embeddings import request_map
from webapp.jobs.models import Job
from webapp.jobs.selectors import log_tail
from worker.run import run_job
from worker.tasks.embed import EmbedTask

__all__ = ["no_messages"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def evaluation() -> Evaluation:
    evaluation = make_evaluation(make_run(make_dataset(make_user())))
    assert evaluation.video_scores.count() < LEAST_VIDEOS
    keep_embeddings(evaluation)
    return evaluation


def test_the_engine_is_asked_for_the_map_that_the_user_wants(evaluation: Evaluation) -> None:
    job = request_map(evaluation, UmapConfig(neighbors=7, seed=3), evaluation.source.owner)
    folder = evaluation.folder
    assert EmbedTask(job).command() == [
        "embed", f"{folder}/embeddings.npz", "--umap", "--neighbors", "7", "--seed", "3", "--out", f"{folder}/embedding.json",
    ]  # fmt: skip


def test_what_an_earlier_version_said_is_said_anew(evaluation: Evaluation) -> None:
    (evaluation.folder / "embedding.json").write_text("{}")
    job = request_map(evaluation, UmapConfig(), evaluation.source.owner)
    run_job.apply(args=(job.pk,), throw=True)
    job.refresh_from_db()
    assert (job.state, job.failure) == (Job.State.DONE, {})
    assert "No map by UMAP" in log_tail(job)
    assert json.loads((evaluation.folder / "embedding.json").read_text())["version"] == VERSION
    embedding = embedding_of(evaluation)
    assert embedding is not None and list(embedding.maps) == ["pca"]
