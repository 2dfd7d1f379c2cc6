"""What every test of the site starts from: a data folder of its own, no broker, Ada with a small dataset."""

from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from tests.webapp.factories import make_dataset, make_user
from webapp import queue
from webapp.datasets.models import Dataset
from webapp.jobs.models import Job
from webapp.messages import catalogue_path


@pytest.fixture(autouse=True)
def data_dir(settings: Settings, tmp_path: Path) -> Path:
    """Ids of rows begin again in every test, and paths come from ids: so must the folder."""
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """The jobs for which a message went out."""
    jobs: list[Job] = []

    def send(job: Job) -> bool:
        jobs.append(job)
        return True

    monkeypatch.setattr(queue, "send", send)
    return jobs


@pytest.fixture
def ada() -> User:
    return make_user("ada")


@pytest.fixture
def as_ada(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


@pytest.fixture
def dataset(ada: User) -> Dataset:
    return make_dataset(ada)


@pytest.fixture
def chinese(settings: Settings, tmp_path: Path) -> None:
    """The catalogue as it is in the source, compiled for this test."""
    folder = tmp_path / "zh_Hans" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with catalogue_path("zh_Hans").open("rb") as source, (folder / "django.mo").open("wb") as compiled:
        write_mo(compiled, read_po(source, locale="zh_Hans"))
    settings.LOCALE_PATHS = [tmp_path]
