"""A manifest as rows: a new dataset, or videos that join one."""

from __future__ import annotations

from collections.abc import Iterable

from ml.config import data
from ml.words import Words
from webapp.datasets.models import Dataset, Label, Split, SplitEntry, Video

BATCH = 1000
OF_THE_FILES = ("duplicate", "unlisted", "missing")
"""Findings that hold for videos that join a dataset; what is said of classes and splits holds for the addition alone."""


def add_manifest(dataset: Dataset, manifest: data.Manifest, prefix: str) -> list[Video]:
    """Add the manifest's classes, videos, refusals and splits; the new videos. Call it in a transaction.

    Args:
        prefix: goes before keys that the dataset has already.
    """
    is_new = not dataset.videos.exists()
    labels = _add_labels(dataset, manifest.classes)
    videos = _add_videos(dataset, manifest, labels, prefix)
    _add_refusals(dataset, manifest.refused, prefix)
    for split in manifest.splits if is_new else ():
        _add_split(dataset, split, videos)
    if not is_new:
        _join_splits(dataset, manifest, videos)
    if is_new:
        _describe(dataset, manifest)
    else:
        _add_findings(dataset, manifest, videos)
    return list(videos.values())


def _add_labels(dataset: Dataset, classes: Iterable[str]) -> dict[str, Label]:
    """New classes get the next places: those of old score vectors keep theirs."""
    known = {label.name: label for label in dataset.labels.all()}
    missing = [name for name in classes if name not in known]
    first = max((label.index for label in known.values()), default=-1) + 1
    Label.objects.bulk_create(Label(dataset=dataset, index=first + i, name=name) for i, name in enumerate(missing))
    return {label.name: label for label in dataset.labels.all()}


def _add_videos(dataset: Dataset, manifest: data.Manifest, labels: dict[str, Label], prefix: str) -> dict[str, Video]:
    """Key in the manifest → the row."""
    taken = set(dataset.videos.values_list("key", flat=True))
    rows = {entry.key: _video(dataset, entry, labels[entry.label], taken, prefix) for entry in manifest.videos}
    Video.objects.bulk_create(rows.values(), batch_size=BATCH)
    return rows


def _video(dataset: Dataset, entry: data.VideoEntry, label: Label, taken: set[str], prefix: str) -> Video:
    return Video(
        dataset=dataset,
        key=f"{prefix}{entry.key}"[:40] if entry.key in taken else entry.key,
        path=entry.path,
        media=entry.media,
        label=label,
        group=entry.group,
        notes=list(entry.notes),
        frames=entry.frames,
        fps=entry.fps,
        width=entry.width,
        height=entry.height,
        duration_seconds=entry.duration_seconds,
        size_bytes=entry.size_bytes,
        codec=entry.codec,
    )


def _add_refusals(dataset: Dataset, refused: Iterable[data.Refusal], prefix: str) -> None:
    rows = (
        Video(
            dataset=dataset,
            key=f"{prefix}refused-{i}",
            path=refusal.path,
            status=Video.Status.REFUSED,
            reason=refusal.reason,
            advice=refusal.advice,
        )
        for i, refusal in enumerate(refused)
    )
    Video.objects.bulk_create(rows, batch_size=BATCH)


def _add_split(dataset: Dataset, split: data.Split, videos: dict[str, Video]) -> None:
    row = Split.objects.create(dataset=dataset, name=split.name, origin=split.origin)
    entries = (SplitEntry(split=row, video=videos[key], subset=subset) for key, subset in split.subsets.items() if key in videos)
    SplitEntry.objects.bulk_create(entries, batch_size=BATCH)


def _join_splits(dataset: Dataset, manifest: data.Manifest, videos: dict[str, Video]) -> None:
    """Videos that join go to the side where their content or group stands already, else where the lists say, else to training."""
    listed = {split.name: split.subsets for split in manifest.splits if split.origin in ("official", "csv")}
    for split in dataset.splits.all():
        old = list(split.entries.select_related("video"))
        by_media = {entry.video.media: entry.subset for entry in old}
        by_group = {entry.video.group: entry.subset for entry in old if entry.video.group}
        said = listed.get(split.name, {})
        entries = (
            SplitEntry(
                split=split,
                video=video,
                subset=by_media.get(video.media) or by_group.get(video.group) or said.get(key) or SplitEntry.Subset.TRAIN,
            )
            for key, video in videos.items()
        )
        SplitEntry.objects.bulk_create(entries, batch_size=BATCH)


def _describe(dataset: Dataset, manifest: data.Manifest) -> None:
    dataset.layout = manifest.layout[:40]
    dataset.frame_spec = manifest.frame_spec.model_dump(mode="json")
    dataset.findings = [finding.model_dump() for finding in manifest.findings]
    dataset.save(update_fields=["layout", "frame_spec", "findings"])


def _add_findings(dataset: Dataset, manifest: data.Manifest, videos: dict[str, Video]) -> None:
    found = [finding for finding in manifest.findings if finding.kind in OF_THE_FILES]
    old = dataset.videos.exclude(pk__in=[video.pk for video in videos.values()]).exclude(media="")
    known = {video.media: video for video in old.filter(media__in=[video.media for video in videos.values()])}
    for video in videos.values():
        if video.media in known:
            first = known[video.media]
            message = Words("{count} files have the same content: {paths}", count=2, paths=f"{first.path}, {video.path}")
            found.append(data.Finding(kind="duplicate", message=message, videos=(first.key, video.key)))
    dataset.refresh_from_db(fields=["findings"])
    dataset.findings = [*dataset.findings, *(finding.model_dump() for finding in found)]
    dataset.save(update_fields=["findings"])
