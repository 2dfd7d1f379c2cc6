"""Recent predictions as a table or with everything that was said."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from webapp.downloads import csv_response
from webapp.predictions.models import Prediction
from webapp.predictions.selectors import Answer, own_predictions

EXPORTED = 1000
COLUMNS = ("id", "video", "model", "dataset", "state", "label", "share", "share_is", "confirmed", "protocol", "created")


@require_GET
def prediction_csv(request: HttpRequest) -> HttpResponse:
    """One line a prediction: its best guess and what the user made of it."""
    rows = (_row(prediction) for prediction in own_predictions(request.user)[:EXPORTED])
    return csv_response("predictions.csv", COLUMNS, ([row[name] for name in COLUMNS] for row in rows))


@require_GET
def prediction_json(request: HttpRequest) -> HttpResponse:
    """The same with the whole ranking and every stream's."""
    rows = [{**_row(prediction), "result": prediction.result} for prediction in own_predictions(request.user)[:EXPORTED]]
    return JsonResponse({"predictions": rows}, headers={"Content-Disposition": 'attachment; filename="predictions.json"'})


def _row(prediction: Prediction) -> dict[str, Any]:
    answer = Answer.of(prediction.result)
    label, share = answer.top[0] if answer else ("", None)
    return {
        "id": prediction.pk,
        "video": prediction.upload.name,
        "model": str(prediction.source),
        "dataset": str(prediction.dataset),
        "state": prediction.job.state,
        "label": label,
        "share": share,
        "share_is": "probability" if prediction.source.gives_probabilities else "softmax of SVM margins",
        "confirmed": str(prediction.confirmed_label or ""),
        "protocol": answer.protocol if answer else "",
        "created": prediction.created_at.isoformat(timespec="seconds"),
    }
