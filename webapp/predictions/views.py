"""Predict: upload videos, choose who predicts, read what came out, and send it to a dataset."""

from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST, require_safe

from ml.errors import UserError
from webapp.datasets.media import serve
from webapp.datasets.selectors import editable_datasets, visible_datasets
from webapp.datasets.services.uploads import store_files
from webapp.experiments.result_links import ids_in
from webapp.jobs.models import Job
from webapp.jobs.services import acknowledge
from webapp.predictions.deletion import delete_predictions
from webapp.predictions.forms import ConfirmForm, PredictForm, SendForm
from webapp.predictions.models import Prediction
from webapp.predictions.proposal import proposal
from webapp.predictions.selectors import Answer, own_predictions, sending_job, visible_predictions
from webapp.predictions.services import confirm, predict, send_to_dataset
from webapp.requests import Request, told

LISTED = 50


@require_GET
def prediction_list(request: HttpRequest) -> HttpResponse:
    """A place to drop videos, and what was predicted last; the table asks for itself again while anything is open."""
    page = Paginator(own_predictions(request.user), LISTED).get_page(request.GET.get("page"))
    form, asked = PredictForm(request.user), request.GET.get("model", "")
    proposed = None if asked in form.heads else proposal(request.user, form.heads)
    form.initial["model"] = proposed.key if proposed else asked
    ctx = {
        "form": form,
        "proposed": proposed,
        "page": page,
        "rows": [(prediction, Answer.of(prediction.result)) for prediction in page],
        "is_live": any(prediction.job.is_open for prediction in page),
    }
    return render(request, "predictions/prediction_list.html", ctx)


@require_POST
def prediction_create(request: Request) -> HttpResponse:
    """Predictions for uploads that are here already, and for files of the plain form."""
    user = request.user
    form = PredictForm(user, request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose a finished run or a fusion to predict with, and videos that are still here."))
        return redirect("predictions:prediction_list")
    try:
        files = [file for file in request.FILES.getlist("videos") if isinstance(file, UploadedFile)]
        uploads = [*form.cleaned_data["uploads"], *store_files(user, files)]
        predictions = predict(user, uploads, form.head)
    except UserError as error:
        messages.error(request, error.sentences)
        return redirect("predictions:prediction_list")
    if len(predictions) == 1:
        return redirect("predictions:prediction_detail", predictions[0].pk)
    return redirect("predictions:prediction_list")


@require_GET
def prediction_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The answer for one video; until it is there, how far the job is."""
    prediction = _prediction(request, pk)
    dataset = visible_datasets(request.user).filter(pk=prediction.dataset.pk).first()
    answer = Answer.of(prediction.result)
    if prediction.job.state == Job.State.FAILED and prediction.user_id == request.user.pk:
        acknowledge(prediction.job)  # whoever reads why here need not be told again
    ctx = {
        "prediction": prediction,
        "job": prediction.job,
        "answer": answer,
        "dataset": dataset,
        "form": _confirm_form(prediction, answer, dataset) if answer and dataset else None,
        "send_form": SendForm(),
        "may_send": editable_datasets(request.user).filter(pk=prediction.dataset.pk).exists(),
        "sending": sending_job(prediction),
        "has_proxy": (prediction.folder / "proxy.mp4").exists(),
    }
    return render(request, "predictions/prediction_detail.html", ctx)


def _confirm_form(prediction: Prediction, answer: Answer, dataset: Any) -> ConfirmForm:
    """The confirmed label is chosen, else the best guess."""
    best = dataset.labels.filter(name=answer.top[0][0]).first() if answer.top else None
    return ConfirmForm(dataset, initial={"label": prediction.confirmed_label or best})


@require_POST
def prediction_confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept the label, or correct it."""
    prediction = _prediction(request, pk)
    dataset = get_object_or_404(visible_datasets(request.user), pk=prediction.dataset.pk)
    form = ConfirmForm(dataset, request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose one of the dataset’s classes."))
        return redirect("predictions:prediction_detail", pk)
    with told(request):
        confirm(prediction, form.cleaned_data["label"])
    return redirect("predictions:prediction_detail", pk)


@require_POST
def prediction_send(request: Request, pk: int) -> HttpResponse:
    """The loop closes: the video goes into the dataset under its confirmed label."""
    prediction = _prediction(request, pk)
    get_object_or_404(editable_datasets(request.user), pk=prediction.dataset.pk)
    form = SendForm(request.POST)
    if not form.is_valid():
        messages.error(request, f"{form.fields['group'].label}: {form.errors['group'][0]}")
        return redirect("predictions:prediction_detail", pk)
    with told(request):
        send_to_dataset(prediction, request.user, form.cleaned_data["group"])
        messages.success(request, _("The video is on its way into the dataset."))
    return redirect("predictions:prediction_detail", pk)


@require_POST
def prediction_delete(request: HttpRequest) -> HttpResponse:
    """The ticked predictions go with their files; what was sent to a dataset stays there."""
    ids = ids_in(request.POST.getlist("predictions"))
    if not ids:
        messages.warning(request, _("Nothing is ticked: tick one row or more first."))
        return redirect("predictions:prediction_list")
    found = visible_predictions(request.user).in_bulk(ids)
    if len(found) != len(ids):
        raise Http404
    try:
        freed = delete_predictions(list(found.values()))
    except UserError as error:
        messages.error(request, error.sentences)
        return redirect("predictions:prediction_list")
    text = ngettext("%(n)d prediction was deleted; %(size)s freed.", "%(n)d predictions were deleted; %(size)s freed.", len(found))
    messages.success(request, text % {"n": len(found), "size": filesizeformat(freed)})
    return redirect("predictions:prediction_list")


@require_safe
def prediction_proxy(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The video as any browser plays it."""
    prediction = _prediction(request, pk)
    return serve(request, prediction.folder / "proxy.mp4", "video/mp4", f"prediction-{prediction.pk}-proxy")


@require_safe
def prediction_poster(request: HttpRequest, pk: int) -> HttpResponseBase:
    prediction = _prediction(request, pk)
    return serve(request, prediction.folder / "poster.jpg", "image/jpeg", f"prediction-{prediction.pk}-poster")


def _prediction(request: HttpRequest, pk: int) -> Prediction:
    return get_object_or_404(visible_predictions(request.user), pk=pk)
