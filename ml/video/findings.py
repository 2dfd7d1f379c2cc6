"""What somebody should know of their data before they trust a number: leaks, duplicates, empty classes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from ml.config.data import Finding, Split, VideoEntry
from ml.video.layouts.lists import some


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
    """Classes without a video, and a data set of one class."""
    findings = []
    if empty := [name for name in planned if name not in present]:
        are = "has no video and is" if len(empty) == 1 else "have no video and are"
        message = f"{len(empty)} of {len(planned)} classes {are} left out: {some(empty)}"
        findings.append(Finding(kind="empty_class", message=message))
    if len(present) == 1:
        message = f"There is one class, {next(iter(present))}: training needs at least two classes"
        findings.append(Finding(kind="note", message=message))
    return findings


def _duplicates(videos: Sequence[VideoEntry]) -> list[Finding]:
    by_content: defaultdict[str, list[VideoEntry]] = defaultdict(list)
    for video in videos:
        by_content[video.media].append(video)
    return [
        Finding(kind="duplicate", message=_same_content(copies), videos=tuple(video.key for video in copies))
        for copies in by_content.values()
        if len(copies) > 1
    ]


def _same_content(copies: list[VideoEntry]) -> str:
    labels = {video.label for video in copies}
    message = f"{len(copies)} files have the same content: {some(video.path for video in copies)}"
    return message + (f"; and yet different labels: {some(sorted(labels))}" if len(labels) > 1 else "")


def _leaks(videos: Sequence[VideoEntry], split: Split) -> list[Finding]:
    """Content, or a group, that stands in training and in test or validation."""
    content = _straddling(videos, split, "media")
    groups = [together for together in _straddling(videos, split, "group") if len({video.media for video in together}) > 1]
    findings = [
        Finding(
            kind="leak",
            message=f"Split {split.name} trains and tests on the same content: {some(video.path for video in together)}",
            videos=tuple(video.key for video in together),
        )
        for together in content
    ]
    return findings + [
        Finding(
            kind="leak",
            message=f"Split {split.name} trains and tests on group {together[0].group}: {some(video.path for video in together)}",
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
    for subset, done in (("train", "trained on"), ("test", "tested")):
        covered = {video.label for video in videos if split.subsets.get(video.key) == subset}
        if lacking := sorted(present - covered):
            classes = "1 class is" if len(lacking) == 1 else f"{len(lacking)} classes are"
            message = f"In split “{split.name}”, {classes} never {done}: {some(lacking)}"
            findings.append(Finding(kind="note", message=message))
    return findings
