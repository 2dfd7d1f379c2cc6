"""A dataset's rows as the folder that ml reads: `manifest.json` and where the media lie."""

from __future__ import annotations

import os
from pathlib import Path

from django.db.models import Prefetch

from ml.config import data
from webapp.datasets.models import Dataset, Split, SplitEntry, Video, media_store
from worker.files import write_config

MANIFEST = "manifest.json"


def export_dataset(dataset: Dataset, folder: Path) -> Path:
    """Write the dataset as it is now into `folder`; that folder."""
    write_config(folder / MANIFEST, manifest_of(dataset, store=os.path.relpath(media_store().root, folder)))
    return folder


def manifest_of(dataset: Dataset, store: str) -> data.Manifest:
    """Usable, labelled videos with classes and splits, in the order of their ids."""
    videos = dataset.videos.filter(status=Video.Status.OK, label__isnull=False).select_related("label")
    return data.Manifest(
        name=dataset.name,
        layout=dataset.layout,
        store=store,
        frame_spec=dataset.frames,
        classes=tuple(dataset.labels.order_by("index").values_list("name", flat=True)),
        videos=tuple(_entry(video) for video in videos.order_by("pk")),
        splits=tuple(_split(split) for split in _splits(dataset)),
    )


def _entry(video: Video) -> data.VideoEntry:
    assert video.label is not None  # noqa: S101 - filtered above
    return data.VideoEntry(
        key=video.key,
        path=video.path,
        media=video.media,
        label=video.label.name,
        group=video.group,
        frames=video.frames,
        fps=video.fps,
        width=video.width,
        height=video.height,
        duration_seconds=video.duration_seconds,
        size_bytes=video.size_bytes,
        codec=video.codec,
        notes=tuple(video.notes),
    )


def _splits(dataset: Dataset) -> list[Split]:
    usable = SplitEntry.objects.filter(video__status=Video.Status.OK, video__label__isnull=False).select_related("video")
    return list(dataset.splits.order_by("pk").prefetch_related(Prefetch("entries", queryset=usable.order_by("video_id"))))


def _split(split: Split) -> data.Split:
    return data.Split.model_validate(
        {"name": split.name, "origin": split.origin, "subsets": {entry.video.key: entry.subset for entry in split.entries.all()}}
    )
