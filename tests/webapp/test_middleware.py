"""What every answer carries, and what happens to those who are not logged in."""

import pytest
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db


def test_a_page_sends_strangers_to_the_login() -> None:
    answer = Client().get(reverse("jobs:job_list"))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/login/?next=/jobs/")


def test_a_live_part_whose_session_ran_out_reloads_its_page() -> None:
    answer = Client().get(reverse("jobs:job_list"), headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (204, "true")


def test_every_answer_forbids_foreign_scripts() -> None:
    policy = Client().get(reverse("accounts:login")).headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy and "default-src 'self'" in policy


def test_guessing_passwords_is_slowed_down() -> None:
    client = Client(REMOTE_ADDR="10.0.0.9")
    guess = {"username": "somebody", "password": "wrong"}
    answers = [client.post(reverse("accounts:login"), guess).status_code for _ in range(11)]
    assert answers == [200] * 10 + [429]
