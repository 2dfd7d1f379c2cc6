"""What somebody should know of their data before they trust a number: leaks, duplicates, empty classes."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from ml.config.data import Finding, Split, VideoEntry
from ml.video.layouts.lists import some
from ml.words import Words, counted

NEVER = {
    "train": (
        Words("In split “{split}”, 1 class is never trained on: {classes}"),
        Words("In split “{split}”, {count} classes are never trained on: {classes}"),
    ),
    "test": (
        Words("In split “{split}”, 1 class is never tested: {classes}"),
        Words("In split “{split}”, {count} classes are never tested: {classes}"),
    ),
}
"""What is said of classes that a split never has in a subset, of one and of several."""


def data_findings(videos: Sequence[VideoEntry], splits: Iterable[Split], planned_classes: Sequence[str]) -> list[Finding]:
    """All that follows from videos whose content is known."""
    splits = list(splits)
    return [
        *_duplicates(videos),
        *(leak for split in splits for leak in _leaks(videos, split)),
        *(gap for split in splits for gap in _gaps(videos, split)),
        *class_findings(planned_classes, {video.label for video in videos}),
    ]


def class_findings(planned: Sequence[str], present: set[str]) -> list[Finding]:
    """Classes without a video, classes that are one class spelt twice, and a data set of one class."""
    findings = []
    if empty := [name for name in planned if name not in present]:
        message = counted(
            "{count} of {total} classes has no video and is left out: {names}",
            "{count} of {total} classes have no video and are left out: {names}",
            len(empty),
            total=len(planned),
            names=some(empty),
        )
        findings.append(Finding(kind="empty_class", message=message))
    findings += [
        Finding(kind="note", message=Words("The classes {names} differ only in capitals, spaces or dashes", names=", ".join(names)))
        for names in _spelt_twice(present)
    ]
    if len(present) == 1:
        message = Words("There is one class, {label}: training needs at least two classes", label=next(iter(present)))
        findings.append(Finding(kind="note", message=message))
    return findings


def _spelt_twice(names: Iterable[str]) -> list[list[str]]:
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        alike[re.sub(r"[\s_-]+", "", name).casefold()].append(name)
    return [together for together in alike.values() if len(together) > 1]


def _duplicates(videos: Sequence[VideoEntry]) -> list[Finding]:
    by_content: defaultdict[str, list[VideoEntry]] = defaultdict(list)
    for video in videos:
        by_content[video.media].append(video)
    return [
        Finding(kind="duplicate", message=_same_content(copies), videos=tuple(video.key for video in copies))
        for copies in by_content.values()
        if len(copies) > 1
    ]


def _same_content(copies: list[VideoEntry]) -> Words:
    labels, paths = {video.label for video in copies}, some(video.path for video in copies)
    if len(labels) == 1:
        return Words("{count} files have the same content: {paths}", count=len(copies), paths=paths)
    return Words(
        "{count} files have the same content: {paths}; and yet different labels: {labels}",
        count=len(copies),
        paths=paths,
        labels=some(sorted(labels)),
    )


def _leaks(videos: Sequence[VideoEntry], split: Split) -> list[Finding]:
    """Content, or a group, that stands in training and in test or validation."""
    content = _straddling(videos, split, "media")
    groups = [together for together in _straddling(videos, split, "group") if len({video.media for video in together}) > 1]
    findings = [
        Finding(
            kind="leak",
            message=Words(
                "Split {split} trains and tests on the same content: {videos}",
                split=split.name,
                videos=some(video.path for video in together),
            ),
            videos=tuple(video.key for video in together),
        )
        for together in content
    ]
    return findings + [
        Finding(
            kind="leak",
            message=Words(
                "Split {split} trains and tests on group {group}: {videos}",
                split=split.name,
                group=together[0].group,
                videos=some(video.path for video in together),
            ),
            videos=tuple(video.key for video in together),
        )
        for together in groups
    ]


def _straddling(videos: Sequence[VideoEntry], split: Split, field: str) -> list[list[VideoEntry]]:
    together: defaultdict[str, list[VideoEntry]] = defaultdict(list)
    for video in videos:
        if video.key in split.subsets and getattr(video, field):
            together[getattr(video, field)].append(video)
    return [members for members in together.values() if _has_both_sides({split.subsets[video.key] for video in members})]


def _has_both_sides(subsets: set[str]) -> bool:
    return "train" in subsets and len(subsets) > 1


def _gaps(videos: Sequence[VideoEntry], split: Split) -> list[Finding]:
    """Classes that a split never trains or never tests."""
    present = {video.label for video in videos}
    findings = []
    for subset, (one, many) in NEVER.items():
        covered = {video.label for video in videos if split.subsets.get(video.key) == subset}
        if lacking := sorted(present - covered):
            message = counted(one, many, len(lacking), split=split.name, classes=some(lacking))
            findings.append(Finding(kind="note", message=message))
    return findings
