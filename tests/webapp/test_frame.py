"""What is around every page: the navigation, and the pages for what went wrong."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory

from tests.webapp.factories import make_dataset, make_user
from webapp import views
from webapp.views import server_error


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/", "Home"), ("/datasets/import/", "Datasets"), ("/experiments/new/", "Experiments"), ("/jobs/", "Jobs"),
        ("/jobs/system/", "System"), ("/accounts/users/", "System"), ("/accounts/password/", "System"), ("/nowhere/", None),
    ],
)  # fmt: skip
def test_the_navigation_marks_the_place_of_the_page(client: Client, path: str, place: str | None) -> None:
    client.force_login(make_user("root", is_superuser=True))
    marked = re.findall(r'aria-current="page">.*?</svg>([^<]+)</a>', client.get(path).content.decode())
    assert marked == ([place] if place else [])


@pytest.mark.django_db
def test_a_page_says_where_it_is_from_its_place_in_the_navigation_on(client: Client, ada: User) -> None:
    client.force_login(ada)
    dataset = make_dataset(ada)
    page = client.get(f"/datasets/{dataset.pk}/edit").content.decode()
    links = re.findall(r'<a href="([^"]+)">([^<]+)</a>', page.split('class="breadcrumb"')[1].split("</nav>")[0])
    assert links == [("/datasets/", "Datasets"), (f"/datasets/{dataset.pk}/", dataset.name)]


@pytest.mark.django_db
def test_a_question_has_a_dialog_on_every_page_of_a_user(client: Client, ada: User) -> None:
    assert b"<dialog" not in client.get("/accounts/login/").content
    client.force_login(ada)
    assert b"data-asking" in client.get("/").content


def test_an_address_that_is_not_allowed_is_refused_on_a_page_of_ours(client: Client) -> None:
    answer = client.get("/", headers={"host": "elsewhere.example"})
    assert answer.status_code == 400
    assert b"can&#x27;t be read" in answer.content and b"Kinetoscope" in answer.content


@pytest.mark.django_db
def test_a_page_that_breaks_says_so(client: Client, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "worker_was_heard", lambda: 1 / 0)
    client.force_login(ada)
    client.raise_request_exception = False
    answer = client.get("/")
    assert answer.status_code == 500 and b"Something broke" in answer.content


def test_the_page_of_an_error_asks_the_database_for_nothing() -> None:
    assert b"Something broke" in server_error(RequestFactory().get("/")).content
