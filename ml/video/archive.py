"""Zip files from strangers: their central directory alone says what is inside; members are read as streams with limits."""

import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ml.errors import BadArchive, BadVideo
from ml.video.members import Member, Members
from ml.video.names import ARCHIVE_SUFFIXES, decode_name, is_ignorable, suffix_of, tidy, why_unsafe
from ml.words import Words

MAX_MEMBERS = 500_000
MAX_RATIO = 200
"""Bytes out for one byte in. Videos hardly shrink; what does more is a bomb."""

RATIO_FREE_BYTES = 16 * 2**20
UTF8_FLAG, ENCRYPTED_FLAG = 0x800, 0x1
DAMAGED = (zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)

LINK = Words("It is a link or a device, not a file"), Words("Put the file itself into the archive.")
ARCHIVED_TWICE = Words("It is an archive inside the archive"), Words("Unpack it, and make one archive of the videos.")


@contextmanager
def open_zip(path: Path, shown_as: str, members: Members) -> Iterator[None]:
    """Add the files of the zip at `path` to `members`; they can be read while the block lasts.

    Raises:
        BadArchive: the archive as a whole is damaged, a bomb, or too full.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, UnicodeDecodeError, ValueError, OverflowError) as error:
        raise BadArchive(
            "{name} is damaged or was cut off: {problem}",
            "Make the zip again, or copy or upload it again.",
            name=shown_as,
            problem=error,
        ) from error
    with archive:
        entries = archive.infolist()
        _check_whole(path, shown_as, entries)
        for entry in entries:
            _add(archive, entry, members)
        yield


def _check_whole(path: Path, shown_as: str, entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MAX_MEMBERS:
        raise BadArchive(
            "{name} holds {count} files (limit {limit})",
            "Split it into several zips.",
            name=shown_as,
            count=f"{len(entries):,}",
            limit=f"{MAX_MEMBERS:,}",
        )
    total, compressed = sum(entry.file_size for entry in entries), path.stat().st_size
    if total > RATIO_FREE_BYTES + MAX_RATIO * compressed:
        raise BadArchive(
            "{name} would unpack to {total} bytes from {compressed}: that is no archive of videos",
            "Make the zip again from the videos alone.",
            name=shown_as,
            total=f"{total:,}",
            compressed=f"{compressed:,}",
        )


def _add(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, members: Members) -> None:
    name = _name_of(entry)
    if not name or is_ignorable(name):
        members.num_ignored += 1
    elif name.endswith("/"):
        members.folders.add(name.rstrip("/"))
    elif reason := _why_refused(entry, name):
        members.refuse(printable(name), *reason)
    else:
        limit = min(entry.file_size, RATIO_FREE_BYTES + MAX_RATIO * entry.compress_size)
        members.add(Member(name, entry.file_size, opener(lambda: archive.open(entry), limit), entry.compress_size))


def _name_of(entry: zipfile.ZipInfo) -> str:
    """The name as written: zipfile itself cuts it at a NUL and reads what is not UTF-8 as code page 437."""
    encoding = "utf-8" if entry.flag_bits & UTF8_FLAG else "cp437"
    return tidy(decode_name(entry.orig_filename.encode(encoding), "cp437"))


def _why_refused(entry: zipfile.ZipInfo, name: str) -> tuple[str, str] | None:
    mode = entry.external_attr >> 16
    if unsafe := why_unsafe(name):
        return unsafe, Words("Rename it and make the archive again.")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return LINK
    if entry.flag_bits & ENCRYPTED_FLAG:
        return Words("It is encrypted"), Words("Make the zip without a password.")
    if entry.compress_type not in METHODS:
        return Words("It is compressed by a method that is not read"), Words("Make the zip again with the usual method, Deflate.")
    return ARCHIVED_TWICE if suffix_of(name) in ARCHIVE_SUFFIXES else None


def opener(open_member: Callable[[], IO[bytes]], limit: int) -> Callable[[], IO[bytes]]:
    """Opens a member of an archive as a stream of no more than `limit` bytes."""
    return lambda: io.BufferedReader(MemberStream(open_member, limit))


class MemberStream(io.RawIOBase):
    """A member's bytes, counted as they come: neither more than its share nor more than declared.

    Raises:
        BadVideo: the member is damaged or unpacks to more than it may.
    """

    def __init__(self, open_member: Callable[[], IO[bytes]], limit: int) -> None:
        self._limit, self._count = limit, 0
        try:
            self._stream = open_member()
        except DAMAGED as error:
            raise BadVideo("It cannot be unpacked: {problem}", "Make the archive again.", problem=error) from error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._stream.read(len(buffer))
        except DAMAGED as error:
            raise BadVideo(
                "It is damaged inside the archive: {problem}", "Make the archive again, or copy or upload it again.", problem=error
            ) from error
        self._count += len(data)
        if self._count > self._limit:
            raise BadVideo(
                "It unpacks to more than {limit} bytes", "Make the archive again from the videos alone.", limit=f"{self._limit:,}"
            )
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


def printable(name: str) -> str:
    """A hostile name as it may be shown: control characters and lone surrogates escaped, and not endless."""
    escaped = "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in name)
    return escaped if len(escaped) <= MAX_SHOWN else escaped[: MAX_SHOWN - 1] + "…"


MAX_SHOWN = 300
