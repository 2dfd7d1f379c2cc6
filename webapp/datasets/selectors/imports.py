"""What the pages of an import show."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.conf import settings

from webapp.datasets.models import Dataset, Import, Video

MAX_FOLDERS = 200
DEPTH = 2
MAX_REPORTED = 200


def server_folders() -> list[str]:
    """Folders one may import from: the sub-folders of the import roots, two levels deep, without hidden ones."""
    found: list[str] = []
    for root in settings.IMPORT_ROOTS:
        _collect(root, DEPTH, found)
    return found[:MAX_FOLDERS]


def _collect(folder: Path, depth: int, found: list[str]) -> None:
    if not depth or len(found) >= MAX_FOLDERS or not folder.is_dir() or not os.access(folder, os.R_OK | os.X_OK):
        return
    for child in sorted(folder.iterdir()):
        if child.is_dir() and not child.is_symlink() and not child.name.startswith("."):
            found.append(str(child))
            _collect(child, depth - 1, found)


def needs_split(import_: Import) -> bool:
    """Whether no split with a test subset came with the data; one that the preview generated is only a proposal."""
    splits: list[dict[str, Any]] = import_.preview.get("splits", [])
    return not any(split["test"] for split in splits if split["origin"] != "generated")


def report_of(dataset: Dataset) -> dict[str, object]:
    """What an import gave: how many videos came in, which were refused and why, and what was noted about the rest."""
    videos = Video.objects.filter(dataset=dataset)
    usable = videos.filter(status=Video.Status.OK)
    return {
        "num_imported": usable.count(),
        "refused": videos.filter(status=Video.Status.REFUSED)[:MAX_REPORTED],
        "noted": usable.exclude(notes=[])[:MAX_REPORTED],
    }
