"""What happens to a run after it was launched: notes, the archive, the end."""

import os
from collections.abc import Iterator
from pathlib import Path

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from ml.errors import UserError
from webapp.datasets.models import Upload
from webapp.datasets.services.files import remove_after_commit
from webapp.experiments.models import Evaluation, Fusion, Run
from webapp.jobs.models import Job
from webapp.jobs.selectors import job_folder
from webapp.predictions.models import Prediction


class RunBusy(UserError):
    """A run that something still works on."""


def write_notes(run: Run, notes: str) -> None:
    run.notes = notes
    run.save(update_fields=["notes"])


def set_archived(run: Run, is_archived: bool) -> None:
    run.is_archived = is_archived
    run.save(update_fields=["is_archived"])


def fusions_of(run: Run) -> list[Fusion]:
    """The fusions this run is a stream of: they go when it goes."""
    return list(Fusion.objects.filter(memberships__evaluation__run=run).distinct())


@transaction.atomic
def delete_run(run: Run) -> int:
    """Delete a run with its evaluations, fusions and predictions, and all their files; the bytes that this frees.

    Raises:
        RunBusy: one of their jobs is still open.
    """
    fusions = fusions_of(run)
    evaluations = list(Evaluation.objects.filter(Q(run=run) | Q(fusion__in=fusions)))
    predictions = [*run.predictions.all(), *(one for fusion in fusions for one in fusion.predictions.all())]
    made_of_it: list[Evaluation | Prediction] = [*evaluations, *predictions]
    jobs = Job.objects.filter(pk__in=[run.job_id, *(row.job_id for row in made_of_it)])
    busy = jobs.select_for_update().filter(state__in=Job.OPEN).first()
    if busy is not None:
        raise RunBusy(_("“%(job)s” is not over yet.") % {"job": busy}, _("Stop or cancel it first, then delete the run."))
    uploads = _uploads_of(predictions)
    paths = [run.folder, *(row.folder for row in made_of_it), *(job_folder(job.pk) for job in jobs)]
    paths += [upload.path for upload in uploads]
    job_ids = [job.pk for job in jobs]
    for row in (*fusions, run):
        row.delete()
    Job.objects.filter(pk__in=job_ids).delete()
    Upload.objects.filter(pk__in=[upload.pk for upload in uploads]).delete()
    freed = sum(map(bytes_in, paths))
    remove_after_commit(*paths)
    return freed


def _uploads_of(predictions: list[Prediction]) -> list[Upload]:
    """Uploads that served these predictions and nothing else."""
    uploads = Upload.objects.filter(pk__in=[one.upload_id for one in predictions], imports=None)
    return [upload for upload in uploads if not upload.predictions.exclude(pk__in=[one.pk for one in predictions]).exists()]


def bytes_in(path: Path) -> int:
    """What a file, or a folder with all in it, takes on disk; 0 where there is none."""
    return sum(_sizes(path)) if path.is_dir() else path.stat().st_size if path.exists() else 0


def _sizes(folder: Path) -> Iterator[int]:
    for root, _names, files in os.walk(folder):
        yield from (size for name in files if (size := _size(Path(root) / name)))


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:  # a temporary file that just became whole
        return 0
