"""What an import reads: uploads by their id, or a folder on the server."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from ml.errors import UserError
from webapp.datasets.models import Import


class MissingSource(UserError):
    """An upload or folder that an import names and that is not there."""


def sources(source: Import) -> list[str]:
    """Paths for `inspect` and `ingest`.

    Raises:
        MissingSource: a file is gone or not whole, or the folder is not inside a folder that imports may read.
    """
    if source.folder:
        return [str(_allowed(Path(source.folder)))]
    uploads = list(source.uploads.order_by("created_at", "pk"))
    for upload in uploads:
        if not upload.is_complete or not upload.path.exists():
            raise MissingSource(
                "The upload “{name}” is not complete", "Upload the file again; it goes on where it was cut.", name=upload.name
            )
    if not uploads:
        raise MissingSource("This import has no files", "Upload an archive or videos, or name a folder on the server.")
    return [f"{upload.path}::{upload.name}" for upload in uploads]


def chosen(source: Import, names: Iterable[str]) -> list[str]:
    """The options that the user has set, as arguments."""
    values = {name: source.options.get(name) for name in names}
    return [f"--{name.replace('_', '-')}={value}" for name, value in values.items() if value not in (None, "")]


def _allowed(folder: Path) -> Path:
    resolved = folder.resolve()
    if not any(resolved.is_relative_to(root) for root in settings.IMPORT_ROOTS):
        raise MissingSource(
            "{folder} is not inside a folder that imports may read",
            "Ask who runs this site to add it to the import folders.",
            folder=folder,
        )
    if not resolved.is_dir():
        raise MissingSource("There is no folder {folder}", "Check its name on the server.", folder=folder)
    return resolved
