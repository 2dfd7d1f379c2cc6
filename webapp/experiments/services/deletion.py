"""Deleting runs and fusions: what they take along, what that frees, and the deed."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from ml.errors import UserError
from webapp.datasets.services.files import bytes_in, remove_after_commit
from webapp.experiments.models import Evaluation, Fusion, Run, Study
from webapp.jobs.models import Job
from webapp.jobs.selectors import job_folder
from webapp.jobs.services import JobMoved, cancel
from webapp.predictions.deletion import let_go
from webapp.predictions.models import Prediction

FURTHER = (Job.Kind.EVALUATE, Job.Kind.EMBED)
"""What an evaluation may have besides its own job: the same test once more, and maps."""


class RunBusy(UserError):
    """A run or a fusion that something still works on."""


@dataclass(frozen=True)
class Belongings:
    """Runs and fusions with all that is theirs alone; `fusions` are those asked for and those that lose a stream."""

    runs: Sequence[Run]
    fusions: Sequence[Fusion]
    evaluations: Sequence[Evaluation]
    predictions: Sequence[Prediction]

    @property
    def studies(self) -> QuerySet[Study]:
        """Those that lose something: “Resume” would launch it again."""
        return Study.objects.filter(Q(runs__in=self.runs) | Q(fusions__in=self.fusions)).distinct()

    @property
    def freed_bytes(self) -> int:
        """What the disk gets back; a prediction's upload may add to it."""
        return sum(map(bytes_in, self.paths()))

    @property
    def job_ids(self) -> list[int]:
        further = Job.objects.filter(kind__in=FURTHER, subject_id__in=[evaluation.pk for evaluation in self.evaluations])
        own = (row.job_id for rows in (self.runs, self.evaluations, self.predictions) for row in rows)
        return list(dict.fromkeys([*own, *further.values_list("pk", flat=True)]))

    def paths(self) -> Iterator[Path]:
        yield from (row.folder for rows in (self.runs, self.evaluations, self.predictions) for row in rows)
        yield from map(job_folder, self.job_ids)


def belongings(runs: Sequence[Run], fusions: Sequence[Fusion] = ()) -> Belongings:
    """What goes when these go."""
    asked = Q(pk__in=[fusion.pk for fusion in fusions])
    doomed = Fusion.objects.filter(asked | Q(memberships__evaluation__run__in=runs)).distinct()
    theirs = Q(run__in=runs) | Q(fusion__in=doomed)
    predictions = Prediction.objects.filter(theirs).select_related("upload")
    return Belongings(list(runs), list(doomed), list(Evaluation.objects.filter(theirs)), list(predictions))


@transaction.atomic
def delete(mine: Belongings) -> int:
    """Delete the rows, and the files once that is committed; the bytes that this frees. Jobs that wait for others are given up.

    Raises:
        RunBusy: one of their jobs is still open.
    """
    jobs = Job.objects.filter(pk__in=mine.job_ids)
    for waiting in jobs.filter(state=Job.State.WAITING):
        with suppress(JobMoved):  # it began meanwhile, and is found below
            cancel(waiting)
    busy = jobs.select_for_update().filter(state__in=Job.OPEN).first()
    if busy is not None:
        raise RunBusy(_("“%(job)s” is not over yet.") % {"job": busy}, _("Stop or cancel it first, then delete."))
    paths = list(mine.paths())
    for row in (*mine.predictions, *mine.evaluations, *mine.fusions, *mine.runs):
        row.delete()
    jobs.delete()
    paths += let_go([one.upload for one in mine.predictions])
    freed = sum(map(bytes_in, paths))
    remove_after_commit(*paths)
    return freed
