"""Where the videos of an evaluation lie: maps, measures, classes that lie too near, nearest neighbours."""

from collections.abc import Iterator, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh, HttpResponseLocation

from ml.config.embedding import UmapConfig
from ml.config.models import NFMML
from ml.errors import UserError
from webapp.charts.embedding import embedding_map, grey_stride, num_grey
from webapp.datasets.selectors import AnyUser
from webapp.experiments.embedding import Embedding, Place, coloured
from webapp.experiments.forms.results import MapOptions
from webapp.experiments.models import Evaluation
from webapp.experiments.selectors.access import editable_runs
from webapp.experiments.selectors.embeddings import embedding_of, has_embeddings, map_job, misplaced, neighbours, places
from webapp.experiments.selectors.results import evaluations_with_source, with_names
from webapp.experiments.services.embeddings import request_map
from webapp.forms import schema_form
from webapp.jobs.models import Job

LISTED_PER_CLASS = 60
UmapForm = schema_form(UmapConfig)


@require_GET
def embedding_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The map with all that is said of it; where nothing was kept, what to do."""
    evaluation = get_object_or_404(evaluations_with_source(request.user), pk=pk)
    if not evaluation.metrics:
        return redirect("experiments:evaluation_detail", pk)
    embedding = embedding_of(evaluation)
    ctx: dict[str, Any] = {"evaluation": evaluation, "source": evaluation.source, "embedding": embedding}
    ctx |= _drawing(request.user, evaluation, embedding)
    if embedding is None:
        return render(request, "experiments/embedding_missing.html", ctx | _missing(request.user, evaluation))
    if request.htmx.target == "live":  # type: ignore[attr-defined]
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
    """A fusion leads to its streams; a run is evaluated again by those who may."""
    if evaluation.fusion is not None:
        return {"members": evaluation.fusion.memberships.select_related("evaluation__run")}
    return {"may_evaluate": _may_change(user, evaluation), "is_kept": has_embeddings(evaluation)}


def _may_change(user: AnyUser, evaluation: Evaluation) -> bool:
    return editable_runs(user).filter(evaluations=evaluation).exists()


def _drawing(user: AnyUser, evaluation: Evaluation, embedding: Embedding | None) -> dict[str, Any]:
    """The job of the map by UMAP, and the form that asks for one, of who may and where there are videos enough."""
    is_offered = has_embeddings(evaluation) and (embedding is None or embedding.can_draw_umap) and _may_change(user, evaluation)
    config = UmapConfig.model_validate(evaluation.umap)
    drawn = embedding.maps.get("umap") if embedding else None
    return {"job": map_job(evaluation), "umap_form": UmapForm(config=config) if is_offered else None, "drawn": drawn}


@require_GET
def umap_live(request: HttpRequest, pk: int) -> HttpResponse:
    """How far the map is; when it is there, the page takes it in, with the choices that were made meanwhile."""
    evaluation = get_object_or_404(evaluations_with_source(request.user), pk=pk)
    ctx = {"evaluation": evaluation, **_drawing(request.user, evaluation, embedding_of(evaluation))}
    if ctx["job"] is None or ctx["job"].state != Job.State.DONE:
        return render(request, "experiments/_embedding_umap.html", ctx)
    asked: str = urlsplit(request.htmx.current_url or "").query  # type: ignore[attr-defined]
    query = QueryDict(asked, mutable=True)
    query["map"] = "umap"
    address = f"{reverse('experiments:embedding', args=(pk,))}?{query.urlencode()}"
    return HttpResponseLocation(address, target="#maps", select="#maps", swap="outerHTML")


@require_POST
def umap_draw(request: HttpRequest, pk: int) -> HttpResponse:
    """Have the map drawn."""
    own = editable_runs(request.user)
    evaluation = get_object_or_404(evaluations_with_source(request.user).filter(run__in=own.values("pk")), pk=pk)
    form = UmapForm(request.POST)
    if form.is_valid():
        try:
            request_map(evaluation, cast(UmapConfig, form.cleaned_config), cast(User, request.user))
        except UserError as error:
            messages.error(request, error.sentences)
    for problem in form.errors.values():
        messages.error(request, " ".join(map(str, problem)))
    return redirect(f"{reverse('experiments:embedding', args=(pk,))}#maps")


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
