"""How near videos of one class are in a batch, and how far those of two: NFMML's Figure 2, of one run or of several over each other."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from webapp.charts.curves import AXIS_TITLES, Axis, CurvePoint, place_on, thinned
from webapp.charts.names import axis_names
from webapp.charts.overlay import RunCurve
from webapp.charts.palette import BLUE, GREEN, VERMILION

MOST_POINTS = 500
"""Of each line: as many as fill a screen."""

PARTS: tuple[tuple[str | Promise, str, Callable[[float, float], float]], ...] = (
    (gettext_lazy("same class"), BLUE, lambda positive, _negative: positive),
    (gettext_lazy("different classes"), VERMILION, lambda _positive, negative: negative),
    (gettext_lazy("difference"), GREEN, lambda positive, negative: negative - positive),
)
"""The panels (a), (b), (c) of the figure: name, colour where a run stands alone, and how it comes from the mean distances of a batch."""


def distances(points: Sequence[CurvePoint], axis: Axis = "epoch", steps_per_epoch: float = 0) -> dict[str, Any]:
    """Of one run, all three parts in one panel; without lines where no distances were measured."""
    known, x = measured(points), place_on(axis, steps_per_epoch)
    traces = [
        {**_line(known, x, part), "name": str(name), "line": {"color": color, "width": 2}, "opacity": 0.8} for name, color, part in PARTS
    ]
    return {
        "data": traces if known else [],
        "layout": {
            "height": 340,
            "margin": {"l": 8, "r": 12, "t": 36, "b": 40},
            "hovermode": "x unified",
            "uirevision": axis,
            "xaxis": {"title": {"text": _(AXIS_TITLES[axis])}, "rangemode": "tozero"},
            "yaxis": {"title": {"text": _("mean distance")}, "rangemode": "tozero"},
            "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        },
    }


def overlaid_distances(runs: Sequence[RunCurve]) -> dict[str, Any]:
    """Over the iterations, a panel a part and a colour a run; the legend names each run once and hides all that is its on a click."""
    labels = axis_names([run.name for run in runs])
    traces = [
        {
            **_line(known, place_on("step"), part),
            "name": label,
            "legendgroup": f"run{number}",
            "showlegend": place == 1,
            "line": {"color": run.color, "width": 2},
            "xaxis": f"x{place}" if place > 1 else "x",
            "yaxis": f"y{place}" if place > 1 else "y",
        }
        for number, (run, label) in enumerate(zip(runs, labels, strict=True))
        if (known := measured(run.points))
        for place, (_name, _color, part) in enumerate(PARTS, start=1)
    ]
    return {"data": traces, "layout": _panels()}


def measured(points: Sequence[CurvePoint]) -> list[CurvePoint]:
    """The reports that tell distances: those of a metric loss."""
    return thinned([point for point in points if "positive_distance" in point.train.get("measures", {})], MOST_POINTS)


def _line(known: Sequence[CurvePoint], x: Callable[[CurvePoint], float], part: Callable[[float, float], float]) -> dict[str, Any]:
    pairs = [(point.train["measures"]["positive_distance"], point.train["measures"]["negative_distance"]) for point in known]
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(known) == 1 else "lines",
        "x": [x(point) for point in known],
        "y": [part(*pair) for pair in pairs],
        "hovertemplate": "%{y:.3f}",
    }


def _panels() -> dict[str, Any]:
    """From top to bottom as (a), (b), (c), with one axis of iterations."""
    layout: dict[str, Any] = {
        "height": 720,
        "margin": {"l": 8, "r": 12, "t": 8, "b": 40},
        "hovermode": "x",
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
    }
    for (name, _color, _part), letter, number, low in zip(PARTS, "abc", ("", "2", "3"), (0.7, 0.35, 0.0), strict=True):
        layout[f"yaxis{number}"] = {"domain": [low, low + 0.3], "title": {"text": f"({letter}) {name}"}, "rangemode": "tozero"}
        layout[f"xaxis{number}"] = {"anchor": f"y{number}", "matches": "x3", "showticklabels": False}
    layout["xaxis3"] = {"anchor": "y3", "title": {"text": _(AXIS_TITLES["step"])}, "rangemode": "tozero"}
    return layout
