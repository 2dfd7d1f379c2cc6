"""What an import will take on the disk: the files at least, and soon, from the videos so far, what is made of the others."""

import shutil
from collections.abc import Sequence

from ml.config.store import MediaStore
from ml.errors import DiskFull
from ml.video.deposit import ADVICE
from ml.video.layouts.plan import Item
from ml.words import Words

SPARE_BYTES = 64 * 2**20
ENOUGH_VIDEOS = 20
"""So many say something of the rest: packs and proxies take from once to fifty times the bytes of a file, alike in one dataset."""


class Forecast:
    """Refuses an import before the disk is full, and not when it is."""

    def __init__(self, store: MediaStore, items: Sequence[Item]) -> None:
        self._store = store
        self._left = sum(item.member.size for item in items)
        self._read = self._made = self._num_videos = 0

    def check(self) -> None:
        """Is there room for the files themselves?

        Raises:
            DiskFull: no.
        """
        self._compare(self._left, Words("The import needs at least {needed} on the disk, {free} are free"))

    def note(self, media: str, size: int) -> None:
        """One of the videos is done: is there room for what the others will take, if they take as much as those so far?

        Raises:
            DiskFull: no.
        """
        self._read += size
        self._made += sum(path.stat().st_size for path in self._store.folder(media).iterdir())
        self._left -= size
        self._num_videos += 1
        if self._num_videos >= ENOUGH_VIDEOS:
            needed = round(self._left * self._made / self._read)
            self._compare(needed, Words("The rest of the import will take about {needed} on the disk, {free} are free"))

    def _compare(self, needed: int, says: Words) -> None:
        free = shutil.disk_usage(self._store.root).free
        if needed + SPARE_BYTES > free:
            raise DiskFull(says.template, ADVICE, needed=_gigabytes(needed), free=_gigabytes(free))


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:,.2f} GB"
