"""What must be there before anything starts: folders, tables, the first user, translations."""

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management import call_command

FOLDERS = ("import", "logs", "media", "run", "uploads")


def make_folders() -> None:
    for name in FOLDERS:
        (Path(settings.DATA_DIR) / name).mkdir(parents=True, exist_ok=True)


def prepare() -> None:
    """Bring everything up to date; what is there is kept."""
    make_folders()
    compile_messages()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("ensure_admin")


def compile_messages() -> None:
    """Translations whose source is newer than what was compiled from it."""
    for root in settings.LOCALE_PATHS:
        for source in Path(root).glob("*/LC_MESSAGES/*.po"):
            compiled = source.with_suffix(".mo")
            if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
                with source.open("rb") as file, compiled.open("wb") as out:
                    write_mo(out, read_po(file))
