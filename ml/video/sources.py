"""The sources of an import: zips, tars, folders, loose files; several are one dataset together."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from ml.errors import BadArchive, BadLayout
from ml.failure import reason_of
from ml.video.archive import open_zip, printable
from ml.video.members import Member, Members
from ml.video.names import ARCHIVE_SUFFIXES, READ_ARCHIVES, decode_name, is_ignorable, suffix_of, why_unsafe
from ml.video.tars import is_tar, open_tar
from ml.words import Words

SEPARATOR = "::"
ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
UNREAD = {b"Rar!": "RAR", b"7z\xbc\xaf": "7z", b"\x28\xb5\x2f\xfd": "zstd", b"\x1f\x9d": "compress"}
PART = r"\.(?:z[0-9]{2}|r[0-9]{2}|[0-9]{3})"
"""Endings of the parts of one archive."""

LET_READ = Words("Let this user read it.")

ArchiveReader = Callable[[Path, str, Members], AbstractContextManager[None]]


@dataclass(frozen=True)
class Source:
    """A path on this machine, and what its owner calls it: an uploaded file lies under an id, without a suffix."""

    path: Path
    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """`PATH` or `PATH::NAME`. The first `::` parts them, so NAME may hold anything; only its last part counts, only to be shown."""
        path, _, name = text.partition(SEPARATOR)
        shown = decode_name(os.fsencode(name or Path(path).resolve().name)).replace("\\", "/").rpartition("/")[2]
        return cls(Path(path), shown)


@contextmanager
def open_sources(sources: Sequence[Source]) -> Iterator[Members]:
    """All files of all sources, readable while the block lasts.

    Raises:
        BadLayout: a source does not exist.
        BadArchive: an archive as a whole cannot be used.
    """
    members = Members()
    with ExitStack() as stack:
        for source in sources:
            if source.path.is_dir():
                _add_folder(source.path, members)
            elif not source.path.is_file():
                raise BadLayout("{path} does not exist", "Check the path.", path=source.path)
            elif reader := _reader(source):
                stack.enter_context(reader(source.path, source.name, members))
            else:
                _add_loose(source, members)
        yield members


def _reader(source: Source) -> ArchiveReader | None:
    """What opens an archive, by its content, for an uploaded file may be called anything; None for what is called no archive.

    Raises:
        BadArchive: an archive of another kind, or something that is only called one.
    """
    suffix = suffix_of(source.name)
    with source.path.open("rb") as handle:
        head = handle.read(8)
    if re.fullmatch(PART, suffix):
        raise BadArchive(
            "{name} is one part of an archive", "Join the parts and unpack them, then import a zip or tar of the videos.", name=source.name
        )
    if head.startswith(ZIP):
        return open_zip
    if is_tar(source.path):
        return open_tar
    if kind := next((kind for magic, kind in UNREAD.items() if head.startswith(magic)), ""):
        raise BadArchive(
            "{name} is a {kind} archive, which is not read",
            "Unpack it, and import a zip or tar of the videos.",
            name=source.name,
            kind=kind,
        )
    if suffix in ARCHIVE_SUFFIXES:
        raise BadArchive(
            "{name} is called a zip, and is none" if suffix == ".zip" else "{name} is called an archive, and is none",
            "Make or download it again: it is damaged, or something else.",
            name=source.name,
        )
    return None


def _add_loose(source: Source, members: Members) -> None:
    if reason := why_unsafe(source.name):
        members.refuse(printable(source.name), reason, "Rename it.")
    else:
        members.add(Member(source.name, source.path.stat().st_size, _opener(source.path)))


def _add_folder(root: Path, members: Members) -> None:
    """Regular files below `root`; links are not followed, for they may lead anywhere."""

    def refuse_folder(error: OSError) -> None:
        name = os.path.relpath(os.fsdecode(error.filename), root)
        members.refuse(printable(name), "The folder cannot be read: {reason}", LET_READ, reason=reason_of(error))

    for folder, subfolders, files in os.walk(root, onerror=refuse_folder, followlinks=False):
        subfolders.sort()
        members.folders |= {_shown(Path(folder, name), root) for name in subfolders}
        for entry in sorted(files) + [name for name in subfolders if Path(folder, name).is_symlink()]:
            path = Path(folder, entry)
            try:
                _add_file(path, root, members)
            except OSError as error:
                members.refuse(printable(_shown(path, root)), "It cannot be read: {reason}", LET_READ, reason=reason_of(error))


def _add_file(path: Path, root: Path, members: Members) -> None:
    name = _shown(path, root)
    if is_ignorable(name):
        members.num_ignored += 1
    elif path.is_symlink() or not path.is_file():
        members.refuse(printable(name), "It is a link or a device, not a file", "Put the file itself into the folder.")
    elif reason := why_unsafe(name):
        members.refuse(printable(name), reason, "Rename it.")
    elif suffix_of(name) in READ_ARCHIVES:
        members.refuse(name, "It is an archive inside the folder", "Unpack it, or name it as a source of its own.")
    elif suffix_of(name) in ARCHIVE_SUFFIXES:
        members.refuse(name, "It is an archive inside the folder", "Unpack it there, then import the folder again.")
    elif not os.access(path, os.R_OK):
        members.refuse(printable(name), "This user may not read it", LET_READ)
    else:
        members.add(Member(name, path.stat().st_size, _opener(path)))


def _shown(path: Path, root: Path) -> str:
    return decode_name(os.fsencode(path.relative_to(root).as_posix()))


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")
