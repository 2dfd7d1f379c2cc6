"""Where the videos of an evaluation lie: maps, measures, classes that lie too near, nearest neighbours."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh

from ml.config.models import NFMML
from webapp.charts.embedding import embedding_map, grey_stride, num_grey
from webapp.datasets.selectors import AnyUser
from webapp.experiments.embedding import Embedding, Place, coloured
from webapp.experiments.forms.results import MapOptions
from webapp.experiments.models import Evaluation
from webapp.experiments.selectors.access import may_change_run_of
from webapp.experiments.selectors.embeddings import embedding_of, has_embeddings, misplaced, neighbours, newest_test, places
from webapp.experiments.selectors.results import editable_tests, evaluations_with_source, with_names
from webapp.experiments.services.launch import repeat_evaluation
from webapp.experiments.views.umap import drawing
from webapp.requests import Request, told

LISTED_PER_CLASS = 60


@require_GET
def embedding_detail(request: Request, pk: int) -> HttpResponse:
    """The map with all that is said of it; where nothing was kept, what to do."""
    evaluation = get_object_or_404(evaluations_with_source(request.user), pk=pk)
    if not evaluation.metrics:
        return redirect("experiments:evaluation_detail", pk)
    embedding = embedding_of(evaluation)
    ctx: dict[str, Any] = {"evaluation": evaluation, "source": evaluation.source, "embedding": embedding}
    ctx |= drawing(request.user, evaluation, embedding)
    if embedding is None:
        return render(request, "experiments/embedding_missing.html", ctx | _missing(request.user, evaluation))
    if request.htmx.target == "live":
        return HttpResponseClientRefresh()  # asked by the page that waits for a description: it becomes this one, with its scripts
    ctx |= {"notes": [*_notes(evaluation), *embedding.notes()]}
    classes = [(index, embedding.classes[index]) for index in embedding.present]
    options = MapOptions(embedding.maps, classes, request.GET)
    chosen = options.chosen()
    ctx |= {"options": options, "map": chosen["map"], "classes": classes, "chosen": set(chosen["classes"])}
    ctx |= _map(evaluation, embedding, chosen)
    num_misplaced, nearest = misplaced(evaluation, embedding)
    ctx |= {"num_misplaced": num_misplaced, "misplaced": nearest}
    return render(request, "experiments/embedding_detail.html", ctx)


def _notes(evaluation: Evaluation) -> Iterator[str]:
    """What a reader must know of the run."""
    model = evaluation.run.experiment.model if evaluation.run else None
    if isinstance(model, NFMML) and not model.metric_weight:
        yield _("λ2 was 0: the metric branch did not learn, its embedding is a projection of the video features by chance.")


def _map(evaluation: Evaluation, embedding: Embedding, chosen: dict[str, Any]) -> dict[str, Any]:
    """The figure, and what the text beside it says."""
    found = places(evaluation, embedding, chosen["map"], chosen["outcome"])
    colors = coloured(embedding, chosen["classes"])
    return {
        "figure": embedding_map(found, embedding.classes, colors, _axes(embedding, chosen["map"]), _addresses(evaluation)),
        "num_places": len(found),
        "grey_stride": grey_stride(num_grey(found, colors)),
        "lists": _lists(found, embedding, colors),
    }


def _axes(embedding: Embedding, which: str) -> tuple[str, str]:
    """Of principal components it is known how much they show; UMAP's axes mean nothing."""
    if which != "pca":
        return "", ""
    first, second = embedding.maps["pca"]["explained"]
    words = _("%(axis)s component, %(share)s of the variance")
    return (
        words % {"axis": _("first"), "share": f"{100 * first:.0f} %"},
        words % {"axis": _("second"), "share": f"{100 * second:.0f} %"},
    )


def _addresses(evaluation: Evaluation) -> dict[str, str]:
    """With 0 in the place of a video's id."""
    return {
        "poster": reverse("datasets:media_poster", args=(0,)),
        "proxy": reverse("datasets:media_proxy", args=(0,)),
        "neighbours": reverse("experiments:embedding_video", args=(evaluation.pk, 0)),
    }


def _lists(found: Sequence[Place], embedding: Embedding, colors: Sequence[int]) -> list[dict[str, Any]]:
    """The coloured videos by name, for whom a map is of no use."""
    groups = ((index, [place for place in found if place.true == index]) for index in colors)
    return [
        {"index": index, "name": embedding.classes[index], "count": len(group), "places": group[:LISTED_PER_CLASS]}
        for index, group in groups
        if group
    ]


def _missing(user: AnyUser, evaluation: Evaluation) -> dict[str, Any]:
    """A fusion leads to its streams; a run is tested once more by those who may."""
    if evaluation.fusion is not None:
        return {"members": evaluation.fusion.memberships.select_related("evaluation__run")}
    if has_embeddings(evaluation):
        return {"is_kept": True}
    return {"may_repeat": may_change_run_of(user, evaluation), "job": newest_test(evaluation)}


@require_POST
def evaluation_repeat(request: Request, pk: int) -> HttpResponse:
    """Have the same test done once more, for the embeddings that it lacks."""
    evaluation = get_object_or_404(editable_tests(request.user), pk=pk)
    with told(request):
        repeat_evaluation(evaluation, request.user)
    return redirect("experiments:embedding", pk)


@require_GET
def embedding_video(request: HttpRequest, pk: int, video_id: int) -> HttpResponse:
    """The nearest neighbours of one video."""
    evaluation = get_object_or_404(evaluations_with_source(request.user), pk=pk)
    embedding = embedding_of(evaluation)
    score = get_object_or_404(evaluation.video_scores.select_related("video"), video=video_id)
    if embedding is None or score.video.key not in embedding.videos:
        raise Http404
    found = neighbours(evaluation, embedding, score.video.key)
    ctx = {
        "evaluation": evaluation,
        "source": evaluation.source,
        "embedding": embedding,
        "scored": with_names([score], embedding.classes)[0],
        "label": score.label_index,
        "neighbours": found,
        "num_same": sum(neighbour.is_same_class for neighbour in found),
    }
    return render(request, "experiments/embedding_video.html", ctx)
