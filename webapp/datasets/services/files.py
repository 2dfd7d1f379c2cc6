"""Taking files away: what that frees, after the rows are gone, and only inside the data folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import transaction


def remove_after_commit(*paths: Path) -> None:
    """Delete files and folders once the transaction is committed; what is gone already is fine.

    Raises:
        ValueError: a path leads out of the data folder.
    """
    root = Path(settings.DATA_DIR).resolve()
    for path in paths:
        if not path.resolve().is_relative_to(root) or path.resolve() == root:
            raise ValueError(f"{path} is not inside {root}")
    transaction.on_commit(lambda: _remove(paths))


def _remove(paths: tuple[Path, ...]) -> None:
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def bytes_in(path: Path) -> int:
    """What a file, or a folder with all in it, takes on disk; 0 where there is none."""
    return sum(_sizes(path)) if path.is_dir() else path.stat().st_size if path.exists() else 0


def _sizes(folder: Path) -> Iterator[int]:
    for root, _names, files in os.walk(folder):
        yield from (size for name in files if (size := _size(Path(root) / name)))


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:  # a temporary file that just became whole
        return 0
