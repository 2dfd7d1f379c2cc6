"""The first account has no default password."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import Settings

pytestmark = pytest.mark.django_db


def test_the_environment_names_the_first_admin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINETOSCOPE_ADMIN_USER", "ada")
    monkeypatch.setenv("KINETOSCOPE_ADMIN_PASSWORD", "analytical engine 1843")
    call_command("ensure_admin")
    assert User.objects.get(username="ada", is_superuser=True).check_password("analytical engine 1843")


def test_without_a_password_one_is_generated_and_kept_for_the_owner_alone(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    monkeypatch.delenv("KINETOSCOPE_ADMIN_PASSWORD", raising=False)
    call_command("ensure_admin")
    file = settings.DATA_DIR / "admin-password.txt"
    assert file.stat().st_mode & 0o777 == 0o600
    assert User.objects.get(username="admin").check_password(file.read_text().strip())


def test_a_weak_password_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINETOSCOPE_ADMIN_PASSWORD", "password")
    with pytest.raises(CommandError, match="too common"):
        call_command("ensure_admin")
    assert not User.objects.exists()


def test_an_existing_admin_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    User.objects.create_superuser("root", password="kept as it was")
    monkeypatch.setenv("KINETOSCOPE_ADMIN_PASSWORD", "another password 99")
    call_command("ensure_admin")
    assert [user.username for user in User.objects.all()] == ["root"]
