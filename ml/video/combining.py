"""A dataset enlarged by classes of another one (two-stream paper, section 4, the second way of Table 2): manifests, no file is touched."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ml.config.combining import ClassMap
from ml.config.data import Finding, Manifest, Split, VideoEntry
from ml.errors import UserError
from ml.video.findings import data_findings
from ml.video.layouts.lists import some
from ml.video.manifest import snapshot_id
from ml.words import Words, counted

LAYOUT = "combined"
KEY_LENGTH, GROUP_LENGTH = 40, 200


class Uncombinable(UserError):
    """Datasets, or a class map, of which no dataset can be made."""


def combine(first: Manifest, second: Manifest, class_map: ClassMap, name: str) -> Manifest:
    """The first dataset with videos of the second in the training subset of each of its splits; what it tests stays what it was.

    A video whose content the first dataset has is not added: it would be trained on twice, or be tested too. Groups are named by each
    dataset for itself: one name in both is taken for two sources, and told.

    Raises:
        Uncombinable: they are one dataset, their frames are stored differently, there is no split, or the map does not fit or adds nothing.
    """
    _check(first, second, class_map)
    known = {video.media for video in first.videos}
    wanted = [video for video in second.videos if class_map.classes[video.label]]
    fresh = [video for video in wanted if video.media not in known]
    if not fresh:
        raise Uncombinable("No video would be added", "Add a class, or let one join a class of the first dataset.")
    groups = {video.group for video in first.videos if video.group}
    added = _renamed(fresh, class_map, {video.key for video in first.videos}, {group: f"{group} ({second.name})" for group in groups})
    videos, splits = (*first.videos, *added), [_enlarged(split, added) for split in first.splits]
    present = {video.label for video in added}
    planned = (*first.classes, *class_map.added(first.classes))
    return Manifest(
        name=name,
        layout=LAYOUT,
        store=first.store,
        frame_spec=first.frame_spec,
        classes=tuple(label for label in planned if label in first.classes or label in present),
        videos=videos,
        splits=tuple(splits),
        findings=(
            *_told(second, len(wanted) - len(fresh), groups & {video.group for video in fresh}),
            *data_findings(videos, splits, planned),
        ),
    )


def _check(first: Manifest, second: Manifest, class_map: ClassMap) -> None:
    if snapshot_id(first) == snapshot_id(second):
        raise Uncombinable("“{name}” would be combined with itself", "Choose two different datasets.", name=first.name)
    specs = first.frame_spec, second.frame_spec
    if specs[0] != specs[1]:
        one, other = (Words("{side} px, quality {quality}", side=spec.short_side, quality=spec.quality) for spec in specs)
        raise Uncombinable(
            "The frames of these datasets are stored differently: {one} and {other}",
            "Import one of them again, stored like the other.",
            one=one,
            other=other,
        )
    if not first.splits:
        raise Uncombinable(
            "“{name}” has no split: nothing says what is tested", "Choose a dataset with a split as the first.", name=first.name
        )
    if unknown := sorted(class_map.classes.keys() - set(second.classes)):
        raise Uncombinable(
            "“{name}” has no class {unknown}", "Name its classes as they are spelled.", name=second.name, unknown=some(unknown)
        )
    if missing := [label for label in second.classes if label not in class_map.classes]:
        raise Uncombinable(
            "The map says nothing of {missing}",
            "Name every class of the second dataset; leave out with an empty name.",
            missing=some(missing),
        )


def _renamed(videos: Sequence[VideoEntry], class_map: ClassMap, taken: set[str], groups: Mapping[str, str]) -> tuple[VideoEntry, ...]:
    """The videos in the classes they go to, with keys and groups that nobody else has."""
    found = []
    for video in videos:
        key = _free_key(video.key, taken)
        taken.add(key)
        group = groups.get(video.group, video.group)
        found.append(video.replace(key=key, label=class_map.classes[video.label], group=group[:GROUP_LENGTH]))
    return tuple(found)


def _free_key(key: str, taken: set[str]) -> str:
    number, free = 1, key
    while free in taken:
        number += 1
        free = f"{key[: KEY_LENGTH - 1 - len(str(number))]}-{number}"
    return free


def _enlarged(split: Split, added: Iterable[VideoEntry]) -> Split:
    return split.replace(subsets={**split.subsets, **{video.key: "train" for video in added}})


def _told(second: Manifest, num_known: int, groups: set[str]) -> Iterator[Finding]:
    if num_known:
        message = counted(
            "1 video of “{dataset}” was not added, with content that is there already",
            "{count} videos of “{dataset}” were not added, with content that is there already",
            num_known,
            dataset=second.name,
        )
        yield Finding(kind="note", message=message)
    if groups:
        message = Words(
            "Groups of the same name in both datasets are taken for different sources: {groups}. If they are the same, "
            "the tests say little",
            groups=some(sorted(groups)),
        )
        yield Finding(kind="note", message=message)
