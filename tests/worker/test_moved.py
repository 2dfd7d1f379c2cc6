"""The data folder may be moved between two jobs: nothing that an earlier job wrote down leads to the old place."""

from pathlib import Path

import pytest
from pytest_django import Settings

from ml.config.reading import read_experiment
from ml.video.manifest import load_manifest, store_of
from tests.webapp.factories import make_dataset, make_evaluation, make_run, make_user
from webapp.datasets.models import media_store
from webapp.experiments.models import Run
from webapp.jobs.models import Job
from worker.tasks.evaluate import EvaluateTask
from worker.tasks.train import TrainTask

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(settings: Settings, tmp_path: Path) -> Run:
    """A run that began in the folder `old`, which is called `new` now."""
    settings.DATA_DIR = tmp_path / "old"
    run = make_run(make_dataset(make_user()))
    TrainTask(Job.objects.get(pk=run.job_id)).command()
    settings.DATA_DIR.rename(tmp_path / "new")
    settings.DATA_DIR = tmp_path / "new"
    return run


def test_a_resumed_training_reads_its_own_snapshot_and_the_store_beside_it(run: Run) -> None:
    _train, config, _out, out = TrainTask(Job.objects.get(pk=run.job_id)).command()
    dataset = Path(read_experiment(Path(config).read_bytes(), config).data.dataset)
    assert (dataset, out) == (run.folder / "dataset", str(run.folder))
    assert store_of(dataset, load_manifest(dataset)).root.resolve() == media_store().root


def test_an_evaluation_is_told_where_run_and_dataset_lie_now(run: Run, tmp_path: Path) -> None:
    evaluation = make_evaluation(run)
    Job.objects.filter(pk=evaluation.job_id).update(subject_id=evaluation.pk)
    command = EvaluateTask(Job.objects.get(pk=evaluation.job_id)).command()
    assert command[1:4] == [str(run.folder), "--dataset", str(run.folder / "dataset")]
    assert not [word for word in command if str(tmp_path / "old") in word]
