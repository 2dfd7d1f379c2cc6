"""The sources of an import: zips, folders, loose files; several are one dataset together."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from ml.errors import BadArchive, BadLayout
from ml.video.archive import open_zip, printable
from ml.video.members import Member, Members
from ml.video.names import ARCHIVE_SUFFIXES, decode_name, is_ignorable, suffix_of, why_unsafe

SEPARATOR = "::"


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
            elif _is_zip(source):
                stack.enter_context(open_zip(source.path, source.name, members))
            else:
                _add_loose(source, members)
        yield members


def _is_zip(source: Source) -> bool:
    """By content, for an uploaded file may be called anything.

    Raises:
        BadArchive: an archive of another kind, or something that is only called .zip.
    """
    with source.path.open("rb") as handle:
        has_magic = handle.read(4) in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
    if not has_magic and suffix_of(source.name) == ".zip":
        raise BadArchive(
            "{name} is called a zip, and is none", "Make or download it again: it is damaged, or something else.", name=source.name
        )
    if not has_magic and suffix_of(source.name) in ARCHIVE_SUFFIXES:
        raise BadArchive("{name} is no zip file", "Unpack it, and make a zip of the videos.", name=source.name)
    return has_magic


def _add_loose(source: Source, members: Members) -> None:
    if reason := why_unsafe(source.name):
        members.refuse(printable(source.name), reason, "Rename it.")
    else:
        members.add(Member(source.name, source.path.stat().st_size, _opener(source.path)))


def _add_folder(root: Path, members: Members) -> None:
    """Regular files below `root`; links are not followed, for they may lead anywhere."""
    for folder, subfolders, files in os.walk(root, followlinks=False):
        subfolders.sort()
        members.folders |= {decode_name(os.fsencode(Path(folder, name).relative_to(root).as_posix())) for name in subfolders}
        for entry in sorted(files) + [name for name in subfolders if Path(folder, name).is_symlink()]:
            path = Path(folder, entry)
            name = decode_name(os.fsencode(path.relative_to(root).as_posix()))
            if is_ignorable(name):
                members.num_ignored += 1
            elif path.is_symlink() or not path.is_file():
                members.refuse(printable(name), "It is a link or a device, not a file", "Put the file itself into the folder.")
            elif reason := why_unsafe(name):
                members.refuse(printable(name), reason, "Rename it.")
            elif suffix_of(name) in ARCHIVE_SUFFIXES:
                members.refuse(name, "It is an archive inside the folder", "Unpack it, or name it as a source of its own.")
            else:
                members.add(Member(name, path.stat().st_size, _opener(path)))


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")
