"""Deleting predictions: rows, files, and the uploads that nothing else needs."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ml.errors import UserError
from webapp.datasets.models import Import, Upload
from webapp.datasets.services.files import bytes_in, remove_after_commit
from webapp.jobs.models import Job
from webapp.jobs.selectors import job_folder
from webapp.predictions.models import Prediction


class PredictionBusy(UserError):
    """A prediction whose job is not over."""


@transaction.atomic
def delete_predictions(predictions: Sequence[Prediction]) -> int:
    """Delete predictions with their files; the bytes that this frees. What was sent to a dataset stays there.

    Raises:
        PredictionBusy: one of their jobs is still open.
    """
    jobs = list(Job.objects.select_for_update().filter(pk__in=[one.job_id for one in predictions]))
    busy = next((job for job in jobs if job.is_open), None)
    if busy is not None:
        raise PredictionBusy(_("“%(job)s” is not over yet.") % {"job": busy}, _("Wait until it is done, or cancel its job."))
    paths = [*(one.folder for one in predictions), *(job_folder(job.pk) for job in jobs)]
    Prediction.objects.filter(pk__in=[one.pk for one in predictions]).delete()
    Job.objects.filter(pk__in=[job.pk for job in jobs]).delete()
    paths += let_go([one.upload for one in predictions])
    freed = sum(map(bytes_in, paths))
    remove_after_commit(*paths)
    return freed


def let_go(uploads: Iterable[Upload]) -> list[Path]:
    """Give up those uploads that no prediction and no unfinished import needs; the paths of their bytes.

    The row of one that an import names stays: it says what the file was called.
    """
    unfinished = Import.objects.exclude(pk__in=Job.objects.filter(kind=Job.Kind.INGEST, state=Job.State.DONE).values("subject_id"))
    idle = Upload.objects.filter(pk__in=[upload.pk for upload in uploads], predictions=None).exclude(imports__in=unfinished)
    imported = list(idle.filter(imports__isnull=False).distinct())
    unknown = list(idle.filter(imports=None))
    Upload.objects.filter(pk__in=[upload.pk for upload in imported]).update(freed_at=timezone.now())
    Upload.objects.filter(pk__in=[upload.pk for upload in unknown]).delete()
    return [upload.path for upload in (*imported, *unknown)]
