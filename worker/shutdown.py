"""One byte that the worker's main process shares with its children: a shutdown has begun.

A lock-free byte, because it is set in a signal handler, and because a child that is killed while it holds a lock would keep it.
"""

import mmap

_page = mmap.mmap(-1, 1)


def announce(**_signal: object) -> None:
    """The worker is going away: running jobs shall save and end."""
    _page[0] = 1


def has_begun() -> bool:
    return _page[0] == 1
