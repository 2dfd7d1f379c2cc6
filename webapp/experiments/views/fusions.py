"""Fusing streams, and what each of them and their fusion get right."""

from collections.abc import Sequence
from typing import Any, cast

from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRefresh

from ml.config.evaluation import FusionConfig
from ml.errors import UserError
from webapp.charts.agreement import Part, agreement_bars
from webapp.charts.confusion import confusion_map
from webapp.charts.palette import GRAY, color_of
from webapp.charts.recall import RecallSeries, recall_bars
from webapp.experiments.forms.fusions import FusionConfigForm, StreamsForm
from webapp.experiments.forms.run_list import StudyFilterForm
from webapp.experiments.gain import Alone, in_a_sentence
from webapp.experiments.models import Evaluation
from webapp.experiments.preflight import Finding
from webapp.experiments.result_links import class_url, id_list, videos_url
from webapp.experiments.results import Results, ordered
from webapp.experiments.selectors.access import editable_fusions, visible_fusions
from webapp.experiments.selectors.folding import folded, of_study
from webapp.experiments.selectors.fusions import (
    Agreement,
    Place,
    Stream,
    agreements,
    fits_of,
    fusable_at,
    fusable_places,
    fusions_with_result,
    streams_of,
)
from webapp.experiments.services.fusions import UnfitStreams, UnfitWeights, create_fusion, foreseen
from webapp.experiments.worst_classes import worst_by_column

FUSIONS_PER_PAGE = 50
Column = tuple[str, Evaluation, Results, str]
"""What stands side by side: name, evaluation, its results, colour."""


@require_GET
def fusion_list(request: HttpRequest) -> HttpResponse:
    """All fusions the user may see, with the numbers they earned; what a study launched is folded until it is asked for."""
    form, fusions = StudyFilterForm(request.user, request.GET), fusions_with_result(request.user)
    study = form.chosen()["study"]
    page = Paginator(of_study(fusions, study), FUSIONS_PER_PAGE).get_page(request.GET.get("page"))
    lines = folded(request.user, visible_fusions(request.user)) if not study and page.number == 1 else []
    return render(request, "experiments/fusion_list.html", {"form": form, "page": page, "folded": lines})


@require_http_methods(["GET", "POST"])
def fusion_new(request: HttpRequest) -> HttpResponse:
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
                fusion = create_fusion(cast(User, request.user), streams.chosen(), chosen, streams.cleaned_data["name"])
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
def fusion_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The streams and their fusion side by side; until the job is done, how far each stream is."""
    fusion = get_object_or_404(visible_fusions(request.user).select_related("evaluation__job"), pk=pk)
    evaluation, streams = fusion.evaluation, streams_of(fusion)
    ctx: dict[str, Any] = {"fusion": fusion, "evaluation": evaluation, "job": evaluation.job, "streams": streams}
    ctx["fits"] = fits_of(fusion)
    ctx["may_change"] = editable_fusions(request.user).filter(pk=pk).exists()
    if not evaluation.metrics:
        return render(request, "experiments/fusion_pending.html", ctx)
    if request.htmx.target == "live":  # type: ignore[attr-defined]
        return HttpResponseClientRefresh()  # asked by the page that waits: it becomes this one, with its scripts
    results = Results.of(evaluation.metrics)
    parts = [_part_row(a, evaluation, streams) for a in agreements(evaluation, [stream.evaluation for stream in streams])]
    columns: list[Column] = [(s.short, s.evaluation, s.results, color_of(i)) for i, s in enumerate(streams) if s.results]
    columns.append((_("fusion"), evaluation, results, color_of(len(streams))))
    ctx |= {"results": results, "columns": columns, "parts": parts, "table": _recall_table(columns)}
    ctx |= {"neither": next((part for part in parts if not any(part["agreement"].right)), None)}
    ctx |= {"worst": worst_by_column([column[:3] for column in columns])}
    ctx |= {"sentence": _sentence(streams, results)}
    ctx |= _figures(columns, parts, results)
    return render(request, "experiments/fusion_detail.html", ctx)


def _sentence(streams: Sequence[Stream], fused: Results) -> str:
    """Why the streams are fused."""
    alone = [Alone(stream.short, stream.results.top1) for stream in streams if stream.results]
    return in_a_sentence(alone, fused.top1, len(fused.classes), fused.num_videos)


def _part_row(agreement: Agreement, fused: Evaluation, streams: Sequence[Stream]) -> dict[str, Any]:
    """One line of “who is right?”: its name, colour and addresses."""
    right = [stream for stream, is_right in zip(streams, agreement.right, strict=True) if is_right]
    wrong = [stream for stream in streams if stream not in right]
    query = {"right": id_list(s.evaluation.pk for s in right), "wrong": id_list(s.evaluation.pk for s in wrong)}
    return {
        "agreement": agreement,
        "name": _pattern_name(right, streams),
        "color": color_of(len(streams)) if not wrong else GRAY if not right else color_of(_place(agreement.right)),
        "url": videos_url(fused.pk, **query),
        "fused_url": videos_url(fused.pk, outcome="right", **query),
        "class_url": class_url(fused.pk, **query),
    }


def _place(right: Sequence[bool]) -> int:
    """A stream's own colour where it alone is right, one of the colours after the fusion's for a mixture."""
    return right.index(True) if sum(right) == 1 else len(right) + sum(1 << position for position, one in enumerate(right) if one)


def _pattern_name(right: Sequence[Stream], streams: Sequence[Stream]) -> str:
    if len(right) == len(streams):
        return _("both") if len(streams) == 2 else _("all")
    if not right:
        return _("neither") if len(streams) == 2 else _("none")
    return _("only %(streams)s") % {"streams": " + ".join(stream.short for stream in right)}


def _recall_table(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """One line a class: its recall by each column."""
    by_column = [results.classes for _name, _evaluation, results, _color in columns]
    return [
        {"index": rows[0].index, "name": rows[0].name, "support": rows[0].support, "recalls": [row.recall for row in rows]}
        for rows in zip(*by_column, strict=True)
    ]


def _figures(columns: Sequence[Column], parts: Sequence[dict[str, Any]], fused: Results) -> dict[str, Any]:
    order = [row.index for row in ordered(fused.classes, "index")]
    series = [RecallSeries(name, results.classes, class_url(e.pk), color) for name, e, results, color in columns]
    maps = [
        (name, f"confusion-{place}", confusion_map(results.confusion, results.names, order, is_small=True, cells_at=videos_url(e.pk)))
        for place, (name, e, results, _color) in enumerate(columns)
    ]
    shown = [row for row in fused.classes if row.support]
    bars = [
        Part(p["name"], p["color"], [p["agreement"].by_class.get(r.index, 0) for r in shown], [p["class_url"](r.index) for r in shown])
        for p in parts
    ]
    return {
        "recall_figure": recall_bars(series, order),
        "confusion_figures": maps,
        "agreement_figure": agreement_bars([f"{row.name} ({row.support})" for row in shown], bars),
    }
