"""The worst classes with what each stream takes them for."""

import re

import pytest
from django.test import Client

from tests.webapp.factories import make_dataset, make_evaluation, make_fusion, make_run, make_user
from webapp.experiments.results import Results
from webapp.experiments.worst_classes import worst_by_column

pytestmark = pytest.mark.django_db
CLASSES = ("Hammering", "HeadMassage", "BrushingTeeth", "Archery")


def mistaken_for(other: int, times: int = 2) -> object:
    """The first videos of Hammering are taken for another class."""
    return lambda label, position: other if label == 0 and position < times else label


def test_each_stream_says_what_it_takes_the_worst_class_of_the_fusion_for(client: Client) -> None:
    user = make_user()
    dataset = make_dataset(user, CLASSES, videos_per_class=8)
    spatial = make_evaluation(make_run(dataset), mistaken_for(1, 3))  # type: ignore[arg-type]
    temporal = make_evaluation(make_run(dataset, "flow"), mistaken_for(2))  # type: ignore[arg-type]
    fusion = make_fusion([spatial, temporal], mistaken_for(1, 1))  # type: ignore[arg-type]
    columns = [("", one, Results.of(one.metrics)) for one in (spatial, temporal, fusion.evaluation)]
    (worst,) = worst_by_column(columns)
    assert (worst.name, worst.support) == ("Hammering", 4)
    found = [(answer.result.recall, [(pair.predicted.name, pair.count) for pair in answer.taken_for]) for answer in worst.answers]
    assert found == [(0.25, [("HeadMassage", 3)]), (0.5, [("BrushingTeeth", 2)]), (0.75, [("HeadMassage", 1)])]

    client.force_login(user)
    page = client.get(f"/experiments/fusions/{fusion.pk}/").content.decode()
    row = re.search(r'<tr><td class="breakable"><a [^>]*>Hammering</a></td>.*?</tr>', page.partition("Worst classes")[2], re.DOTALL)
    assert row is not None and [row[0].count(name) for name in ("HeadMassage", "BrushingTeeth", "Archery")] == [2, 1, 0]
    assert f"/experiments/evaluations/{temporal.pk}/videos?true=0&amp;predicted=2" in row[0]
    assert f'/experiments/evaluations/{fusion.evaluation.pk}/videos?true=0"' in row[0]
    assert "Worst classes" in client.get(f"/experiments/evaluations/{spatial.pk}/").content.decode()


def test_where_all_is_right_there_is_no_worst_class(client: Client) -> None:
    user = make_user()
    evaluation = make_evaluation(make_run(make_dataset(user)))
    client.force_login(user)
    assert worst_by_column([("", evaluation, Results.of(evaluation.metrics))]) == []
    assert "Worst classes" not in client.get(f"/experiments/evaluations/{evaluation.pk}/").content.decode()
