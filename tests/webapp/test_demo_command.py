"""`manage.py demo` on an installation that has its results already, and on one where something failed."""

import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tests.webapp.factories import make_dataset, make_evaluation, make_fusion, make_job, make_run, make_user
from webapp.datasets.models import Dataset, Import
from webapp.experiments.models import Fusion
from webapp.jobs.models import Job
from webapp.management.commands.demo import NAME, with_predecessors

pytestmark = pytest.mark.django_db
URL = "http://127.0.0.1:1"


@pytest.fixture
def dataset() -> Dataset:
    return make_dataset(make_user("admin", is_superuser=True))


@pytest.fixture
def fusion(dataset: Dataset, settings: Settings, tmp_path: Path) -> Fusion:
    """All that a demo leaves behind; its folder of videos lay elsewhere then."""
    settings.IMPORT_ROOTS = [tmp_path]
    (tmp_path / "shapes_in_motion").mkdir()
    import_ = Import.objects.create(user=dataset.owner, dataset=dataset, folder="/old/import/shapes_in_motion", preview={"layout": "x"})
    ingest = make_job(Job.Kind.INGEST, dataset.owner, dataset)
    Job.objects.filter(pk=ingest.pk).update(subject_id=import_.pk)
    evaluations = [make_evaluation(make_run(dataset, modality)) for modality in ("rgb", "flow")]
    fusion = make_fusion(evaluations)
    Fusion.objects.filter(pk=fusion.pk).update(name=NAME)
    fusion.evaluation.job.after.set(evaluation.job for evaluation in evaluations)
    return fusion


def demo() -> str:
    out = StringIO()
    call_command("demo", url=URL, stdout=out)
    return out.getvalue()


def test_a_second_demo_finds_what_is_there_and_is_ready_at_once(fusion: Fusion) -> None:
    before = Job.objects.count(), Dataset.objects.count(), Import.objects.count()
    told = demo()
    assert told.endswith(f"READY {URL}\n")
    assert len(re.findall(r"top-1 \S+%? ?.*test videos", told)) == 3
    assert (Job.objects.count(), Dataset.objects.count(), Import.objects.count()) == before


def test_jobs_that_are_not_the_demos_do_not_concern_it(fusion: Fusion) -> None:
    make_job(Job.Kind.TRAIN, fusion.owner, fusion.dataset, Job.State.CANCELLED)
    assert "READY" in demo()


def test_a_failure_is_told_with_its_advice_and_the_page_of_the_job(fusion: Fusion) -> None:
    job = fusion.evaluation.job
    card = {"code": "Dependency", "message": "It did not work.", "advice": "Do this."}
    Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED, failure=card)
    with pytest.raises(CommandError, match=re.escape(f"failed. It did not work. Do this. See {URL}/jobs/{job.pk}/")):
        demo()


def test_without_an_admin_it_says_what_to_do() -> None:
    with pytest.raises(CommandError, match="ensure_admin"):
        demo()


def test_the_jobs_before_a_job_come_first_and_once(dataset: Dataset) -> None:
    first, left, right, last = (make_job("train", dataset.owner) for _ in range(4))
    left.after.add(first)
    right.after.add(first)
    last.after.add(left, right)
    assert with_predecessors(last) == [first, left, right, last]
