"""The first account."""

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
