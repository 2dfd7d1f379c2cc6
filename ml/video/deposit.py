"""Bringing a file into the media store: copied as a stream, named by its content."""

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

from ml.config.store import MediaStore
from ml.errors import BadVideo, DiskFull
from ml.failure import reason_of
from ml.process import temporary_beside
from ml.video.leftovers import remove_leftovers
from ml.video.members import Member

CHUNK = 2**20
ADVICE = "Free some space, then start the import again: it goes on where it stopped."


def disk_full() -> DiskFull:
    return DiskFull("The disk is full", ADVICE)


def deposit(store: MediaStore, member: Member) -> tuple[str, int]:
    """Copy a file to the place its SHA-256 names, unless it is there; the hash and the bytes really read.

    Raises:
        BadVideo: it cannot be read.
        DiskFull: as its name says.
    """
    incoming = store.root / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    remove_leftovers(incoming)
    arrival = temporary_beside(incoming / "arrival")
    try:
        media, size = _copy(member.open, arrival)
        _settle(arrival, store.original(media), size)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise disk_full() from error
        raise BadVideo("It cannot be read: {reason}", "Check that the file is there and readable.", reason=reason_of(error)) from error
    finally:
        arrival.unlink(missing_ok=True)
    return media, size


def _settle(arrival: Path, target: Path, size: int) -> None:
    """A rename within the store: whole or not at all."""
    if not (target.is_file() and target.stat().st_size == size):
        target.parent.mkdir(parents=True, exist_ok=True)
        arrival.replace(target)


def _copy(source: Callable[[], IO[bytes]], target: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with source() as stream, target.open("wb") as out:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
            size += out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest(), size
