"""The upload protocol, after tus 1.0: POST opens, HEAD and GET tell the offset, PATCH appends, DELETE gives up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import UUID

from django.conf import settings
from django.db.models import ProtectedError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from ml.errors import UserError
from webapp.datasets.models import Upload
from webapp.datasets.selectors import own_uploads
from webapp.datasets.services.uploads import OffsetConflict, append_chunk, discard_upload, open_upload
from webapp.requests import Request

BLOCK_BYTES = 2**20


@require_POST
def upload_open(request: Request) -> HttpResponse:
    """`{"name", "size"}` → 201 with the address to send chunks to."""
    try:
        wish = json.loads(request.body)
        name, size = str(wish["name"]), int(wish["size"])
    except (ValueError, KeyError, TypeError):
        return JsonResponse({"message": _("Expected JSON with a name and a size.")}, status=400)
    try:
        upload = open_upload(request.user, name, size)
    except UserError as error:
        return _refusal(error, 400)
    return _state(upload, 201)


@require_http_methods(["GET", "HEAD", "PATCH", "DELETE"])
def upload_detail(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    upload = get_object_or_404(own_uploads(request.user), pk=upload_id)
    if request.method == "PATCH":
        return _patch(request, upload)
    if request.method == "DELETE":
        return _delete(upload)
    return _state(upload)


def _patch(request: HttpRequest, upload: Upload) -> HttpResponse:
    offset, length = request.headers.get("Upload-Offset", ""), request.headers.get("Content-Length", "")
    if not offset.isdecimal():
        return JsonResponse({"message": _("The header Upload-Offset must be a number.")}, status=400)
    if not length.isdecimal() or int(length) > settings.UPLOAD_CHUNK_BYTES:
        return JsonResponse({"message": _("A chunk has at most %(n)d bytes.") % {"n": settings.UPLOAD_CHUNK_BYTES}}, status=413)
    try:
        append_chunk(upload, int(offset), _blocks(request))
    except OffsetConflict as conflict:
        upload.received = conflict.offset
        return _state(upload, 409)
    except UserError as error:
        return _refusal(error, 413)
    return _state(upload)


def _blocks(request: HttpRequest) -> Iterator[bytes]:
    """The body as it comes; where the line is cut, what came until then."""
    try:
        while block := request.read(BLOCK_BYTES):
            yield block
    except UnreadablePostError:
        return


def _delete(upload: Upload) -> HttpResponse:
    if upload.imports.exists():
        return JsonResponse({"message": _("An import uses this file."), "advice": _("Discard the import instead.")}, status=409)
    try:
        discard_upload(upload)
    except ProtectedError:
        return JsonResponse({"message": _("A prediction uses this file.")}, status=409)
    return HttpResponse(status=204)


def _state(upload: Upload, status: int = 200) -> HttpResponse:
    url = reverse("datasets:upload", args=(upload.pk,))
    body = {"id": str(upload.pk), "url": url, "offset": upload.received, "size": upload.size, "chunk_bytes": settings.UPLOAD_CHUNK_BYTES}
    headers = {"Upload-Offset": str(upload.received), "Upload-Length": str(upload.size), "Location": url, "Cache-Control": "no-store"}
    return JsonResponse(body, status=status, headers=headers)


def _refusal(error: UserError, status: int) -> HttpResponse:
    return JsonResponse({"message": str(error), "advice": error.advice}, status=status)
