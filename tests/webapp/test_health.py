"""/healthz says that the process lives, /readyz that the whole product can work."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from webapp import health
from webapp.jobs.models import WorkerNode

pytestmark = pytest.mark.django_db


@pytest.fixture
def all_well(monkeypatch: pytest.MonkeyPatch) -> None:
    WorkerNode.objects.create(name="w@host", queues=["cpu"])
    monkeypatch.setitem(health.CHECKS, "broker", lambda: True)


def test_healthz_answers_without_login(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")


def test_readyz_is_200_when_all_is_there(client: Client, all_well: None) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"ready": True, "checks": {"database": True, "migrations": True, "broker": True, "worker": True}}


def test_readyz_names_the_broker_that_is_gone(client: Client) -> None:
    WorkerNode.objects.create(name="w@host")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"] == {"database": True, "migrations": True, "broker": False, "worker": True}


def test_readyz_names_the_worker_that_was_not_heard_for_a_minute(client: Client, all_well: None) -> None:
    WorkerNode.objects.update(last_seen=timezone.now() - timedelta(seconds=61))
    assert client.get("/readyz").json()["checks"]["worker"] is False


def test_readyz_names_the_database_that_does_not_answer(client: Client, all_well: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> bool:
        raise OperationalError("connection refused")

    monkeypatch.setitem(health.CHECKS, "database", gone)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["database"] is False
