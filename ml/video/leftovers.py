"""Temporary files of processes that were killed: they go when somebody next works in their folder."""

import re
from pathlib import Path


def remove_leftovers(folder: Path) -> None:
    """Remove `.<name>.<process>.tmp` of processes that are gone; those of living ones stay."""
    for path in folder.glob(".*.tmp"):
        match = re.fullmatch(r"\..*\.([0-9]+)\.tmp", path.name)
        if match and not Path("/proc", match[1]).exists():
            path.unlink(missing_ok=True)
