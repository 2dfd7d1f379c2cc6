"""Uploads that survive a cut: the row knows how many bytes are safely on disk, and a chunk counts only when it begins there."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, BinaryIO

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.db.models import F, Sum
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _

from ml.errors import UserError
from webapp.datasets.models import Upload

SPARE_BYTES = 256 * 2**20
FORBIDDEN = frozenset("/\\\0")
STALE_AFTER = timedelta(days=1)


class RefusedUpload(UserError):
    """A file that cannot be taken: its name, its size, or no room for it."""


class OffsetConflict(UserError):
    """A chunk that does not begin where the upload stands, or meets another one; `offset` is where to go on."""

    def __init__(self, offset: int) -> None:
        super().__init__(_("The upload stands at byte %(offset)d.") % {"offset": offset}, _("Go on from there."))
        self.offset = offset


def open_upload(user: User, name: str, size: int) -> Upload:
    """An empty upload that waits for its first chunk.

    Raises:
        RefusedUpload: the name or the size is not acceptable, or the disk has no room.
    """
    check_name(name)
    _check_size(name, size)
    upload = Upload.objects.create(user=user, name=name, size=size)
    upload.path.parent.mkdir(parents=True, exist_ok=True)
    upload.path.touch()
    return upload


def check_name(name: str) -> None:
    """Raises RefusedUpload where a name could be anything but one file's name."""
    if not name or len(name) > 255 or name in {".", ".."} or FORBIDDEN & set(name) or any(ord(c) < 32 for c in name):
        shown = name[:80] or _("(empty)")
        raise RefusedUpload(_("“%(name)s” is no file name.") % {"name": shown}, _("Rename the file, without slashes, and try again."))


def _check_size(name: str, size: int) -> None:
    if size <= 0:
        raise RefusedUpload(_("“%(name)s” is empty (0 bytes).") % {"name": name}, _("Choose the file again, or leave it out."))
    if size > settings.UPLOAD_LIMIT_BYTES:
        limit = filesizeformat(settings.UPLOAD_LIMIT_BYTES)
        advice = _("Copy it into a folder on the server and import that folder instead.")
        raise RefusedUpload(_("“%(name)s” is larger than the limit of %(limit)s.") % {"name": name, "limit": limit}, advice)
    free = _free_bytes()
    if size > free:
        text = _("“%(name)s” takes %(size)s, and the server has %(free)s left.")
        words = {"name": name, "size": filesizeformat(size), "free": filesizeformat(max(0, free))}
        raise RefusedUpload(text % words, _("Delete something (the System page shows what takes space), then try again."))


def largest_upload() -> int:
    """What one file may have now: the limit, or less where the disk has no room for it."""
    limit: int = settings.UPLOAD_LIMIT_BYTES
    return max(0, min(limit, _free_bytes()))


def _free_bytes() -> int:
    """What is left on disk beside a reserve and what running uploads will still write."""
    running = Upload.objects.filter(received__lt=F("size"), updated_at__gt=timezone.now() - STALE_AFTER)
    promised = running.aggregate(total=Sum(F("size") - F("received")))["total"] or 0
    return shutil.disk_usage(settings.DATA_DIR).free - SPARE_BYTES - promised


def append_chunk(upload: Upload, offset: int, blocks: Iterable[bytes]) -> int:
    """Write a chunk at `offset`; the new offset, once the bytes are on disk and the row says so.

    Raises:
        OffsetConflict: the upload stands elsewhere, or another chunk is being written right now.
        RefusedUpload: the chunk goes beyond the announced size; nothing of it counts.
    """
    upload.path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(upload.path, os.O_RDWR | os.O_CREAT, 0o640), "r+b") as file:
        _lock(file, upload)
        upload.refresh_from_db(fields=["received"])
        if upload.received != offset:
            raise OffsetConflict(upload.received)
        end = _write(file, upload, offset, blocks)
        if not Upload.objects.filter(pk=upload.pk, received=offset).update(received=end, updated_at=timezone.now()):
            upload.refresh_from_db(fields=["received"])
            raise OffsetConflict(upload.received)
    upload.received = end
    return end


def _lock(file: BinaryIO, upload: Upload) -> None:
    """Own the file until it is closed: two chunks at once would write over each other."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OffsetConflict(upload.received) from error


def _write(file: BinaryIO, upload: Upload, offset: int, blocks: Iterable[bytes]) -> int:
    file.seek(offset)
    end = offset
    for block in blocks:
        end += len(block)
        if end > upload.size:
            file.truncate(offset)
            text = _("“%(name)s” has more bytes than the %(size)d announced.")
            raise RefusedUpload(text % {"name": upload.name, "size": upload.size}, _("It changed meanwhile: choose it again."))
        file.write(block)
    file.flush()
    os.fsync(file.fileno())
    return end


def discard_upload(upload: Upload) -> None:
    """Give an upload up, and its bytes with it."""
    path = upload.path
    upload.delete()
    path.unlink(missing_ok=True)


def store_files(user: User, files: Iterable[UploadedFile[Any]]) -> list[Upload]:
    """Files of a plain form as complete uploads.

    Raises:
        RefusedUpload: one of them cannot be taken.
    """
    uploads = []
    for file in files:
        upload = open_upload(user, file.name or "", file.size or 0)
        append_chunk(upload, 0, file.chunks())
        uploads.append(upload)
    return uploads
