"""Two datasets become one through a real ml process."""

import pytest
from django.contrib.auth.models import User
from django.test import TestCase

from ml.config.combining import ClassMap
from tests.webapp.factories import make_dataset, make_user
from tests.worker.test_tasks import no_messages
from webapp.datasets.models import Dataset, SplitEntry, Video
from webapp.datasets.services.combine import combine_datasets
from webapp.datasets.services.deletion import delete_dataset
from webapp.jobs import services
from webapp.jobs.models import Job
from webapp.jobs.selectors import job_folder
from worker.run import run_job

__all__ = ["no_messages"]
pytestmark = pytest.mark.django_db
CLASSES = ClassMap(classes={"Archery": "Archery", "Jumping": "jump", "跳舞": ""})


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def first(user: User) -> Dataset:
    return make_dataset(user)


@pytest.fixture
def second(user: User) -> Dataset:
    return make_dataset(user, tuple(CLASSES.classes), name="sports")


def worked_on(dataset: Dataset) -> Job:
    job = Job.objects.get(kind=Job.Kind.COMBINE, subject_id=dataset.pk)
    with TestCase.captureOnCommitCallbacks(execute=True):
        run_job.apply(args=(job.pk,), throw=True)
    job.refresh_from_db()
    return job


def test_a_combined_dataset_has_the_rows_of_both_and_tests_what_the_first_one_tests(user: User, first: Dataset, second: Dataset) -> None:
    Video.objects.filter(dataset=first, key="v00000").update(status=Video.Status.REFUSED)
    made = combine_datasets(user, first, second, CLASSES, "both")
    job = worked_on(made)

    assert (job.state, job.failure) == (Job.State.DONE, {})
    assert list(made.labels.values_list("name", flat=True)) == ["clap", "jump", "wave", "Archery"]
    assert made.videos.count() == 11 + 8
    assert made.videos.filter(label__name="jump").count() == 8
    tested = SplitEntry.objects.filter(split__dataset=made, subset="test").values_list("video__media", flat=True)
    assert set(tested) == set(SplitEntry.objects.filter(split__dataset=first, subset="test").values_list("video__media", flat=True))
    made.refresh_from_db()
    leaks = [one for one in made.findings if one["kind"] == "leak"]
    assert made.layout == "combined" and leaks
    assert {key for leak in leaks for key in leak["videos"]} <= set(first.videos.values_list("key", flat=True))
    assert not (job_folder(job.pk) / "manifests").exists()


def test_media_stay_while_the_combined_dataset_needs_them(user: User, first: Dataset, second: Dataset) -> None:
    made = combine_datasets(user, first, second, CLASSES, "both")
    worked_on(made)

    delete_dataset(second)

    made.refresh_from_db()
    assert made.videos.count() == 12 + 8 and made.combination["second"]["name"] == "sports"


def test_a_source_that_was_deleted_meanwhile_is_a_failure_that_says_so(user: User, first: Dataset, second: Dataset) -> None:
    made = combine_datasets(user, first, second, CLASSES, "both")
    delete_dataset(second)

    job = worked_on(made)

    assert job.state == Job.State.FAILED and job.failure["message"] == "Dataset “sports” was deleted"
    assert not made.videos.exists()


def test_a_class_that_came_meanwhile_is_a_failure_and_not_a_guess(user: User, first: Dataset, second: Dataset) -> None:
    made = combine_datasets(user, first, second, CLASSES, "both")
    second.labels.create(index=3, name="Bowling")

    job = worked_on(made)

    assert job.state == Job.State.FAILED and "says nothing of Bowling" in job.failure["message"]
    with pytest.raises(services.JobMoved):
        services.cancel(job)
