"""The map by UMAP, which is drawn when somebody asks for it: a part of the page of embeddings."""

from typing import Any, cast
from urllib.parse import urlsplit

from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseLocation

from ml.config.embedding import UmapConfig
from webapp.datasets.selectors import AnyUser
from webapp.experiments.embedding import Embedding
from webapp.experiments.models import Evaluation
from webapp.experiments.selectors.access import may_change_run_of
from webapp.experiments.selectors.embeddings import embedding_of, has_embeddings, map_job
from webapp.experiments.selectors.results import editable_tests, evaluations_with_source
from webapp.experiments.services.embeddings import request_map
from webapp.forms import schema_form
from webapp.jobs.models import Job
from webapp.requests import Request, tell_errors, told

UmapForm = schema_form(UmapConfig)


def drawing(user: AnyUser, evaluation: Evaluation, embedding: Embedding | None) -> dict[str, Any]:
    """The job of the map by UMAP, and the form that asks for one, of who may and where there are videos enough."""
    is_offered = has_embeddings(evaluation) and (embedding is None or embedding.can_draw_umap) and may_change_run_of(user, evaluation)
    config = UmapConfig.model_validate(evaluation.umap)
    drawn = embedding.maps.get("umap") if embedding else None
    return {"job": map_job(evaluation), "umap_form": UmapForm(config=config) if is_offered else None, "drawn": drawn}


@require_GET
def umap_live(request: Request, pk: int) -> HttpResponse:
    """How far the map is; when it is there, the page takes it in, with the choices that were made meanwhile."""
    evaluation = get_object_or_404(evaluations_with_source(request.user), pk=pk)
    ctx = {"evaluation": evaluation, **drawing(request.user, evaluation, embedding_of(evaluation))}
    if ctx["job"] is None or ctx["job"].state != Job.State.DONE:
        return render(request, "experiments/_embedding_umap.html", ctx)
    asked: str = urlsplit(request.htmx.current_url or "").query
    query = QueryDict(asked, mutable=True)
    query["map"] = "umap"
    address = f"{reverse('experiments:embedding', args=(pk,))}?{query.urlencode()}"
    return HttpResponseLocation(address, target="#maps", select="#maps", swap="outerHTML")


@require_POST
def umap_draw(request: Request, pk: int) -> HttpResponse:
    """Have the map drawn."""
    evaluation = get_object_or_404(editable_tests(request.user), pk=pk)
    form = UmapForm(request.POST)
    if form.is_valid():
        with told(request):
            request_map(evaluation, cast(UmapConfig, form.cleaned_config), request.user)
    tell_errors(request, form)
    return redirect(f"{reverse('experiments:embedding', args=(pk,))}#maps")
