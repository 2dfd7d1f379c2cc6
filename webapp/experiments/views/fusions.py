"""Fusing streams, and what each of them and their fusion get right."""

from typing import cast

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from ml.config.evaluation import FusionConfig
from ml.errors import UserError
from webapp.experiments.forms.fusions import FusionConfigForm, StreamsForm
from webapp.experiments.forms.run_list import StudyFilterForm
from webapp.experiments.preflight import Finding
from webapp.experiments.selectors.access import editable_fusions, visible_fusions, visible_studies
from webapp.experiments.selectors.folding import folded, of_study
from webapp.experiments.selectors.fusions import Place, fits_of, fusable_at, fusable_places, fusions_with_result, streams_of
from webapp.experiments.services.fusions import UnfitStreams, UnfitWeights, create_fusion, foreseen
from webapp.experiments.side_by_side import side_by_side
from webapp.requests import Request

FUSIONS_PER_PAGE = 50


@require_GET
def fusion_list(request: HttpRequest) -> HttpResponse:
    """All fusions the user may see, with the numbers they earned; what a study launched is folded until it is asked for."""
    form, fusions = StudyFilterForm(request.user, request.GET), fusions_with_result(request.user)
    study = form.chosen()["study"]
    page = Paginator(of_study(fusions, study), FUSIONS_PER_PAGE).get_page(request.GET.get("page"))
    lines = folded(request.user, visible_fusions(request.user)) if not study and page.number == 1 else []
    may_change = editable_fusions(request.user).filter(pk__in=[fusion.pk for fusion in page]).exists()
    return render(request, "experiments/fusion_list.html", {"form": form, "page": page, "folded": lines, "may_change": may_change})


@require_http_methods(["GET", "POST"])
def fusion_new(request: Request) -> HttpResponse:
    """Choose where, which streams and how; the fusion's page then shows the result as soon as it is there."""
    places = fusable_places(request.user)
    asked = request.GET.get("on", "")
    place = next((place for place in places if place.key == asked), places[0] if places else None)
    if place is None:
        return render(request, "experiments/fusion_new.html", {"places": places})
    first = {"name": _suggested_name(place), "streams": [int(pk) for pk in request.GET.getlist("stream") if pk.isdecimal()]}
    streams = StreamsForm(list(fusable_at(request.user, place)), request.POST or None, initial=first)
    config = FusionConfigForm(request.POST or None)
    findings: list[Finding] = []
    if request.method == "POST" and streams.is_valid() and config.is_valid():
        chosen = cast(FusionConfig, config.cleaned_config)
        try:
            if request.POST.get("action") == "check":
                findings = foreseen(streams.chosen(), chosen)
            else:
                fusion = create_fusion(request.user, streams.chosen(), chosen, streams.cleaned_data["name"])
                return redirect("experiments:fusion_detail", fusion.pk)
        except UnfitWeights as error:
            config.mark(["weights"], error.sentences)
        except UnfitStreams as error:
            streams.add_error("streams", error.sentences)
        except UserError as error:
            streams.add_error(None, error.sentences)
    ctx = {"places": places, "place": place, "form": streams, "config": config, "findings": findings}
    return render(request, "experiments/fusion_new.html", ctx)


def _suggested_name(place: Place) -> str:
    return _("Fusion on %(dataset)s, split %(split)s") % {"dataset": place.dataset, "split": place.split}


@require_GET
def fusion_detail(request: Request, pk: int) -> HttpResponse:
    """The streams and their fusion side by side; until the job is done, how far each stream is."""
    fusion = get_object_or_404(visible_fusions(request.user).select_related("evaluation__job"), pk=pk)
    evaluation, streams = fusion.evaluation, streams_of(fusion)
    ctx = {
        "fusion": fusion,
        "evaluation": evaluation,
        "job": evaluation.job,
        "streams": streams,
        "fits": fits_of(fusion),
        "studies": visible_studies(request.user).filter(fusions=fusion),
        "may_change": editable_fusions(request.user).filter(pk=pk).exists(),
    }
    if not evaluation.metrics:
        return render(request, "experiments/fusion_pending.html", ctx)
    if request.htmx.target == "live":
        return HttpResponseClientRefresh()  # asked by the page that waits: it becomes this one, with its scripts
    return render(request, "experiments/fusion_detail.html", ctx | side_by_side(evaluation, streams))
