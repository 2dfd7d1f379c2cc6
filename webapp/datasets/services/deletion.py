"""Deleting a dataset: what it takes along, what it frees, and the deed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from ml.errors import UserError
from webapp.datasets.models import Dataset, Import, Label, Upload, Video, media_store
from webapp.datasets.services.files import remove_after_commit
from webapp.datasets.services.imports import IMPORT_KINDS
from webapp.experiments.models import Evaluation, Fusion, Run, Study
from webapp.jobs.models import Job
from webapp.jobs.selectors import job_folder
from webapp.predictions.models import Prediction


class DatasetBusy(UserError):
    """A dataset whose jobs are not all over."""


@dataclass(frozen=True)
class Belongings:
    """All that is a dataset's alone: rows of each kind, and the files and folders behind them."""

    runs: QuerySet[Run]
    fusions: QuerySet[Fusion]
    studies: QuerySet[Study]
    evaluations: QuerySet[Evaluation]
    predictions: QuerySet[Prediction]
    imports: QuerySet[Import]
    jobs: QuerySet[Job]
    uploads: QuerySet[Upload]
    paths: tuple[Path, ...]


def belongings(dataset: Dataset) -> Belongings:
    """What goes when the dataset goes. Media that another dataset holds too stay."""
    runs = Run.objects.filter(dataset=dataset)
    streams = Q(dataset=dataset) | Q(memberships__evaluation__run__dataset=dataset)  # which may be fused on a further dataset
    fusions = Fusion.objects.filter(pk__in=list(Fusion.objects.filter(streams).values_list("pk", flat=True)))
    theirs = Q(run__dataset=dataset) | Q(fusion__in=fusions) | Q(other_split__dataset=dataset)
    evaluations, predictions = Evaluation.objects.filter(theirs), Prediction.objects.filter(theirs)
    imports = Import.objects.filter(dataset=dataset)
    return Belongings(
        runs,
        fusions,
        Study.objects.filter(dataset=dataset),
        evaluations,
        predictions,
        imports,
        _jobs(dataset, runs, evaluations, predictions, imports),
        _uploads(predictions, imports),
        _paths(dataset, runs, evaluations, predictions, imports),
    )


def _jobs(
    dataset: Dataset, runs: QuerySet[Run], evaluations: QuerySet[Evaluation], predictions: QuerySet[Prediction], imports: QuerySet[Import]
) -> QuerySet[Job]:
    owned = [job for rows in (runs, evaluations, predictions) for job in rows.values_list("job", flat=True)]
    of_imports = Q(kind__in=IMPORT_KINDS, subject_id__in=list(imports.values_list("pk", flat=True)))
    return Job.objects.filter(Q(dataset=dataset) | Q(pk__in=owned) | of_imports)


def _uploads(predictions: QuerySet[Prediction], imports: QuerySet[Import]) -> QuerySet[Upload]:
    """Files that came for these imports and predictions and for nothing else."""
    theirs = Upload.objects.filter(Q(imports__in=imports) | Q(predictions__in=predictions))
    elsewhere = Q(imports__in=Import.objects.exclude(pk__in=imports)) | Q(predictions__in=Prediction.objects.exclude(pk__in=predictions))
    needed = Upload.objects.filter(elsewhere).values("pk")
    return Upload.objects.filter(pk__in=theirs.values("pk")).exclude(pk__in=needed)


def _paths(
    dataset: Dataset, runs: Iterable[Run], evaluations: Iterable[Evaluation], predictions: Iterable[Prediction], imports: QuerySet[Import]
) -> tuple[Path, ...]:
    store = media_store()
    elsewhere = Video.objects.exclude(dataset=dataset).values("media")
    media = dataset.videos.exclude(media="").exclude(media__in=elsewhere).order_by().values_list("media", flat=True).distinct()
    return (
        dataset.folder,
        *(store.folder(name) for name in media),
        *(row.folder for rows in (runs, evaluations, predictions) for row in rows),
        *(Path(settings.DATA_DIR) / "imports" / str(int(key)) for key in imports.values_list("pk", flat=True)),
    )


def freed_bytes(dataset: Dataset) -> int:
    """What the disk gets back."""
    mine = belongings(dataset)
    return sum(_size(path) for path in (*mine.paths, *(upload.path for upload in mine.uploads)))


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum((Path(folder) / name).lstat().st_size for folder, _folders, names in os.walk(path) for name in names)


@transaction.atomic
def delete_dataset(dataset: Dataset) -> None:
    """Delete the rows in the order their constraints allow; the files follow once that is committed.

    Raises:
        DatasetBusy: a job of the dataset, or of what grew from it, is open.
    """
    Dataset.objects.select_for_update().get(pk=dataset.pk)
    mine = belongings(dataset)
    job = mine.jobs.filter(state__in=Job.OPEN).first()
    if job is not None:
        raise DatasetBusy(_("“%(job)s” is still waiting or running.") % {"job": job}, _("Wait until it ends, or cancel it."))
    jobs, uploads = list(mine.jobs), list(mine.uploads)
    logs = (job_folder(one.pk) for one in jobs)
    remove_after_commit(*mine.paths, *logs, *(upload.path for upload in uploads))
    mine.predictions.delete()
    mine.evaluations.delete()
    mine.fusions.delete()
    mine.runs.delete()
    mine.imports.delete()
    Upload.objects.filter(pk__in=[upload.pk for upload in uploads]).delete()
    Video.objects.filter(dataset=dataset).delete()
    Label.objects.filter(dataset=dataset).delete()
    Job.objects.filter(pk__in=[one.pk for one in jobs]).delete()
    dataset.delete()
