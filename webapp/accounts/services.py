"""Accounts: the first admin, further users, new passwords, and leave to log in."""

import secrets
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password


def has_admin() -> bool:
    return User.objects.filter(is_superuser=True, is_active=True).exists()


def create_admin(username: str, password: str) -> User:
    """A superuser.

    Raises:
        ValidationError: the password is too weak; says why.
    """
    validate_password(password)
    return User.objects.create_superuser(username, password=password)


def renew_password(user: User) -> str:
    """A random password for the user, told this once; sessions with the old one end."""
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    user.save()
    return password


def set_active(user: User, is_active: bool) -> None:
    """Let the user log in, or not any more. What is theirs stays."""
    user.is_active = is_active
    user.save(update_fields=["is_active"])


def password_file() -> Path:
    """Where a generated password lies, if it was generated."""
    return Path(settings.DATA_DIR) / "admin-password.txt"


def generate_admin_password() -> tuple[str, Path]:
    """A random password, and the file that keeps it for whoever owns the data folder (mode 600)."""
    path = password_file()
    password = secrets.token_urlsafe(12)
    path.touch(mode=0o600)
    path.write_text(password + "\n")
    return password, path
