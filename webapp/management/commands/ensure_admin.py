"""`manage.py ensure_admin`: the first superuser, from the environment, by asking, or with a generated password."""

import getpass
import os
import sys

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from webapp.accounts.services import create_admin, generate_admin_password, has_admin, password_file


class Command(BaseCommand):
    help = "Create the first admin: from KINETOSCOPE_ADMIN_USER and KINETOSCOPE_ADMIN_PASSWORD, by asking, or with a generated password."

    def handle(self, *args: object, **options: object) -> None:
        if has_admin():
            if password_file().exists():
                self.stdout.write(f"The first user's generated password is in {password_file()}.")
            return
        username = os.environ.get("KINETOSCOPE_ADMIN_USER", "admin")
        password = os.environ.get("KINETOSCOPE_ADMIN_PASSWORD", "")
        if not password and sys.stdin.isatty():
            password = getpass.getpass(f"Choose a password for the first user “{username}” (empty: generate one): ")
        if password:
            self._create(username, password)
            self.stdout.write(f"Created the user {username}.")
        else:
            password, path = generate_admin_password()
            self._create(username, password)
            self.stdout.write(f"Created the user {username} with the password {password} (kept in {path}).")

    def _create(self, username: str, password: str) -> None:
        try:
            create_admin(username, password)
        except ValidationError as error:
            raise CommandError(f"That password will not do: {' '.join(error.messages)}") from error
