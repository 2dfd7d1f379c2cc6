"""A dataset's way in: sources → preview → confirmed options → videos. One job looks, a second one reads in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ml.config.data import FrameSpec
from ml.errors import UserError
from ml.words import Words
from webapp.datasets.models import Dataset, Import, Upload
from webapp.datasets.services.files import remove_after_commit
from webapp.datasets.services.uploads import discard_upload
from webapp.jobs.models import Job
from webapp.jobs.services import open_job, submit

IMPORT_KINDS = (Job.Kind.INSPECT, Job.Kind.INGEST)


class BadSource(UserError):
    """Nothing to import, or a place that may not be imported from."""


class ImportMoved(UserError):
    """The import is no longer where this action needs it."""


def allowed_folder(text: str) -> Path:
    """The folder a user named, resolved.

    Raises:
        BadSource: it is outside the import roots, or there is no such folder.
    """
    roots = ", ".join(map(str, settings.IMPORT_ROOTS))
    advice = _("Folders may be imported from: %(roots)s") % {"roots": roots}
    if "\0" in text:
        raise BadSource(_("This is no folder name."), advice)
    folder = Path(text).resolve()
    if not any(folder.is_relative_to(root) for root in settings.IMPORT_ROOTS):
        raise BadSource(_("“%(folder)s” is outside the folders that may be imported.") % {"folder": text}, advice)
    if not folder.is_dir():
        raise BadSource(_("There is no folder “%(folder)s” on the server.") % {"folder": text}, advice)
    return folder


@transaction.atomic
def start_import(user: User, uploads: Sequence[Upload], folder: Path | None = None) -> Import:
    """An import and the job that looks at its sources; nothing is written to any dataset yet.

    Raises:
        BadSource: there is no source, or an upload is not complete.
    """
    if not uploads and folder is None:
        raise BadSource(_("There is nothing to import."), _("Choose files, or a folder on the server."))
    _check_complete(uploads)
    import_ = Import.objects.create(user=user, folder=str(folder or ""))
    import_.uploads.set(uploads)
    job = open_job(Job.Kind.INSPECT, source_name(import_), user)
    submit(job, import_.pk)
    return import_


def _check_complete(uploads: Sequence[Upload]) -> None:
    for upload in uploads:
        if not upload.is_complete:
            words = {"name": upload.name, "received": upload.received, "size": upload.size}
            text = _("“%(name)s” is not complete: %(received)d of %(size)d bytes arrived.") % words
            raise BadSource(text, _("Choose the file again: the upload goes on where it stopped."))


def source_name(import_: Import) -> str:
    """What the sources are called, for titles."""
    names = [Path(import_.folder).name] if import_.folder else []
    names += list(import_.uploads.values_list("name", flat=True))
    if len(names) <= 1:
        return names[0] if names else ""
    return Words("{names} and {count} more", names=names[0], count=len(names) - 1)


def suggested_name(import_: Import) -> str:
    """A dataset name from the first source."""
    name = Path(import_.folder).name if import_.folder else next(iter(import_.uploads.values_list("name", flat=True)), "")
    return Path(name).stem.removesuffix(".tar").replace("_", " ").strip()[:120] or _("New dataset")


def latest_job(import_: Import) -> Job | None:
    return Job.objects.filter(kind__in=IMPORT_KINDS, subject_id=import_.pk).order_by("-id").first()


@transaction.atomic
def confirm_import(import_: Import, *, name: str, description: str, frame_spec: FrameSpec, split: dict[str, Any]) -> Dataset:
    """The dataset and the job that reads the videos in. `split`: `test_fraction` and `seed`, or empty when one came with the data.

    Raises:
        ImportMoved: it was confirmed already, or has no preview yet.
    """
    row = Import.objects.select_for_update(of=("self",)).get(pk=import_.pk)
    if row.dataset_id is not None or not row.preview:
        raise ImportMoved(_("This import cannot be confirmed now."), _("Look at its page for where it stands."))
    spec = frame_spec.model_dump(mode="json")
    layout = str(row.preview.get("layout", ""))[:40]
    row.dataset = Dataset.objects.create(name=name, description=description, owner=row.user, layout=layout, frame_spec=spec)
    row.options = {"name": name, "frame_spec": spec, **split}
    row.save(update_fields=["dataset", "options"])
    submit(open_job(Job.Kind.INGEST, name, row.user, row.dataset), row.pk)
    return row.dataset


@transaction.atomic
def discard_import(import_: Import) -> None:
    """Give up an import that is not confirmed, with the uploads nobody else uses.

    Raises:
        ImportMoved: it became a dataset, or a job is still at it.
    """
    row = Import.objects.select_for_update(of=("self",)).get(pk=import_.pk)
    job = latest_job(row)
    if row.dataset_id is not None or (job is not None and job.is_open):
        raise ImportMoved(_("This import is under way."), _("Cancel its job first, or delete the dataset."))
    unused = list(row.uploads.filter(predictions=None))
    row.delete()
    for upload in unused:
        if not upload.imports.exists():
            discard_upload(upload)


def free_uploads(import_: Import) -> None:
    """Let go of the bytes of an import whose videos are in the store now; the rows still say what the files were called.

    What a prediction or another unfinished import needs stays.
    """
    finished = Job.objects.filter(kind=Job.Kind.INGEST, state=Job.State.DONE).values("subject_id")
    unfinished = Import.objects.exclude(pk=import_.pk).exclude(pk__in=finished)
    uploads = list(import_.uploads.filter(predictions=None, freed_at=None).exclude(imports__in=unfinished))
    Upload.objects.filter(pk__in=[upload.pk for upload in uploads]).update(freed_at=timezone.now())
    remove_after_commit(*(upload.path for upload in uploads))
