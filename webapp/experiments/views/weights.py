"""Pretrained weights: what each backbone has, and the way in for files that are missing."""

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from ml.config.weights import weights_folder
from ml.errors import UserError
from webapp.datasets.models import Upload
from webapp.datasets.services.uploads import largest_upload, store_files
from webapp.experiments.forms.weights import WeightsForm
from webapp.experiments.models import WeightsFile
from webapp.experiments.services.weights import check_weights, fetch_weights, shelves
from webapp.requests import Request

FILES_SHOWN = 20


@require_http_methods(["GET", "POST"])
def weights_list(request: Request) -> HttpResponse:
    """For everybody to see; whoever runs the site may add files, which all runs then start from."""
    user = request.user
    form = WeightsForm(user, request.POST or None, request.FILES or None)
    if request.method == "POST":
        if not user.is_superuser:
            raise PermissionDenied
        if form.is_valid():
            try:
                check_weights(user, _upload(user, form), form.cleaned_data["backbone"])
                return redirect("experiments:weights_list")
            except UserError as error:
                form.add_error(None, error.sentences)
    files = list(WeightsFile.objects.select_related("job", "user")[:FILES_SHOWN])
    ctx = {"shelves": shelves(), "files": files, "is_live": any(file.job.is_open for file in files), "form": form}
    ctx |= {"folder": weights_folder(), "limit": largest_upload()}
    template = "experiments/_weights_live.html" if request.htmx else "experiments/weights_list.html"
    return render(request, template, ctx)


@require_POST
def weights_fetch(request: Request, backbone: str) -> HttpResponse:
    """Have the published file fetched, unless it is here; where it is on its way already, the message leads to its job."""
    user = request.user
    if not user.is_superuser:
        raise PermissionDenied
    shelf = next((shelf for shelf in shelves() if shelf.backbone == backbone), None)
    if shelf is None:
        raise Http404
    if shelf.wanted.can_be_fetched and not shelf.origin:
        weights, is_new = fetch_weights(user, shelf.backbone)
        if not is_new:
            text, address = _("“%(file)s” is being fetched already."), reverse("jobs:job_detail", args=(weights.job_id,))
            messages.warning(request, format_html('{} <a href="{}">{}</a>', text % {"file": weights}, address, _("Show the job")))
    return redirect("experiments:weights_list")


def _upload(user: User, form: WeightsForm) -> Upload:
    """The one that is through, or the file of the plain form as one.

    Raises:
        RefusedUpload: the file cannot be taken.
    """
    uploads: list[Upload] = [*form.cleaned_data["uploads"]]
    return uploads[0] if uploads else store_files(user, [form.cleaned_data["file"]])[0]
