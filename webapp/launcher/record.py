"""Who runs on a data folder, and where: one launcher at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from ml.errors import FolderBusy
from ml.process import atomic_path, locked

RECORD = "launch.json"


@contextmanager
def only_launcher(run: Path) -> Iterator[None]:
    """Own the `run` folder of a data folder while inside.

    Raises:
        CommandError: another launcher does; says where its site is.
    """
    try:
        with locked(run):
            yield
            (run / RECORD).unlink(missing_ok=True)
    except FolderBusy as error:
        found = read_record(run)
        where = f" as process {found['pid']}: {found['url']}" if found else ""
        raise CommandError(f"Kinetoscope is already running on {run.parent}{where}") from error


def write_record(run: Path, **facts: Any) -> None:
    """Write down where things are, for this user's eyes only: it holds the broker's password."""
    with atomic_path(run / RECORD) as temporary:
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps({"pid": os.getpid(), **facts}))


def read_record(run: Path) -> dict[str, Any]:
    """What the launcher wrote; empty when there is none."""
    try:
        found: dict[str, Any] = json.loads((run / RECORD).read_text())
    except FileNotFoundError:
        return {}
    return found
