"""What the pages of an import show."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webapp.datasets.models import Dataset, Import, Video
from webapp.datasets.selectors import AnyUser, visible_datasets

MAX_FOLDERS = 200
DEPTH = 2
MAX_REPORTED = 200
NAMED = 5


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


def preview_warnings(preview: dict[str, Any]) -> list[str]:
    """What will hurt later and can be known from names and counts alone."""
    return [*_untested_splits(preview), *_lonely_classes(preview)]


def _untested_splits(preview: dict[str, Any]) -> list[str]:
    advice = _("What trains on it cannot be tested: name test videos in the list, or give smaller groups.")
    untested = [split["name"] for split in preview.get("splits", []) if not split["test"]]
    return [_("Split “%(name)s” has no test videos.") % {"name": name} + f" {advice}" for name in untested]


def _lonely_classes(preview: dict[str, Any]) -> list[str]:
    names = [one["name"] for one in preview.get("classes", []) if one["videos"] == 1]
    text = ngettext(
        "%(n)d class has a single video, which can be trained on or tested, not both: %(names)s",
        "%(n)d classes have a single video, which can be trained on or tested, not both: %(names)s",
        len(names),
    )
    return [text % {"n": len(names), "names": some(names)}] if names else []


def some(names: list[str]) -> str:
    """The first few of many, for a message."""
    return ", ".join(names[:NAMED]) + (" …" if len(names) > NAMED else "")


def lacks_groups(preview: dict[str, Any]) -> bool:
    """Whether the split would be ours, and nothing says from which recording some of the videos were cut."""
    splits = preview.get("splits", [])
    return bool(preview.get("ungrouped")) and all(split["origin"] == "generated" for split in splits)


def is_name_taken(user: AnyUser, name: str) -> bool:
    """Whether the user would see two datasets of this name."""
    return visible_datasets(user).filter(name__iexact=name.strip()).exists()


def is_left_empty(import_: Import) -> bool:
    """Whether it made a dataset, and nothing came into it."""
    dataset = import_.dataset
    return dataset is not None and not dataset.videos.exists() and not dataset.labels.exists()


def report_of(dataset: Dataset) -> dict[str, object]:
    """What an import gave: how many videos came in, which were refused and why, and what was noted about the rest."""
    videos = Video.objects.filter(dataset=dataset)
    usable = videos.filter(status=Video.Status.OK)
    return {
        "num_imported": usable.count(),
        "refused": videos.filter(status=Video.Status.REFUSED)[:MAX_REPORTED],
        "noted": usable.exclude(notes=[])[:MAX_REPORTED],
    }
