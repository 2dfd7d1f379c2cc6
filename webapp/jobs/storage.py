"""What the System page says of this machine: versions, and the space the data folder takes."""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from django.conf import settings

PACKAGES = ("django", "celery", "redis", "torch", "torchvision", "opencv-contrib-python-headless", "av", "numpy")
FRESH_SECONDS = 60


@dataclass(frozen=True)
class Disk:
    """The file system of the data folder, in bytes."""

    total: int
    used: int
    free: int


@dataclass(frozen=True)
class Folder:
    """A folder of the data folder, with all that is in it."""

    name: str
    files: int
    bytes: int


def versions() -> dict[str, str]:
    """Version of Python and of the packages installed beside this process."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def disk() -> Disk:
    """What is left where the data lies."""
    usage = shutil.disk_usage(settings.DATA_DIR)
    return Disk(usage.total, usage.used, usage.free)


def folders() -> list[Folder]:
    """The data folder by its folders, largest first; counted anew at most once a minute."""
    return _folders(int(time.monotonic() // FRESH_SECONDS))


@lru_cache(maxsize=1)
def _folders(_minute: int) -> list[Folder]:
    counted = [_counted(path) for path in Path(settings.DATA_DIR).iterdir() if path.is_dir()]
    return sorted(counted, key=lambda folder: folder.bytes, reverse=True)


def _counted(path: Path) -> Folder:
    sizes = list(_sizes(path))
    return Folder(path.name, len(sizes), sum(sizes))


def _sizes(path: Path) -> Iterator[int]:
    for folder, _names, files in os.walk(path):
        for name in files:
            try:
                yield (Path(folder) / name).lstat().st_size
            except FileNotFoundError:  # deleted meanwhile
                continue
