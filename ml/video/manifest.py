"""The dataset folder: `manifest.json`, and where its media lie."""

import hashlib
import json
from pathlib import Path

from pydantic import ValidationError

from ml.config.data import Manifest
from ml.config.schema import first_problem
from ml.config.store import MediaStore
from ml.errors import BadLayout
from ml.process import atomic_path
from ml.words import Words

FILE_NAME = "manifest.json"


def load_manifest(folder: Path) -> Manifest:
    """Read a dataset.

    Raises:
        BadLayout: there is none in `folder`, or it is damaged or of another version.
    """
    path = folder / FILE_NAME
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BadLayout(
            "{folder} is no dataset: it has no {file}", "Import videos into it first: python -m ml ingest.", folder=folder, file=FILE_NAME
        ) from error
    except ValidationError as error:
        raise BadLayout(
            "{path} cannot be read: {where}: {problem}",
            "Import the videos again, or restore a backup.",
            path=path,
            **first_problem(error, Words("the whole file")),
        ) from error


def save_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a dataset; the old one stands until the new one is whole."""
    with atomic_path(folder / FILE_NAME) as temporary:
        temporary.write_text(manifest.model_dump_json(indent=1), encoding="utf-8")


def store_of(folder: Path, manifest: Manifest) -> MediaStore:
    """The media store a manifest names, relative to its folder or absolute."""
    return MediaStore((folder / manifest.store).resolve())


def snapshot_id(manifest: Manifest) -> str:
    """Sixteen hex digits of all that an accuracy depends on: classes, videos with their content, splits. Not names, notes or places."""
    content = {
        "classes": manifest.classes,
        "videos": sorted((video.key, video.media, video.label, video.group) for video in manifest.videos),
        "splits": sorted((split.name, sorted(split.subsets.items())) for split in manifest.splits),
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
