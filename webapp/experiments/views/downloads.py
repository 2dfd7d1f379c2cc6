"""What an evaluation found, as files: per class, per video, the confusion matrix, and the scores that the command line reads."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from webapp.downloads import csv_response
from webapp.experiments.models import Evaluation, VideoScore
from webapp.experiments.results import Results
from webapp.experiments.selectors.access import visible_evaluations
from webapp.experiments.selectors.results import scored_videos
from webapp.metrics import definitions

CLASS_COLUMNS = ("class", "support", "correct", "recall", "recall_low", "recall_high", "precision", "ap", "ap_voc2007", "ap_voc2010")
VIDEO_COLUMNS = ("path", "key", "group", "class", "predicted", "is_correct", "rank_of_class", "share_of_class")
GUESSES = 5


@require_GET
def evaluation_csv(request: HttpRequest, pk: int) -> HttpResponse:
    """The per-class table; its last columns say how the mean of each kind of average precision is defined, and the protocol."""
    evaluation, results = _evaluated(request, pk)
    about = [definitions(row.metric for row in results.mean_average_precisions), results.protocol.description]
    rows = [[row.name, *(_cell(getattr(row, column)) for column in CLASS_COLUMNS[1:]), *about] for row in results.classes]
    return csv_response(f"evaluation-{evaluation.pk}-classes.csv", (*CLASS_COLUMNS, "definitions", "protocol"), rows)


@require_GET
def evaluation_videos_csv(request: HttpRequest, pk: int) -> HttpResponse:
    """One line a video: its class, and the best guesses with the share (0…1) of each; a rank of 1 is a right answer."""
    evaluation, results = _evaluated(request, pk)
    guesses = [f"{column}_{place}" for place in range(1, min(GUESSES, len(results.classes)) + 1) for column in ("guess", "share")]
    header = (*VIDEO_COLUMNS, *guesses, "protocol")
    rows = ([*_of_video(score, results.names), results.protocol.description] for score in scored_videos(evaluation).iterator())
    return csv_response(f"evaluation-{evaluation.pk}-videos.csv", header, rows)


@require_GET
def evaluation_confusion_csv(request: HttpRequest, pk: int) -> HttpResponse:
    """Numbers of videos: a line for each true class, a column for each predicted one."""
    evaluation, results = _evaluated(request, pk)
    rows: Iterable[list[object]] = ([name, *counts] for name, counts in zip(results.names, results.confusion, strict=True))
    return csv_response(f"evaluation-{evaluation.pk}-confusion.csv", ("true / predicted", *results.names), rows)


@require_GET
def evaluation_scores(request: HttpRequest, pk: int) -> FileResponse:
    """The file that `python -m ml fuse` and `metrics` read."""
    evaluation, _ = _evaluated(request, pk)
    try:
        scores = (evaluation.folder / "scores.npz").open("rb")
    except FileNotFoundError as error:
        raise Http404("removed from the data folder") from error
    return FileResponse(scores, as_attachment=True, filename=f"evaluation-{evaluation.pk}-scores.npz")


def _evaluated(request: HttpRequest, pk: int) -> tuple[Evaluation, Results]:
    evaluation = get_object_or_404(visible_evaluations(request.user).exclude(metrics={}), pk=pk)
    return evaluation, Results.of(evaluation.metrics)


def _of_video(score: VideoScore, names: list[str]) -> Iterator[object]:
    yield from (score.video.path, score.video.key, score.video.group, names[score.label_index], names[score.predicted_index])
    yield from (score.is_correct, score.true_rank + 1, _cell(score.true_probability))
    for index, share in score.top:
        yield from (names[index], _cell(share))


def _cell(value: Any) -> Any:
    """Nobody measured more decimals, and rounding errors around zero are no numbers."""
    return round(value, 6) if isinstance(value, float) else value
