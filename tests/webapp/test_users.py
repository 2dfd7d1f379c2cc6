"""Users: added by admins with a password shown once, locked out, let in again; everybody's own password."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.webapp.factories import make_user

pytestmark = pytest.mark.django_db
USERS = reverse("accounts:user_list")


@pytest.fixture
def as_chief(client: Client) -> Client:
    client.force_login(make_user("chief", is_superuser=True))
    return client


def shown_password(page: str) -> str:
    found = re.search(r'<code class="mono">(.*?)</code>', page)
    assert found is not None
    return found[1]


def test_an_added_user_logs_in_with_the_password_that_was_shown_once(as_chief: Client) -> None:
    password = shown_password(as_chief.post(USERS, {"username": "grace"}).content.decode())
    assert Client().login(username="grace", password=password)
    assert not User.objects.get(username="grace").is_superuser
    assert password not in as_chief.get(USERS).content.decode()


def test_an_admin_is_added_as_one(as_chief: Client) -> None:
    as_chief.post(USERS, {"username": "grace", "is_superuser": "on"})
    grace = Client()
    grace.force_login(User.objects.get(username="grace"))
    assert grace.get(USERS).status_code == 200


@pytest.mark.parametrize("name", ["", "chief", "<b>", "a b", "x" * 151])
def test_a_name_that_will_not_do_is_refused_at_its_field(as_chief: Client, name: str) -> None:
    answer = as_chief.post(USERS, {"username": name})
    assert answer.status_code == 400 and answer.context["form"].errors["username"]
    assert User.objects.count() == 1


def test_a_new_password_ends_the_sessions_of_the_old_one(as_chief: Client, ada: User) -> None:
    old = Client()
    assert old.login(username="ada", password="long enough 1")
    password = shown_password(as_chief.post(reverse("accounts:user_password", args=(ada.pk,))).content.decode())
    assert old.get("/").status_code == 302
    assert Client().login(username="ada", password=password)


def test_who_is_locked_out_cannot_log_in_until_let_in_again(as_chief: Client, ada: User) -> None:
    switch = reverse("accounts:user_active", args=(ada.pk,))
    for may in (False, True):
        as_chief.post(switch)
        assert Client().login(username="ada", password="long enough 1") is may


def test_nobody_locks_themselves_out(as_chief: Client) -> None:
    chief = User.objects.get(username="chief")
    assert as_chief.post(reverse("accounts:user_active", args=(chief.pk,))).status_code == 404
    assert User.objects.get(username="chief").is_active


def test_only_admins_learn_who_has_an_account(as_ada: Client) -> None:
    answer = as_ada.get(USERS)
    assert answer.status_code == 403 and "Only an admin" in answer.content.decode()
    assert as_ada.post(USERS, {"username": "mallory"}).status_code == 403
    assert not User.objects.filter(username="mallory").exists()


def test_everybody_changes_their_own_password_and_stays_logged_in(as_ada: Client) -> None:
    new = "the difference engine 2"
    own = reverse("accounts:own_password")
    wrong = as_ada.post(own, {"old_password": "no", "new_password1": new, "new_password2": new})
    assert wrong.context["form"].errors["old_password"]
    answer = as_ada.post(own, {"old_password": "long enough 1", "new_password1": new, "new_password2": new}, follow=True)
    assert "Your password is changed." in answer.content.decode()
    assert Client().login(username="ada", password=new)
