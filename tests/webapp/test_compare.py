"""Runs side by side."""

from fractions import Fraction
from itertools import groupby, product
from math import comb

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ml.config.data import FlowInput
from ml.config.experiment import ExperimentConfig
from ml.config.flow import DIS, Farneback, FlowSpec
from tests.webapp.factories import make_dataset, make_evaluation, make_fusion, make_run, make_user, share
from webapp.datasets.models import Dataset, Split
from webapp.experiments.config_rows import differences
from webapp.experiments.mcnemar import mcnemar_exact
from webapp.experiments.models import Evaluation, Run, RunPoint
from webapp.experiments.selectors.compare import Change, change
from webapp.jobs.models import Job

COMPARE = "experiments:compare"


@pytest.mark.parametrize(
    ("b", "c", "p"),
    [(0, 0, 1.0), (1, 0, 1.0), (5, 0, 0.0625), (0, 10, 2 / 1024), (10, 2, 158 / 4096), (7, 7, 1.0), (15, 5, 0.04138946533203125)],
)
def test_mcnemar_has_the_values_of_the_binomial_table(b: int, c: int, p: float) -> None:
    assert mcnemar_exact(b, c) == pytest.approx(p, rel=1e-12)


def test_mcnemar_is_the_tail_of_all_coin_tosses() -> None:
    for b, c in product(range(7), repeat=2):
        n = b + c
        as_uneven = sum(abs(2 * sum(tosses) - n) >= abs(b - c) for tosses in product((0, 1), repeat=n))
        assert mcnemar_exact(b, c) == pytest.approx(as_uneven / 2**n)


def test_mcnemar_is_exact_for_thousands_of_videos_and_never_above_one() -> None:
    tail = sum(comb(5000, i) for i in range(2401))
    assert mcnemar_exact(2600, 2400) == float(Fraction(2 * tail, 2**5000))
    assert mcnemar_exact(6000, 0) == 0.0
    assert mcnemar_exact(3000, 3000) == 1.0


def test_only_knobs_that_differ_are_listed_and_a_missing_one_is_none() -> None:
    config = ExperimentConfig()
    other = config.replace(data=config.data.replace(input=FlowInput(stack_len=7), crop_size=96))
    found = {str(one.row.title): one.values for one in differences([config, other])}
    assert found["Crop"] == (224, 96)
    assert found["Stack length L"] == (None, 7)
    assert found["Modality"] == ("RGB frames", "Optical flow")
    assert "Epochs" not in found
    assert differences([config, config]) == []


def test_what_reads_the_same_is_no_difference_and_each_section_stands_in_one_piece() -> None:
    rgb = ExperimentConfig()
    dis, farneback = (
        rgb.replace(data=rgb.data.replace(input=FlowInput(flow=FlowSpec(method=method), stack_len=length)))
        for method, length in ((DIS(), 5), (Farneback(), 10))
    )
    found = differences([rgb, dis, farneback])
    assert "Bi-directional" not in {str(one.row.title) for one in found}, "off, and not there at all, are both a dash"
    sections = [one.row.section for one in found]
    assert [section for section, _rows in groupby(sections)] == list(dict.fromkeys(sections))


@pytest.fixture
def user(db: None) -> User:
    return make_user()


@pytest.fixture
def dataset(user: User) -> Dataset:
    return make_dataset(user, videos_per_class=8)


@pytest.fixture
def pair(dataset: Dataset) -> tuple[Evaluation, Evaluation]:
    """4 test videos a class. The second gains two of class 0 and loses one of class 2."""
    before = make_evaluation(make_run(dataset, "rgb"), lambda label, position: label + (label == 0 and position < 2))
    after = make_evaluation(make_run(dataset, "flow"), lambda label, position: label + (label == 2 and position == 0))
    return before, after


@pytest.fixture
def client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def runs(*evaluations: Evaluation) -> dict[str, str]:
    return {"runs": ",".join(str(evaluation.run_id) for evaluation in evaluations)}


def test_changed_videos_are_counted_on_what_both_scored(pair: tuple[Evaluation, Evaluation]) -> None:
    before, after = pair
    assert change(before, after) == Change(videos=12, gained=2, lost=1)
    assert change(after, before) == Change(videos=12, gained=1, lost=2)
    before.video_scores.filter(label_index=0).delete()
    assert change(before, after) == Change(videos=8, gained=0, lost=1)
    assert change(before, after).p_value == 1.0


def test_the_page_leads_to_just_the_videos_that_changed(client: Client, pair: tuple[Evaluation, Evaluation]) -> None:
    response = client.get(reverse(COMPARE), runs(*pair))
    (shown,) = response.context["groups"][0].pairs
    assert client.get(shown["gained_url"]).context["page"].paginator.count == 2
    assert client.get(shown["lost_url"]).context["page"].paginator.count == 1
    assert shown["figure"]["data"][0]["x"] == [0.5, 0.0, -0.25]
    text = response.content.decode()
    assert "Stack length L" in text
    assert "Learning rate" not in text
    assert text.count("5 frames × 1 crop") >= 2


def test_a_fusion_stands_beside_its_streams(client: Client, pair: tuple[Evaluation, Evaluation]) -> None:
    fusion = make_fusion(pair)
    link = f"/experiments/compare?runs={pair[0].run_id},{pair[1].run_id}&amp;fusions={fusion.pk}"
    assert link in client.get(f"/experiments/fusions/{fusion.pk}/").content.decode()
    response = client.get(reverse(COMPARE), {**runs(*pair), "fusions": str(fusion.pk)})
    text = response.content.decode()
    assert [column.source for column, _color in response.context["groups"][0].columns] == [pair[0].run, pair[1].run, fusion]
    assert f'<a href="/experiments/fusions/{fusion.pk}/">fused</a> <span class="chip">fusion</span>' in text
    assert [shown["after"].source for shown in response.context["groups"][0].pairs] == [pair[1].run, fusion]


def test_another_state_of_the_dataset_is_told_also_of_the_streams_of_a_fusion(client: Client, pair: tuple[Evaluation, Evaluation]) -> None:
    first, second = (Run.objects.get(evaluations=evaluation) for evaluation in pair)
    fusion, third = make_fusion(pair), make_run(first.dataset, "rgb")
    for run, snapshot in ((first, "a"), (second, "b"), (third, "a")):
        Run.objects.filter(pk=run.pk).update(facts={"snapshot": snapshot})
    told = [
        "The dataset changed between these runs" in client.get(f"{reverse(COMPARE)}?{which}").content.decode()
        for which in (f"runs={first.pk},{third.pk}", f"runs={first.pk},{second.pk}", f"runs={third.pk}&fusions={fusion.pk}")
    ]
    assert told == [False, True, True]


def test_two_fusions_have_no_curves_and_no_configs(client: Client, pair: tuple[Evaluation, Evaluation]) -> None:
    fusions = [make_fusion(pair), make_fusion(pair[::-1], lambda label, position: 0)]
    text = client.get(reverse(COMPARE), {"fusions": f"{fusions[0].pk},{fusions[1].pk}"}).content.decode()
    assert "fused against fused" in text and "Curves" not in text and "What differs" not in text
    assert client.get(reverse(COMPARE), {**runs(pair[0]), "fusions": "999"}).status_code == 404


def test_the_curves_of_the_runs_lie_over_each_other_and_follow_an_open_one(client: Client, pair: tuple[Evaluation, Evaluation]) -> None:
    first, second = (Run.objects.get(evaluations=evaluation) for evaluation in pair)
    for run in (first, second):
        for epoch in (1, 2):
            accuracies = {"loss": 1.0 / epoch, "top1": 0.4 * epoch}
            RunPoint.objects.create(run=run, step=10 * epoch, epoch=epoch, is_epoch_end=True, train=accuracies, validation=accuracies)
    RunPoint.objects.create(run=first, step=5, epoch=1, train={"cross_entropy": 2.0})
    response = client.get(reverse(COMPARE), runs(*pair))
    traces = response.context["groups"][0].curves_figure["data"]
    assert [(trace["name"], trace["x"]) for trace in traces if trace["showlegend"]] == [("rgb run", [1, 2]), ("flow run", [1, 2])]
    assert len({trace["line"]["color"] for trace in traces}) == 2
    assert b"hx-trigger" not in response.content
    Job.objects.filter(pk=pair[1].run.job_id).update(state=Job.State.RUNNING)  # type: ignore[union-attr]
    assert b'hx-trigger="every 10s"' in client.get(reverse(COMPARE), runs(*pair)).content


def test_other_protocols_splits_and_missing_tests_are_warned_of(
    client: Client, dataset: Dataset, pair: tuple[Evaluation, Evaluation]
) -> None:
    before, after = pair
    assert client.get(reverse(COMPARE), runs(*pair)).context["warnings"] == []
    after.metrics["protocol"]["short"] = "25x10"
    after.save()
    untested = make_run(dataset, name="fresh")
    other_split = make_run(dataset, name="elsewhere")
    other_split.split = Split.objects.create(dataset=dataset, name="2", origin="generated")
    other_split.save()
    response = client.get(reverse(COMPARE), {"runs": f"{before.run_id},{after.run_id},{untested.pk},{other_split.pk}"})
    assert [word for word, text in zip(("splits", "25x10", "fresh"), response.context["warnings"], strict=True) if word in text] == [
        "splits", "25x10", "fresh",
    ]  # fmt: skip


def test_runs_on_different_splits_are_not_paired(client: Client, dataset: Dataset, pair: tuple[Evaluation, Evaluation]) -> None:
    run = pair[1].run
    assert run is not None
    run.split = Split.objects.create(dataset=dataset, name="2", origin="generated")
    run.save()
    assert client.get(reverse(COMPARE), runs(*pair)).context["groups"][0].pairs == []


@pytest.mark.parametrize("query", ["", "runs=", "runs=x", "runs=%C2%B2,1e3"])
def test_without_two_runs_the_page_says_where_to_choose(client: Client, query: str) -> None:
    answer = client.get(f"{reverse(COMPARE)}?{query}")
    assert answer.status_code == 200
    assert b"Choose two runs or fusions" in answer.content


def test_what_was_trained_on_two_datasets_stands_apart(client: Client, user: User, pair: tuple[Evaluation, Evaluation]) -> None:
    postures = make_dataset(user, ("run", "sit"), name="postures")
    elsewhere = [make_evaluation(make_run(postures, name=name)) for name in ("first there", "second there")]
    for run in Run.objects.all():
        point = {"loss": 1.0, "top1": 0.5}
        RunPoint.objects.create(run=run, step=10, epoch=1, is_epoch_end=True, train=point, validation=point)
    response = client.get(reverse(COMPARE), runs(pair[0], elsewhere[0], pair[1], elsewhere[1]))
    first, second = response.context["groups"]
    assert [group.dataset for group in (first, second)] == [pair[0].dataset, postures]
    assert [{trace["name"] for trace in group.curves_figure["data"]} for group in (first, second)] == [
        {"rgb run", "flow run"}, {"first there", "second there"},
    ]  # fmt: skip
    assert [(p["before"].source.name, p["after"].source.name) for p in second.pairs] == [("first there", "second there")]
    colors = [color for group in (first, second) for _column, color in group.columns]
    assert len(set(colors)) == 4
    text = response.content.decode()
    assert "Numbers · postures" in text and "Curves · postures" in text and "their numbers do not compare" in text


def test_a_run_that_is_not_visible_makes_the_page_not_exist(pair: tuple[Evaluation, Evaluation], dataset: Dataset) -> None:
    outsider, viewer, client = make_user("eve"), make_user("grace"), Client()
    share(dataset, viewer)
    assert client.get(reverse(COMPARE), runs(*pair)).status_code == 302
    for person, status in ((outsider, 404), (viewer, 200)):
        client.force_login(person)
        assert client.get(reverse(COMPARE), runs(*pair)).status_code == status


def test_the_newest_finished_test_counts(client: Client, pair: tuple[Evaluation, Evaluation]) -> None:
    run = pair[0].run
    assert run is not None
    newest = make_evaluation(run)
    make_evaluation(run, subset="train")
    make_evaluation(run, state=Job.State.RUNNING)
    assert client.get(reverse(COMPARE), runs(*pair)).context["groups"][0].columns[0][0].evaluation == newest
