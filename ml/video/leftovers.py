"""Temporary files of processes that were killed: they go when somebody next works in their folder."""

import re
import time
from pathlib import Path

import psutil

from ml.process import process_table

ABANDONED_SECONDS = 24 * 3600.0
"""After so long without a byte, a file whose writer cannot be asked for is nobody's; a living one adds some every few seconds."""


def remove_leftovers(folder: Path) -> None:
    """Remove what `ml.process.temporary_beside` named and nobody writes any more.

    Of processes of this machine those that are gone; of other machines, which may share the folder, what is a day old.
    """
    for path in folder.glob(".*.tmp"):
        match = re.fullmatch(r"\..*\.(?:([0-9a-f]{8})-)?([0-9]+)\.tmp", path.name)
        if match and not (is_running(int(match[2])) if match[1] == process_table() else _is_fresh(path)):
            path.unlink(missing_ok=True)


def is_running(process: int) -> bool:
    """Is there such a process, and is it more than a zombie nobody has buried?"""
    try:
        return bool(psutil.Process(process).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _is_fresh(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime < ABANDONED_SECONDS
    except FileNotFoundError:
        return False
