"""Predict: upload videos, choose who predicts, read what came out."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.predictions.selectors import predicting_fusions, predicting_runs, visible_predictions


@require_GET
def prediction_list(request: HttpRequest) -> HttpResponse:
    """A place to drop videos, and what was predicted last."""
    ctx = {
        "runs": predicting_runs(request.user),
        "fusions": predicting_fusions(request.user),
        "predictions": visible_predictions(request.user)[:50],
    }
    return render(request, "predictions/prediction_list.html", ctx)
