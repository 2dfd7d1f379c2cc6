"""A dataset made of two: the row at once, its videos by a job."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from ml.config.combining import ClassMap
from ml.errors import UserError
from webapp.datasets.models import Dataset, Video
from webapp.jobs.models import Job
from webapp.jobs.services import open_job, submit


class Uncombinable(UserError):
    """Two datasets of which no third can be made."""


def check_pair(first: Dataset, second: Dataset) -> None:
    """What can be known before a class is chosen.

    Raises:
        Uncombinable: their frames are stored differently, the first has nothing to test on, or the second no videos.
    """
    if first.frames != second.frames:
        sizes = {"first": first.frames.short_side, "second": second.frames.short_side}
        raise Uncombinable(
            _("The frames of these datasets are stored differently: short sides of %(first)d px and %(second)d px.") % sizes,
            _("Import one of them again, stored like the other."),
        )
    if not first.splits.exists():
        raise Uncombinable(
            _("“%(name)s” has no split: nothing says what is tested.") % {"name": first.name}, _("Begin with the other dataset.")
        )
    if not second.videos.filter(status=Video.Status.OK, label__isnull=False).exists():
        raise Uncombinable(_("“%(name)s” has no videos.") % {"name": second.name}, _("Wait until its import is done."))


@transaction.atomic
def combine_datasets(user: User, first: Dataset, second: Dataset, class_map: ClassMap, name: str) -> Dataset:
    """A new dataset of the user's: the first one, its training enlarged by classes of the second. Media are shared, nothing is copied.

    Raises:
        Uncombinable: as `check_pair`.
    """
    check_pair(first, second)
    added = class_map.added(first.labels.values_list("name", flat=True))
    dataset = Dataset.objects.create(
        name=name,
        owner=user,
        layout="combined",
        frame_spec=first.frame_spec,
        combination={
            "first": {"id": first.pk, "name": first.name},
            "second": {"id": second.pk, "name": second.name},
            "classes": class_map.classes,
            "added": added,
        },
    )
    submit(open_job(Job.Kind.COMBINE, name, user, dataset), dataset.pk)
    return dataset
