"""A split made after the import, as the import makes one."""

from __future__ import annotations

from itertools import count

from django.db import transaction
from django.utils.translation import gettext as _

from ml.config.partition import Clip, generate_split
from ml.errors import UserError
from webapp.datasets.models import Dataset, Split, SplitEntry, Video

BATCH = 1000


class NoSplit(UserError):
    """Videos that cannot be parted into some to train on and some to test with."""


@transaction.atomic
def make_split(dataset: Dataset, *, test_fraction: float, seed: int) -> Split:
    """Another split of all usable videos: whole groups, about `test_fraction` of each class for testing, named by the next free number.

    Raises:
        NoSplit: no group can be spared for testing, or the dataset is made of two.
    """
    Dataset.objects.select_for_update().get(pk=dataset.pk)
    if dataset.combination:
        raise NoSplit(_("This dataset is made of two, and tests as the first one does."), _("Make the split there, and combine them anew."))
    videos = {str(video.pk): video for video in _usable(dataset)}
    subsets = generate_split([_clip(video) for video in videos.values()], test_fraction, seed)
    if SplitEntry.Subset.TEST not in subsets.values():
        raise NoSplit(
            _("No video can be spared for testing: all videos of a class are of one group, or there is only one."),
            _("Add videos of other groups, or import again with groups that are smaller."),
        )
    split = Split.objects.create(dataset=dataset, name=_free_name(dataset), origin="generated")
    entries = (SplitEntry(split=split, video=videos[key], subset=subset) for key, subset in subsets.items())
    SplitEntry.objects.bulk_create(entries, batch_size=BATCH)
    return split


def _usable(dataset: Dataset) -> list[Video]:
    return list(dataset.videos.filter(status=Video.Status.OK, label__isnull=False).select_related("label").order_by("pk"))


def _clip(video: Video) -> Clip:
    return Clip(str(video.pk), video.label.name if video.label else "", video.group, video.media)


def _free_name(dataset: Dataset) -> str:
    taken = set(dataset.splits.values_list("name", flat=True))
    return next(name for name in map(str, count(1)) if name not in taken)
