"""Serving the files we made: fixed types, byte ranges for seeking, cached by content."""

from __future__ import annotations

import re
from pathlib import Path
from typing import BinaryIO

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified

RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def serve(request: HttpRequest, path: Path, content_type: str, etag: str, filename: str = "") -> HttpResponseBase:
    """A whole file, or the one range asked for; as a download when it has a `filename`.

    Raises:
        Http404: there is no such file (yet).
    """
    try:
        file = path.open("rb")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Http404("not made yet") from error
    size = path.stat().st_size
    response = _answer(request, file, size, f'"{etag}"')
    if response.status_code in (200, 206):
        response["Content-Type"] = content_type
        response["Accept-Ranges"] = "bytes"
        if filename:
            response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["ETag"] = f'"{etag}"'
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _answer(request: HttpRequest, file: BinaryIO, size: int, etag: str) -> HttpResponseBase:
    if request.headers.get("If-None-Match") == etag:
        file.close()
        return HttpResponseNotModified()
    span = byte_range(request.headers.get("Range", ""), size) if request.headers.get("If-Range", etag) == etag else (0, size)
    if span is None:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    start, end = span
    if (start, end) == (0, size) and "Range" not in request.headers:
        return FileResponse(file)
    response = FileResponse(Span(file, start, end), status=206)
    response["Content-Length"] = str(end - start)
    response["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return response


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """`Range` header → [start, end) in bytes; None where it cannot be met (RFC 9110, 14.2), all where it says nothing we know."""
    match = RANGE.fullmatch(header.strip())
    if match is None or match[1] == match[2] == "":
        return (0, size)
    if match[1] == "":
        length = int(match[2])
        return (max(0, size - length), size) if length and size else None
    start = int(match[1])
    end = min(size, int(match[2]) + 1) if match[2] else size
    if match[2] and int(match[2]) < start:
        return (0, size)
    return (start, end) if start < size else None


class Span:
    """A part of an open file that reads like a file of its own, and closes it."""

    def __init__(self, file: BinaryIO, start: int, end: int) -> None:
        file.seek(start)
        self._file, self._left = file, end - start
        self.close = file.close

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(block)
        return block
