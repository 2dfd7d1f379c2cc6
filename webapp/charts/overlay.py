"""Learning curves of several runs over each other: loss above, accuracy below, one colour a run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from webapp.charts.curves import CurvePoint
from webapp.charts.names import axis_names


@dataclass(frozen=True)
class RunCurve:
    """Points of one run, in their order: the epochs' ends for loss and accuracy, the reports for distances."""

    name: str
    color: str
    points: Sequence[CurvePoint]


def overlaid_curves(runs: Sequence[RunCurve]) -> dict[str, Any]:
    """Validation as a line, training dotted; the legend names each run once and hides all that is its on a click."""
    labels = axis_names([run.name for run in runs])
    traces = [trace for number, (run, label) in enumerate(zip(runs, labels, strict=True)) for trace in _traces(run, label, f"run{number}")]
    return {"data": traces, "layout": _layout()}


def _traces(run: RunCurve, label: str, group: str) -> list[dict[str, Any]]:
    lines = [
        _trace(run, _("validation"), "solid", lambda point: point.validation.get("loss")),
        _trace(run, _("training"), "dot", lambda point: point.train.get("loss")),
        _trace(run, _("validation"), "solid", lambda point: point.validation.get("top1"), place="2"),
        _trace(run, _("training"), "dot", lambda point: point.train.get("top1"), place="2"),
    ]
    shown = [line for line in lines if line["x"]]
    for line in shown:
        line |= {"name": label, "legendgroup": group, "showlegend": line is shown[0]}
    return shown


def _trace(run: RunCurve, part: str, dash: str, y: Callable[[CurvePoint], float | None], place: str = "") -> dict[str, Any]:
    known = [(point.epoch, value) for point in run.points if (value := y(point)) is not None]
    number = "%{y:.1%}" if place else "%{y:.4f}"
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(known) == 1 else "lines",
        "x": [epoch for epoch, _value in known],
        "y": [value for _epoch, value in known],
        "xaxis": f"x{place}",
        "yaxis": f"y{place}",
        "line": {"color": run.color, "width": 2 if dash == "solid" else 1, "dash": dash},
        "hovertemplate": f"{number} ({part})",
    }


def _layout() -> dict[str, Any]:
    return {
        "height": 560,
        "margin": {"l": 8, "r": 12, "t": 8, "b": 40},
        "hovermode": "x",
        "xaxis": {"anchor": "y", "matches": "x2", "showticklabels": False},
        "xaxis2": {"anchor": "y2", "title": {"text": _("epoch")}, "rangemode": "tozero"},
        "yaxis": {"domain": [0.54, 1.0], "title": {"text": _("loss")}, "rangemode": "tozero"},
        "yaxis2": {"domain": [0.0, 0.46], "title": {"text": _("accuracy (top-1)")}, "range": [0, 1.02], "tickformat": ".0%"},
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
    }
