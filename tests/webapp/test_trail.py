"""From video to video along the list that one was opened from."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.webapp.factories import make_dataset, make_evaluation, make_run, make_user, share
from webapp.datasets.models import Dataset
from webapp.experiments.models import Evaluation

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset(ada: User) -> Dataset:
    return make_dataset(ada, videos_per_class=8)


@pytest.fixture
def evaluation(dataset: Dataset) -> Evaluation:
    """4 test videos a class, of which the first and the last are taken for the next class."""
    return make_evaluation(make_run(dataset), lambda label, position: label + (position in (0, 3)))


def links(client: Client, url: str) -> list[str]:
    """Back to the list, previous, next; as the page has them."""
    page = client.get(url).content.decode()
    found = re.findall(r'href="([^"]+)">(Scored videos · rgb run|Videos)</a>|href="([^"]+)">(← Previous|Next →)<', page)
    return [(one or other).replace("&amp;", "&") for one, _list, other, _name in found]


def test_the_mistakes_are_gone_through_one_after_another(as_ada: Client, evaluation: Evaluation) -> None:
    gallery = f"/experiments/evaluations/{evaluation.pk}/videos?outcome=wrong"
    wrong = [f"/datasets/videos/{pk}/?scored={evaluation.pk}&outcome=wrong" for pk in wrong_in_order(evaluation)]
    page = as_ada.get(gallery).content.decode().replace("&amp;", "&")
    assert re.findall(r'class="thumb" href="([^"]+)"', page) == wrong and len(wrong) == 6
    assert links(as_ada, wrong[0]) == [gallery, wrong[1]]
    assert links(as_ada, wrong[2]) == [gallery, wrong[1], wrong[3]]
    assert links(as_ada, wrong[-1]) == [gallery, wrong[-2]]


def wrong_in_order(evaluation: Evaluation) -> list[int]:
    return list(evaluation.video_scores.filter(is_correct=False).order_by("label_index", "video_id").values_list("video_id", flat=True))


def test_a_new_class_leads_back_to_the_same_trail(as_ada: Client, evaluation: Evaluation) -> None:
    first = wrong_in_order(evaluation)[0]
    query = f"?scored={evaluation.pk}&outcome=wrong"
    answer = as_ada.post(f"/datasets/videos/{first}/label{query}", {"label": evaluation.dataset.labels.get(index=2).pk})
    assert answer.headers["Location"] == f"/datasets/videos/{first}/{query}"


def test_no_trail_goes_over_what_one_may_not_see(client: Client, dataset: Dataset, evaluation: Evaluation) -> None:
    bob = make_user("bob")
    share(dataset, bob)
    client.force_login(bob)
    foreign = make_evaluation(make_run(make_dataset(make_user("eve"))))
    video = f"/datasets/videos/{wrong_in_order(evaluation)[0]}/"
    found = [f"?scored={evaluation.pk}", f"?scored={foreign.pk}", f"?scored={evaluation.pk}&right={foreign.pk}", "?scored=x", "?scored=999"]
    assert [client.get(video + query).status_code for query in found] == [200, 404, 404, 404, 404]
