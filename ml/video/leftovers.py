"""Temporary files of processes that were killed: they go when somebody next works in their folder."""

import re
from pathlib import Path

import psutil


def remove_leftovers(folder: Path) -> None:
    """Remove `.<name>.<process>.tmp` of processes that are gone; those of living ones stay."""
    for path in folder.glob(".*.tmp"):
        match = re.fullmatch(r"\..*\.([0-9]+)\.tmp", path.name)
        if match and not is_running(int(match[1])):
            path.unlink(missing_ok=True)


def is_running(process: int) -> bool:
    """Is there such a process, and is it more than a zombie nobody has buried?"""
    try:
        return bool(psutil.Process(process).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
