"""Tar files from strangers, plain or compressed: read as streams, nothing is unpacked to any path of theirs."""

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from ml.errors import BadArchive
from ml.video.archive import ARCHIVED_TWICE, DAMAGED, LINK, MAX_MEMBERS, MAX_RATIO, RATIO_FREE_BYTES, opener, printable
from ml.video.members import Member, Members
from ml.video.names import ARCHIVE_SUFFIXES, decode_name, is_ignorable, suffix_of, tidy, why_unsafe

COMPRESSED: dict[bytes, Callable[[Path], IO[bytes]]] = {b"\x1f\x8b": gzip.GzipFile, b"BZh": bz2.BZ2File, b"\xfd7zXZ": lzma.LZMAFile}  # type: ignore[dict-item]
MAGIC, MAGIC_PLACE = b"ustar", 257
MAX_HEADER = 2**20
"""Bytes of a header, which is read at once; data are read in smaller pieces."""
BROKEN = (*DAMAGED, tarfile.TarError, lzma.LZMAError, OSError)


def is_tar(path: Path) -> bool:
    """Whether it begins like a tar, or like something compressed that may be one."""
    with path.open("rb") as file:
        head = file.read(MAGIC_PLACE + len(MAGIC))
    return head.endswith(MAGIC) or any(head.startswith(magic) for magic in COMPRESSED)


@contextmanager
def open_tar(path: Path, shown_as: str, members: Members) -> Iterator[None]:
    """Add the files of the tar at `path` to `members`; they can be read while the block lasts, fastest in the order of their places.

    Raises:
        BadArchive: the archive as a whole is damaged, a bomb, too full or no tar.
    """
    with _Unpacked(path) as stream:
        try:
            archive = tarfile.TarFile(fileobj=cast(IO[bytes], stream))
            for entry in _entries(archive, path, shown_as):
                _add(archive, entry, members)
        except BROKEN as error:
            raise BadArchive(
                "{name} is no tar, or is damaged or was cut off: {problem}",
                "Make the tar again, or copy or upload it again; unpack what is no tar.",
                name=shown_as,
                problem=str(error) or type(error).__name__,
            ) from error
        yield
        archive.close()


class _Unpacked:
    """The bytes of the tar. A header that claims to be large would be read at once, and take all memory: that is an error."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            head = file.read(6)
        unpack = next((unpack for magic, unpack in COMPRESSED.items() if head.startswith(magic)), _plain)
        self._stream = unpack(path)
        self.seek, self.tell = self._stream.seek, self._stream.tell

    def read(self, size: int) -> bytes:
        if size > MAX_HEADER:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return self._stream.read(size)

    def __enter__(self) -> "_Unpacked":
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


def _plain(path: Path) -> IO[bytes]:
    return path.open("rb")


def _entries(archive: tarfile.TarFile, path: Path, shown_as: str) -> Iterator[tarfile.TarInfo]:
    """Each is checked before the data of it are passed over."""
    total, compressed = 0, path.stat().st_size
    for number, entry in enumerate(archive, 1):
        total += entry.size
        if number > MAX_MEMBERS or total > RATIO_FREE_BYTES + MAX_RATIO * compressed:
            raise BadArchive(
                "{name} would unpack to {count} files of {total} bytes and more, from {compressed}: that is no archive of videos",
                "Make it again from the videos alone.",
                name=shown_as,
                count=f"{number:,}",
                total=f"{total:,}",
                compressed=f"{compressed:,}",
            )
        yield entry


def _add(archive: tarfile.TarFile, entry: tarfile.TarInfo, members: Members) -> None:
    name = tidy(decode_name(entry.name.encode("utf-8", "surrogateescape")))
    if name in {"", "."} or is_ignorable(name):
        members.num_ignored += 1
    elif reason := why_unsafe(name):
        members.refuse(printable(name), reason, "Rename it and make the archive again.")
    elif entry.isdir():
        members.folders.add(name)
    elif not entry.isreg():
        members.refuse(printable(name), *LINK)
    elif suffix_of(name) in ARCHIVE_SUFFIXES:
        members.refuse(printable(name), *ARCHIVED_TWICE)
    else:
        members.add(
            Member(name, entry.size, opener(lambda: cast(IO[bytes], archive.extractfile(entry)), entry.size), place=entry.offset_data)
        )
