"""What waits says for what, on every page that shows it."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ml.config.evaluation import FusionConfig
from ml.config.presets import PRESETS
from tests.webapp.factories import make_job
from webapp.datasets.models import Dataset
from webapp.experiments.models import Fusion, Run
from webapp.experiments.services.fusions import launch_two_stream
from webapp.jobs import services
from webapp.jobs.models import Job
from webapp.jobs.waiting import ahead, state_words

pytestmark = pytest.mark.django_db
State = Job.State
SPATIAL, TEMPORAL = PRESETS["cpu_spatial"].config, PRESETS["cpu_temporal"].config


@pytest.fixture
def fusion(ada: User, dataset: Dataset) -> Fusion:
    """Just launched: spatial queued, temporal behind its flow, tests behind both, and the fusion behind the tests."""
    return launch_two_stream(ada, dataset, dataset.splits.get(), SPATIAL, TEMPORAL, FusionConfig(), "a pair")


def runs_of(fusion: Fusion) -> list[Run]:
    return [member.evaluation.run for member in fusion.memberships.all() if member.evaluation.run]


def become(job: Job, state: State, **fields: Any) -> None:
    Job.objects.filter(pk=job.pk).update(state=state, **fields)


def fresh(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def test_a_fusion_waits_for_what_moves_first(fusion: Fusion) -> None:
    spatial, temporal = runs_of(fusion)
    flow = Job.objects.get(kind=Job.Kind.FLOW)
    assert ahead(fusion.evaluation.job) == sorted([spatial.job, flow], key=lambda job: job.pk)
    assert ahead(fresh(temporal.job)) == [flow] and state_words(fresh(temporal.job)) == "Waiting for optical flow"
    assert state_words(fusion.evaluation.job) == "Waiting for another job"
    become(flow, State.DONE)
    services.release_waiting()
    assert state_words(fresh(fusion.evaluation.job)) == "Waiting for training"
    assert ahead(fresh(spatial.job)) == [] and state_words(fresh(spatial.job)) == "Queued"


def test_the_page_of_a_fusion_shows_how_far_its_streams_are(as_ada: Client, fusion: Fusion) -> None:
    spatial = runs_of(fusion)[0].job
    become(spatial, State.RUNNING, progress_done=26, progress_total=40, progress_unit="steps")
    page = as_ada.get(f"/experiments/fusions/{fusion.pk}/").content.decode()
    assert "26 / 40 steps" in page and f'<a href="/jobs/{spatial.pk}/">a pair: spatial</a>' in page
    assert page.count("<progress") == 1 and "Results appear here by themselves" in page


def test_what_waits_for_a_training_that_was_stopped_says_so(as_ada: Client, fusion: Fusion) -> None:
    spatial = runs_of(fusion)[0]
    become(spatial.job, State.STOPPED)
    assert "Waiting for “Resume”" in as_ada.get(f"/experiments/{spatial.pk}/").content.decode()
    for address in (f"/experiments/fusions/{fusion.pk}/", f"/experiments/evaluations/{spatial.evaluations.get().pk}/"):
        assert "Results appear here after “Resume”" in as_ada.get(address).content.decode()


def test_what_waits_for_a_training_that_is_being_cancelled_is_cancelled_at_once(as_ada: Client, fusion: Fusion) -> None:
    spatial = runs_of(fusion)[0]
    become(spatial.job, State.RUNNING)
    as_ada.post(f"/jobs/{spatial.job_id}/cancel")
    page = as_ada.get(f"/experiments/{spatial.pk}/").content.decode()
    assert ">Cancelling</span>" in page and ">Cancelled</span>" in page and "Waiting" not in page
    assert fresh(fusion.evaluation.job).state == State.CANCELLED


def test_a_job_does_not_wait_for_its_own_parts(ada: User) -> None:
    job = services.open_job(Job.Kind.FLOW, "flow", ada)
    services.submit_in_parts(job, 1, 2, 10, "videos")
    assert ahead(fresh(job)) == [] and len(fresh(job).after.all()) == 2


def test_a_training_that_saves_its_checkpoint_is_stopping(ada: User) -> None:
    assert str(state_words(make_job("train", ada, state=State.RUNNING, stop_requested=True))) == "Stopping"


@pytest.mark.parametrize("address", ["/jobs/", "/experiments/", "/experiments/fusions/"])
def test_lists_ask_for_it_once_whatever_their_length(
    as_ada: Client, ada: User, dataset: Dataset, address: str, django_assert_max_num_queries: Any
) -> None:
    for number in range(3):
        launch_two_stream(ada, dataset, dataset.splits.get(), SPATIAL, TEMPORAL, FusionConfig(), f"pair {number}")
    with django_assert_max_num_queries(14):
        assert "Waiting for" in as_ada.get(address).content.decode()
