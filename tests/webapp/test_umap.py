"""Asking for the map by UMAP: who may, what is refused, what stands on the page meanwhile and afterwards."""

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django_htmx.http import HttpResponseClientRefresh

from ml.config.embedding import UmapConfig
from tests.webapp.embedding_files import keep_embeddings, keep_map
from tests.webapp.factories import make_dataset, make_evaluation, make_fusion, make_run, make_user, share
from webapp.datasets.models import Dataset
from webapp.experiments.models import Evaluation
from webapp.experiments.selectors.embeddings import embedding_of, map_job
from webapp.experiments.services.deletion import RunBusy, belongings, delete
from webapp.experiments.services.embeddings import MapBusy, request_map
from webapp.jobs.links import subject_link
from webapp.jobs.models import Job

pytestmark = pytest.mark.django_db
OFFER = "Draw the UMAP map</button>"


@pytest.fixture
def dataset(ada: User) -> Dataset:
    return make_dataset(ada, videos_per_class=16)


@pytest.fixture
def evaluation(dataset: Dataset) -> Evaluation:
    evaluation = make_evaluation(make_run(dataset))
    keep_embeddings(evaluation)
    return evaluation


def page(client: Client, evaluation: Evaluation) -> str:
    return client.get(reverse("experiments:embedding", args=(evaluation.pk,))).content.decode()


def draw(client: Client, evaluation: Evaluation, neighbors: str = "5", seed: str = "3") -> int:
    address = reverse("experiments:umap_draw", args=(evaluation.pk,))
    return client.post(address, {"neighbors": neighbors, "seed": seed}).status_code


def ended(evaluation: Evaluation, state: str, **fields: object) -> Job:
    job = map_job(evaluation)
    assert job is not None
    Job.objects.filter(pk=job.pk).update(state=state, **fields)
    return job


def test_the_form_begins_with_the_usual_values_and_asking_queues_a_job(as_ada: Client, evaluation: Evaluation) -> None:
    text = page(as_ada, evaluation)
    assert OFFER in text and 'value="15"' in text and 'max="200"' in text
    assert draw(as_ada, evaluation) == 302
    job = map_job(evaluation)
    assert job is not None and (job.kind, job.state, job.queue, job.dataset) == ("embed", "queued", "cpu", evaluation.dataset)
    evaluation.refresh_from_db()
    assert UmapConfig.model_validate(evaluation.umap) == UmapConfig(neighbors=5, seed=3)
    address = reverse("experiments:embedding", args=(evaluation.pk,))
    assert subject_link(job) == {"url": address, "words": "Open the map"}


def test_while_it_is_drawn_the_page_asks_again_and_offers_no_second_one(as_ada: Client, ada: User, evaluation: Evaluation) -> None:
    request_map(evaluation, UmapConfig(), ada)
    text, live = page(as_ada, evaluation), reverse("experiments:umap_live", args=(evaluation.pk,))
    assert f'hx-get="{live}" hx-trigger="every 2s"' in text and OFFER not in text
    assert f'hx-get="{live}"' in as_ada.get(live).content.decode()
    with pytest.raises(MapBusy, match="on its way"):
        request_map(evaluation, UmapConfig(seed=1), ada)
    assert draw(as_ada, evaluation) == 302 and "A map of these videos is on its way." in page(as_ada, evaluation)
    assert Job.objects.filter(kind=Job.Kind.EMBED).count() == 1


def test_the_map_comes_into_the_page_with_the_choices_made_meanwhile(as_ada: Client, ada: User, evaluation: Evaluation) -> None:
    request_map(evaluation, UmapConfig(), ada)
    ended(evaluation, Job.State.DONE)
    keep_map(evaluation)
    address = reverse("experiments:embedding", args=(evaluation.pk,))
    asked_from = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{address}?map=pca&classes=2"}
    response = as_ada.get(reverse("experiments:umap_live", args=(evaluation.pk,)), headers=asked_from)
    assert json.loads(response["HX-Location"]) == {
        "path": f"{address}?map=umap&classes=2", "target": "#maps", "select": "#maps", "swap": "outerHTML",
    }  # fmt: skip
    text = page(as_ada, evaluation)
    assert "this one: 15 neighbours, seed 0" in text and OFFER in text and "UMAP keeps neighbours together" in text


def test_a_failure_is_a_card_on_the_page_and_another_try_is_offered(as_ada: Client, ada: User, evaluation: Evaluation) -> None:
    request_map(evaluation, UmapConfig(neighbors=7), ada)
    ended(evaluation, Job.State.FAILED, failure={"code": "OutOfMemory", "message": "No room left", "advice": "", "detail": ""})
    text = page(as_ada, evaluation)
    assert "Memory ran out" in text and "No room left" in text and OFFER in text and 'value="7"' in text


@pytest.mark.parametrize(
    ("given", "said"),
    [({"neighbors": "1"}, "Neighbours: Must be at least 2; you gave 1."), ({"seed": ""}, "Seed: Must be a number; it is empty")],
)
def test_values_out_of_range_are_refused_in_words(as_ada: Client, evaluation: Evaluation, given: dict[str, str], said: str) -> None:
    assert draw(as_ada, evaluation, **given) == 302
    assert said in page(as_ada, evaluation) and map_job(evaluation) is None


def test_viewers_see_no_form_and_neither_they_nor_outsiders_can_ask(dataset: Dataset, evaluation: Evaluation) -> None:
    viewer, outsider = make_user("grace"), make_user("eve")
    share(dataset, viewer)
    for person, sees in ((viewer, 200), (outsider, 404)):
        client = Client()
        client.force_login(person)
        assert draw(client, evaluation) == 404
        assert client.get(reverse("experiments:umap_live", args=(evaluation.pk,))).status_code == sees
        assert OFFER not in page(client, evaluation)
    assert map_job(evaluation) is None


def test_too_few_videos_and_fusions_have_no_form(as_ada: Client, ada: User, dataset: Dataset) -> None:
    few = make_evaluation(make_run(make_dataset(ada, ("only",), videos_per_class=4, name="small")))
    keep_embeddings(few)
    fusion = make_fusion([make_evaluation(make_run(dataset, kind)) for kind in ("rgb", "flow")]).evaluation
    assert all(OFFER not in page(as_ada, one) for one in (few, fusion))
    assert draw(as_ada, fusion) == 404


def test_what_an_earlier_version_said_is_not_read_and_the_page_offers_to_say_it_anew(
    as_ada: Client, ada: User, evaluation: Evaluation
) -> None:
    path = evaluation.folder / "embedding.json"
    said = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in said.items() if key not in ("version", "too_near")}))
    assert embedding_of(evaluation) is None
    text = page(as_ada, evaluation)
    assert "Described by an earlier version" in text and "Describe them and draw the UMAP map</button>" in text
    draw(as_ada, evaluation)
    text, address = page(as_ada, evaluation), reverse("experiments:embedding", args=(evaluation.pk,))
    assert "Results appear here by themselves" in text and "Describe them" not in text
    path.write_text(json.dumps(said))
    assert isinstance(as_ada.get(address, headers={"HX-Request": "true", "HX-Target": "live"}), HttpResponseClientRefresh)


def test_a_run_is_not_deleted_under_the_job_that_draws_its_map_and_takes_it_along_later(ada: User, evaluation: Evaluation) -> None:
    job, run = request_map(evaluation, UmapConfig(), ada), evaluation.run
    assert run is not None
    with pytest.raises(RunBusy):
        delete(belongings([run]))
    ended(evaluation, Job.State.DONE)
    delete(belongings([run]))
    assert not Job.objects.filter(pk=job.pk).exists()
