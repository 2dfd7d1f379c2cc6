"""Who gets what at every address of the site, found by walking its map: a new page is in this test on the day it is written."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from ml.config.study import Axis, StudyConfig
from tests.webapp.factories import make_dataset, make_evaluation, make_fusion, make_prediction, make_run, make_upload, make_user, share
from webapp.datasets.models import FlowCache, Import
from webapp.experiments.models import Study

pytestmark = pytest.mark.django_db

FOR_ALL = {"/accounts/login/", "/healthz", "/readyz", "/i18n/setlang/"}
NAME = "a dataset nobody else knows"
METHODS = ("get", "post")


def routes(patterns: list[Any], prefix: str = "/") -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route
        elif isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)


ROUTES = list(routes(get_resolver().url_patterns))
PRIVATE = [route for route in ROUTES if "<int" in route or "<uuid" in route]
"""Addresses of somebody's own rows."""


@pytest.fixture
def rows(ada: User) -> dict[str, Any]:
    """A workbench in use: what stands in each kind of address, by the words before it or by its parameter."""
    dataset = make_dataset(ada, name=NAME)
    runs = [make_run(dataset), make_run(dataset, "flow")]
    evaluations = [make_evaluation(run) for run in runs]
    fusion = make_fusion(evaluations)
    config = StudyConfig(streams=(runs[0].experiment,), axes=(Axis(field="model.dropout", values=(0.5, 0.9)),))
    study = Study.objects.create(name=NAME, owner=ada, dataset=dataset, config=config.model_dump(mode="json"))
    share(dataset, make_user("grace"))
    cache = FlowCache.objects.create(dataset=dataset, spec_id="0" * 12, spec={})
    return {
        "experiments": runs[0].pk,
        "evaluations": evaluations[0].pk,
        "fusions": fusion.pk,
        "studies": study.pk,
        "predict": make_prediction(ada, runs[0]).pk,
        "dataset_id": dataset.pk,
        "membership_id": share(dataset, make_user("hugh")).pk,
        "import_id": Import.objects.create(user=ada, dataset=dataset).pk,
        "upload_id": make_upload(ada).pk,
        "cache_id": cache.pk,
        "video_id": dataset.videos.earliest("pk").pk,
        "job_id": runs[0].job_id,
        "user_id": ada.pk,
        "key": "two_stream_1a",
        "backbone": "resnet18",
    }


def filled(route: str, rows: dict[str, Any]) -> str:
    """The address of these rows: `/datasets/<int:dataset_id>/` → `/datasets/1/`."""
    route = re.sub(r"(\w+)/<int:pk>", lambda found: f"{found[1]}/{rows[found[1]]}", route)
    return re.sub(r"<\w+:(\w+)>", lambda found: str(rows[found[1]]), route)


def answers(client: Client, address: str) -> dict[str, Any]:
    return {method: getattr(client, method)(address) for method in METHODS}


def test_the_anonymous_are_sent_to_the_login_from_every_address(client: Client, rows: dict[str, Any]) -> None:
    for address in (filled(route, rows) for route in ROUTES):
        if address not in FOR_ALL:
            for method, answer in answers(client, address).items():
                assert answer.status_code == 302 and answer["Location"].startswith("/accounts/login/"), (method, address)


def test_strangers_find_nothing_of_others_at_any_address(client: Client, rows: dict[str, Any]) -> None:
    client.force_login(make_user("eve"))
    for route in PRIVATE:
        statuses = {method: answer.status_code for method, answer in answers(client, filled(route, rows)).items()}
        assert {403, 404} & set(statuses.values()) and set(statuses.values()) <= {403, 404, 405}, (route, statuses)


def test_strangers_read_no_name_of_others_on_any_list(client: Client, rows: dict[str, Any]) -> None:
    client.force_login(make_user("eve"))
    for route in sorted(set(ROUTES) - set(PRIVATE) - {"/accounts/logout/"}):
        answer = client.get(filled(route, rows))
        assert NAME.encode() not in answer.content, route


def test_those_who_may_only_look_change_nothing_at_any_address(client: Client, rows: dict[str, Any]) -> None:
    client.force_login(User.objects.get(username="grace"))
    for route in PRIVATE:
        answer = client.post(filled(route, rows))
        assert answer.status_code in (403, 404, 405), (route, answer.status_code)
