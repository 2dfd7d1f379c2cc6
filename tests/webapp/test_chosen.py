"""What is done to the ticked rows of a table: compared, archived, deleted after a look at what goes with them."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.webapp.factories import make_evaluation, make_fusion, make_prediction, make_run, make_user, share
from webapp.datasets.models import Dataset
from webapp.experiments.models import Evaluation, Fusion, Run, Study
from webapp.jobs.models import Job
from webapp.predictions.models import Prediction

pytestmark = pytest.mark.django_db
CHOSEN, DELETE = "/experiments/chosen", "/experiments/delete"


@pytest.fixture
def runs(dataset: Dataset) -> list[Run]:
    return [make_run(dataset, "rgb", name="spatial"), make_run(dataset, "flow", name="temporal")]


@pytest.fixture
def fusion(runs: list[Run]) -> Fusion:
    return make_fusion([make_evaluation(run) for run in runs])


def ids(rows: list[Run]) -> list[int]:
    return [row.pk for row in rows]


def test_ticked_runs_are_compared_at_an_address_that_can_be_kept(as_ada: Client, runs: list[Run]) -> None:
    answer = as_ada.post(CHOSEN, {"runs": ids(runs), "action": "compare"})
    assert answer.headers["Location"] == f"/experiments/compare?runs={runs[0].pk},{runs[1].pk}"


def test_ticked_fusions_are_compared_too(as_ada: Client, fusion: Fusion) -> None:
    other = make_fusion([member.evaluation for member in fusion.memberships.all()])
    answer = as_ada.post(CHOSEN, {"fusions": [other.pk, fusion.pk], "action": "compare-fusions"})
    assert answer.headers["Location"] == f"/experiments/compare?fusions={other.pk},{fusion.pk}"


def test_nothing_ticked_leads_back_with_a_word(as_ada: Client) -> None:
    fusions = "/experiments/fusions/"
    for action, back in (("compare", "/experiments/"), ("compare-fusions", fusions), ("delete-fusions", fusions)):
        answer = as_ada.post(CHOSEN, {"action": action}, follow=True)
        assert answer.redirect_chain[-1][0] == back
        assert "Nothing is ticked" in answer.content.decode()


def test_the_archive_takes_all_and_gives_all_back(as_ada: Client, runs: list[Run]) -> None:
    Run.objects.filter(pk=runs[0].pk).update(is_archived=True)
    for expected in (True, False):
        as_ada.post(CHOSEN, {"runs": ids(runs), "action": "archive"})
        assert set(Run.objects.values_list("is_archived", flat=True)) == {expected}


def test_who_may_only_look_is_offered_to_compare_and_told_of_the_rest(
    client: Client, dataset: Dataset, runs: list[Run], fusion: Fusion
) -> None:
    viewer = make_user("vera")
    share(dataset, viewer)
    client.force_login(viewer)
    for page in ("/experiments/", "/experiments/fusions/"):
        text = client.get(page).content.decode()
        assert 'value="compare' in text and 'value="archive"' not in text and 'value="delete' not in text
    for data in ({"runs": ids(runs), "action": "archive"}, {"fusions": [fusion.pk], "action": "delete-fusions"}):
        assert "You may only look at “" in client.post(CHOSEN, data, follow=True).content.decode()
    assert not Run.objects.filter(is_archived=True).exists()


def test_before_a_deletion_stands_what_goes_along(as_ada: Client, dataset: Dataset, runs: list[Run], fusion: Fusion) -> None:
    make_prediction(dataset.owner, runs[0])
    answer = as_ada.post(CHOSEN, {"runs": ids(runs[:1]), "action": "delete"}, follow=True)
    page = answer.content.decode()
    assert "Delete “spatial”?" in page and "fused" in page
    mine = answer.context["mine"]
    assert (len(mine.runs), len(mine.fusions), len(mine.evaluations), len(mine.predictions)) == (1, 1, 2, 1)
    assert Run.objects.count() == 2  # a look deletes nothing


def test_a_deletion_names_the_studies_that_would_launch_it_again(as_ada: Client, ada: User, dataset: Dataset, runs: list[Run]) -> None:
    study = Study.objects.create(name="Epoch study", owner=ada, dataset=dataset, config={})
    study.runs.set(runs)
    assert "Epoch study" in as_ada.get(f"{DELETE}?runs={runs[0].pk}").content.decode()
    assert "Epoch study" in as_ada.get(f"/datasets/{dataset.pk}/delete").content.decode()


def test_a_deletion_takes_the_fusion_and_leaves_the_other_run(as_ada: Client, runs: list[Run], fusion: Fusion) -> None:
    as_ada.post(f"{DELETE}?runs={runs[0].pk}")
    assert (list(Run.objects.all()), Fusion.objects.exists(), Evaluation.objects.count()) == ([runs[1]], False, 1)


def test_a_fusion_goes_alone_with_its_predictions(as_ada: Client, dataset: Dataset, runs: list[Run], fusion: Fusion) -> None:
    make_prediction(dataset.owner, fusion)
    answer = as_ada.post(f"{DELETE}?fusions={fusion.pk}")
    assert answer.headers["Location"] == "/experiments/fusions/"
    assert not Fusion.objects.exists() and not Prediction.objects.exists()
    assert (Run.objects.count(), Evaluation.objects.count()) == (2, 2)


def test_one_run_at_work_keeps_all_of_them(as_ada: Client, dataset: Dataset, runs: list[Run]) -> None:
    busy = make_run(dataset, state=Job.State.RUNNING)
    page = as_ada.post(f"{DELETE}?runs={runs[0].pk},{busy.pk}", follow=True).content.decode()
    assert "is not over yet" in page
    assert Run.objects.count() == 3


@pytest.mark.parametrize("state", [Job.State.STOPPED, Job.State.WAITING])
def test_a_run_that_is_not_at_work_goes_with_the_test_that_waits_for_it(as_ada: Client, dataset: Dataset, state: str) -> None:
    run = make_run(dataset, state=state)
    make_evaluation(run, state=Job.State.WAITING)
    assert f"{DELETE}?runs={run.pk}" in as_ada.get(f"/experiments/{run.pk}/").content.decode()
    as_ada.post(f"{DELETE}?runs={run.pk}")
    assert not Run.objects.exists() and not Evaluation.objects.exists() and not Job.objects.exists()


def test_a_run_that_is_being_tested_says_why_it_can_not_be_deleted(as_ada: Client, dataset: Dataset) -> None:
    run = make_run(dataset)
    make_evaluation(run, state=Job.State.RUNNING)
    page = as_ada.get(f"/experiments/{run.pk}/").content.decode()
    assert "It can be deleted once “Evaluate: evaluate job” is over." in page and f"{DELETE}?runs=" not in page


@pytest.mark.parametrize("is_member", [True, False])
def test_only_who_may_change_the_dataset_deletes_or_archives(client: Client, dataset: Dataset, fusion: Fusion, is_member: bool) -> None:
    someone = make_user("vic")
    if is_member:
        share(dataset, someone)
    client.force_login(someone)
    run = Run.objects.all()[0]
    assert client.post(CHOSEN, {"runs": [run.pk], "action": "archive"}).status_code == (302 if is_member else 404)
    for query in (f"runs={run.pk}", f"fusions={fusion.pk}", "runs=999", "runs=x", ""):
        assert client.get(f"{DELETE}?{query}").status_code == client.post(f"{DELETE}?{query}").status_code == 404
    assert Run.objects.filter(is_archived=False).count() == 2 and Fusion.objects.exists()


def test_the_list_of_fusions_shows_streams_method_and_protocol(as_ada: Client, fusion: Fusion) -> None:
    page = as_ada.get("/experiments/fusions/").content.decode()
    for words in ("fused", "spatial", "temporal", "Average", "100\u00a0%", "5 frames × 1 crop"):
        assert words in page


def test_the_protocol_of_a_fusion_has_its_rule_in_the_list_and_on_the_home_page(as_ada: Client, fusion: Fusion) -> None:
    said = "2 streams fused: average of scores before softmax; 5 frames × 1 crop, class probabilities averaged"
    fusion.evaluation.metrics["protocol"]["description"] = said
    fusion.evaluation.save(update_fields=["metrics"])
    for address in ("/experiments/fusions/", "/"):
        assert said in as_ada.get(address).content.decode()


def test_an_outsider_sees_no_fusion_and_the_empty_list_says_what_to_do(client: Client, fusion: Fusion) -> None:
    client.force_login(make_user("eve"))
    page = client.get("/experiments/fusions/").content.decode()
    assert "No fusions yet" in page and "/experiments/new/" in page


def test_the_list_of_fusions_takes_a_fixed_number_of_queries(
    as_ada: Client, runs: list[Run], fusion: Fusion, django_assert_max_num_queries: object
) -> None:
    for _ in range(6):
        make_fusion([make_evaluation(run) for run in runs])
    with django_assert_max_num_queries(10):  # type: ignore[operator]
        assert as_ada.get("/experiments/fusions/").content.decode().count("temporal") == 7
