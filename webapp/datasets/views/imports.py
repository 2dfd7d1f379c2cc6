"""Import in steps: sources, preview with options, report."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ml.config.data import FrameSpec
from ml.errors import UserError
from webapp.datasets.forms.imports import ConfirmImportForm, ImportForm
from webapp.datasets.models import Import
from webapp.datasets.selectors import own_imports
from webapp.datasets.selectors.imports import (
    is_left_empty,
    is_name_taken,
    lacks_groups,
    needs_split,
    preview_warnings,
    report_of,
    server_folders,
)
from webapp.datasets.selectors.overview import imports_to_confirm
from webapp.datasets.services.deletion import delete_dataset
from webapp.datasets.services.imports import confirm_import, discard_import, latest_job, start_import, suggested_name
from webapp.datasets.services.uploads import largest_upload, store_files
from webapp.jobs.models import Job
from webapp.jobs.services import acknowledge, restart
from webapp.requests import Request, told


@require_http_methods(["GET", "POST"])
def import_new(request: Request) -> HttpResponse:
    """Step 1: files or a folder on the server."""
    user = request.user
    form = ImportForm(user, *((request.POST, request.FILES) if request.method == "POST" else ()))
    if request.method == "POST" and form.is_valid():
        try:
            uploads = [*form.cleaned_data["uploads"], *store_files(user, form.cleaned_data["file"])]
            return redirect("datasets:import_detail", start_import(user, uploads, form.cleaned_data["folder"]).pk)
        except UserError as error:
            form.add_error(None, error.sentences)
    ctx = {
        "form": form,
        "folders": server_folders(),
        "roots": settings.IMPORT_ROOTS,
        "limit": largest_upload(),
        "waiting_imports": imports_to_confirm(user),
    }
    return render(request, "datasets/import_new.html", ctx, status=400 if form.errors else 200)


@require_GET
def import_detail(request: Request, import_id: int) -> HttpResponse:
    """Steps 2 and 3: progress, then the preview, then progress, then the report."""
    import_ = get_object_or_404(own_imports(request.user), pk=import_id)
    form = ConfirmImportForm(needs_split=needs_split(import_), initial={"name": suggested_name(import_)})
    partial = request.htmx
    return render(request, "datasets/_import_live.html" if partial else "datasets/import_detail.html", _context(import_, form))


def _context(import_: Import, form: ConfirmImportForm) -> dict[str, object]:
    """What of the page shows follows from the newest job and the rows; nothing else keeps a step."""
    job = latest_job(import_)
    if job is not None and job.state == Job.State.FAILED and not job.acknowledged:
        acknowledge(job)  # whoever reads why here need not be told again
    is_done = job is not None and job.state == Job.State.DONE
    return {
        "import": import_,
        "job": job,
        "form": form,
        "preview": import_.preview,
        "left_empty": is_left_empty(import_),
        "is_live": job is not None and job.is_open,
        "proposes_split": needs_split(import_),
        "warnings": preview_warnings(import_.preview),
        "lacks_groups": lacks_groups(import_.preview),
        "is_name_taken": is_name_taken(import_.user, str(form["name"].value() or "")),
        "shows_preview": import_.dataset_id is None and bool(import_.preview),
        "shows_report": import_.dataset_id is not None and is_done,
        "report": report_of(import_.dataset) if import_.dataset is not None and is_done else {},
    }


@require_POST
def import_confirm(request: HttpRequest, import_id: int) -> HttpResponse:
    import_ = get_object_or_404(own_imports(request.user), pk=import_id)
    form = ConfirmImportForm(request.POST, needs_split=needs_split(import_))
    if not form.is_valid():
        return render(request, "datasets/import_detail.html", _context(import_, form), status=400)
    given = form.cleaned_data
    spec = FrameSpec(short_side=given["short_side"])
    with told(request):
        has_twin = is_name_taken(request.user, given["name"])
        confirm_import(import_, name=given["name"], description=given["description"], frame_spec=spec, split=form.split)
        if has_twin:
            messages.warning(request, _("There are two datasets called “%(name)s” now: rename one on its page.") % {"name": given["name"]})
    return redirect("datasets:import_detail", import_.pk)


@require_POST
def import_retry(request: HttpRequest, import_id: int) -> HttpResponse:
    import_ = get_object_or_404(own_imports(request.user), pk=import_id)
    job = latest_job(import_)
    with told(request):
        if job is not None:
            restart(job)
    return redirect("datasets:import_detail", import_.pk)


@require_POST
def import_discard(request: HttpRequest, import_id: int) -> HttpResponse:
    import_ = get_object_or_404(own_imports(request.user), pk=import_id)
    try:
        if import_.dataset is not None and is_left_empty(import_):
            delete_dataset(import_.dataset)
        else:
            discard_import(import_)
    except UserError as error:
        messages.error(request, error.sentences)
        return redirect("datasets:import_detail", import_id)
    return redirect("datasets:dataset_list")
