"""Results of an evaluation: numbers, charts, the videos behind them, and who sees them."""

import csv
import io
import json
import re
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tests.webapp.factories import make_dataset, make_evaluation, make_job, make_run, make_user, metrics_of, right, score_videos, share
from webapp.datasets.models import Dataset
from webapp.experiments.models import Evaluation
from webapp.experiments.results import Results, top_confusions, worst_classes
from webapp.experiments.selectors.results import scored_videos, worst_mistakes
from webapp.jobs.models import Job

pytestmark = pytest.mark.django_db
PAGES = ("evaluation_detail", "evaluation_videos", "evaluation_csv", "evaluation_videos_csv", "evaluation_confusion_csv")


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def dataset(user: User) -> Dataset:
    return make_dataset(user, videos_per_class=4)


@pytest.fixture
def evaluation(dataset: Dataset) -> Evaluation:
    """Two test videos a class; the second `clap` is taken for `jump`."""
    return make_evaluation(make_run(dataset), lambda label, position: 1 if (label, position) == (0, 1) else label)


@pytest.fixture
def client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, name: str, evaluation: Evaluation, **query: Any) -> Any:
    return client.get(reverse(f"experiments:{name}", args=(evaluation.pk,)), query)


def figure(response: Any, name: str) -> dict[str, Any]:
    found = re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', response.content.decode(), re.DOTALL)
    assert found is not None
    answer: dict[str, Any] = json.loads(found[1])
    return answer


@pytest.mark.parametrize("name", PAGES)
def test_outsiders_get_404_the_anonymous_the_login_and_members_the_page(name: str, evaluation: Evaluation, dataset: Dataset) -> None:
    outsider, viewer = make_user("eve"), make_user("grace")
    share(dataset, viewer)
    for person, status in ((None, 302), (outsider, 404), (viewer, 200)):
        client = Client()
        if person is not None:
            client.force_login(person)
        assert page(client, name, evaluation).status_code == status


def test_every_number_stands_beside_its_protocol(client: Client, evaluation: Evaluation) -> None:
    text = page(client, "evaluation_detail", evaluation).content.decode()
    stats = re.findall(r'<div class="stat".*?</div>', text, re.DOTALL)
    assert len(stats) == 4 and "Top-5" not in "".join(stats), "of three classes the five best always have the true one"
    assert all("5 frames × 1 crop" in stat for stat in stats)
    assert "83\u00a0%" in stats[0] and "5 of 6" in stats[0]
    assert "5 frames × 1 crop, class probabilities averaged" in text


def test_the_charts_hold_the_rows(client: Client, evaluation: Evaluation) -> None:
    response = page(client, "evaluation_detail", evaluation)
    bars = figure(response, "recall-figure")["data"][0]
    assert dict(zip(bars["y"], bars["x"], strict=True)) == {"jump (2)": 1.0, "wave (2)": 1.0, "clap (2)": 0.5}
    assert bars["customdata"][2]["href"] == reverse("experiments:evaluation_videos", args=(evaluation.pk,)) + "?true=0"
    assert figure(response, "confusion-figure")["data"][0]["z"] == [[0.5, 0.5, 0], [0, 1.0, 0], [0, 0, 1.0]]


def test_the_address_chooses_how_charts_are_drawn_and_nonsense_in_it_is_ignored(client: Client, evaluation: Evaluation) -> None:
    chosen = page(client, "evaluation_detail", evaluation, order="name", cells="counts", diagonal="hide")
    assert figure(chosen, "recall-figure")["data"][0]["y"][0] == "clap (2)"
    assert figure(chosen, "confusion-figure")["data"][0]["z"][0] == [None, 1, 0]
    nonsense = page(client, "evaluation_detail", evaluation, order="password", cells="'", classes="-1")
    assert figure(nonsense, "recall-figure")["data"][0]["y"][-1] == "clap (2)"


def test_top_confusions_and_worst_mistakes_name_both_classes(client: Client, evaluation: Evaluation) -> None:
    results = Results.of(evaluation.metrics)
    assert [(pair.label.name, pair.predicted.name, pair.count, pair.share) for pair in top_confusions(results)] == [
        ("clap", "jump", 1, 0.5)
    ]
    assert [score.label_index for score in worst_mistakes(evaluation)] == [0]
    assert {row.name for row in worst_classes(results.classes, 1)} == {"clap"}
    assert "truth: clap" in page(client, "evaluation_detail", evaluation).content.decode()


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 6),
        ({"true": 0}, 2),
        ({"true": 0, "predicted": 1}, 1),
        ({"predicted": 1}, 3),
        ({"outcome": "wrong"}, 1),
        ({"true": 0, "outcome": "right"}, 1),
        ({"true": 2, "predicted": 0}, 0),
        ({"true": "99", "outcome": "maybe", "page": "x"}, 6),
    ],
)
def test_videos_are_filtered_by_class_guess_and_outcome(client: Client, evaluation: Evaluation, query: dict[str, Any], count: int) -> None:
    response = page(client, "evaluation_videos", evaluation, **query)
    assert response.context["page"].paginator.count == count
    assert response.content.decode().count('class="thumb"') == count


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"true": "99"}, "There is no class 99 here: the videos of all classes are shown."),
        ({"predicted": "clap"}, "There is no class clap here"),
        ({"outcome": "maybe"}, "There is no outcome “maybe”: right and wrong videos are shown."),
        ({"right": "x"}, "they are left out"),
    ],
)
def test_what_the_address_asks_for_in_vain_is_said(client: Client, evaluation: Evaluation, query: dict[str, str], said: str) -> None:
    assert said in page(client, "evaluation_videos", evaluation, **query).content.decode()


def test_videos_are_filtered_by_what_another_evaluation_says(client: Client, dataset: Dataset, evaluation: Evaluation) -> None:
    other = make_evaluation(make_run(dataset, "flow"))
    videos = page(client, "evaluation_videos", evaluation, right=str(other.pk), outcome="wrong").context["videos"]
    assert [video.true for video in videos] == ["clap"]
    assert list(scored_videos(evaluation, wrong=[other.pk])) == []


def test_another_evaluation_in_the_address_must_be_one_the_user_may_see(client: Client, evaluation: Evaluation) -> None:
    foreign = make_evaluation(make_run(make_dataset(make_user("eve"), name="secret")))
    assert page(client, "evaluation_videos", evaluation, right=str(foreign.pk)).status_code == 404


def test_a_class_without_test_videos_is_a_dash_not_a_zero(client: Client, dataset: Dataset) -> None:
    evaluation = make_evaluation(make_run(dataset))
    evaluation.video_scores.filter(label_index=2).delete()
    scores = list(evaluation.video_scores.all())
    names = [row.name for row in Results.of(evaluation.metrics).classes]
    evaluation.metrics = metrics_of(scores, names, evaluation.protocol_config, "test", "1")
    evaluation.save()
    response = page(client, "evaluation_detail", evaluation)
    assert figure(response, "recall-figure")["data"][0]["x"] == [1.0, 1.0, None]
    assert '<td class="numeric">–</td>' in response.content.decode()


def test_until_the_job_is_done_the_page_shows_progress_and_asks_again(client: Client, dataset: Dataset) -> None:
    evaluation = make_evaluation(make_run(dataset), state=Job.State.RUNNING)
    Job.objects.filter(pk=evaluation.job_id).update(progress_done=3, progress_total=6, progress_unit="videos")
    text = page(client, "evaluation_detail", evaluation).content.decode()
    assert 'hx-trigger="every 2s"' in text
    assert "3 / 6" in text
    assert page(client, "evaluation_videos", evaluation).status_code == 302
    assert page(client, "evaluation_csv", evaluation).status_code == 404


def test_a_failed_evaluation_says_why_and_asks_no_more(client: Client, dataset: Dataset) -> None:
    evaluation = make_evaluation(make_run(dataset), state=Job.State.FAILED)
    failure = {"code": "x", "message": "The disk is full", "advice": "Delete something.", "detail": ""}
    Job.objects.filter(pk=evaluation.job_id).update(failure=failure)
    text = page(client, "evaluation_detail", evaluation).content.decode()
    assert "The disk is full" in text
    assert "Delete something." in text
    assert "hx-trigger" not in text


def test_class_names_are_text_on_the_page_and_no_formula_in_the_table(client: Client, user: User) -> None:
    dataset = make_dataset(user, ("<b>x</b>", "=1+1", "挥手"))
    evaluation = make_evaluation(make_run(dataset), lambda label, position: label + position)
    text = page(client, "evaluation_detail", evaluation).content.decode()
    assert "<b>x</b>" not in text
    assert "&lt;b&gt;x&lt;/b&gt;" in text
    rows = list(csv.reader(io.StringIO(page(client, "evaluation_csv", evaluation).content.decode("utf-8-sig"))))
    assert rows[0][:3] == ["class", "support", "correct"]
    assert [row[0] for row in rows[1:]] == ["<b>x</b>", "'=1+1", "挥手"]
    assert all(row[-1].startswith("5 frames") for row in rows[1:])


def table_of(client: Client, name: str, evaluation: Evaluation) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(page(client, name, evaluation).content.decode("utf-8-sig"))))


def test_every_video_comes_as_a_line_with_its_class_and_the_guesses(client: Client, evaluation: Evaluation) -> None:
    rows = table_of(client, "evaluation_videos_csv", evaluation)
    scores = {score.video.path: score for score in evaluation.video_scores.select_related("video")}
    assert {row["path"] for row in rows} == set(scores)
    names = Results.of(evaluation.metrics).names
    for row in rows:
        score = scores[row["path"]]
        assert (row["class"], row["predicted"]) == (names[score.label_index], names[score.predicted_index])
        assert (row["is_correct"] == "True") == (row["rank_of_class"] == "1") == (row["class"] == row["guess_1"]) == score.is_correct
        assert float(row["share_1"]) == pytest.approx(score.top[0][1], abs=1e-6) and row["protocol"].startswith("5 frames")
    assert sum(row["is_correct"] == "True" for row in rows) == evaluation.metrics["top1"] * len(rows)


def test_the_confusion_matrix_is_a_table_of_numbers(client: Client, evaluation: Evaluation) -> None:
    rows = table_of(client, "evaluation_confusion_csv", evaluation)
    results = Results.of(evaluation.metrics)
    assert [row.pop("true / predicted") for row in rows] == results.names
    assert [[int(row[name]) for name in results.names] for row in rows] == results.confusion


def test_the_scores_are_the_file_of_the_engine_or_not_there(client: Client, evaluation: Evaluation, settings: Any, tmp_path: Any) -> None:
    settings.DATA_DIR = tmp_path
    assert page(client, "evaluation_scores", evaluation).status_code == 404
    evaluation.folder.mkdir(parents=True)
    (evaluation.folder / "scores.npz").write_bytes(b"scores")
    response = page(client, "evaluation_scores", evaluation)
    assert response.getvalue() == b"scores" and f'evaluation-{evaluation.pk}-scores.npz"' in response["Content-Disposition"]
    assert reverse("experiments:evaluation_scores", args=(evaluation.pk,)) in page(client, "evaluation_detail", evaluation).content.decode()


def test_pages_of_ucf101_size_take_few_queries_and_little_time(
    client: Client, user: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    classes = [f"class {i:03d}" for i in range(101)]
    run = make_run(make_dataset(user, classes, videos_per_class=264))
    evaluation = make_evaluation(run, lambda label, position: label + (position % 3 == 0))
    assert evaluation.video_scores.count() == 101 * 132
    for name, query in (("evaluation_detail", {}), ("evaluation_videos", {"true": 7}), ("evaluation_videos", {"page": 200})):
        page(client, name, evaluation, **query)  # templates are compiled
        with django_assert_max_num_queries(10):
            begun = time.perf_counter()
            assert page(client, name, evaluation, **query).status_code == 200
        print(f"{name} {query}: {1000 * (time.perf_counter() - begun):.0f} ms")


def test_scores_of_one_evaluation_are_not_another_ones(dataset: Dataset, evaluation: Evaluation) -> None:
    other = make_evaluation(make_run(dataset, "flow"), state=Job.State.RUNNING)
    score_videos(other, right)
    make_job("predict", dataset.owner)
    assert worst_mistakes(other).count() == 0
    assert scored_videos(evaluation, outcome="wrong").count() == 1


def test_rounding_errors_are_no_numbers_in_the_csv(client: Client, evaluation: Evaluation) -> None:
    evaluation.metrics["per_class"][0] |= {"recall": 0.0, "recall_low": 2.7755575615628914e-17}
    evaluation.save(update_fields=["metrics"])
    [first, *_] = csv.DictReader(io.StringIO(page(client, "evaluation_csv", evaluation).content.decode("utf-8-sig")))
    assert first["recall_low"] == "0.0"
