"""Learning curves: loss above, accuracy below, training and validation together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from typing import Any, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from webapp.charts.palette import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION
from webapp.choices import name_of

Axis = Literal["step", "epoch"]
AXIS_TITLES = {"step": gettext_noop("step"), "epoch": gettext_noop("epoch")}
MOST_POINTS = 2000
NOT_LOSSES = ("learning_rate", "videos_per_second", "measures")
TERM_COLORS = (GREEN, PURPLE, SKY, VERMILION)


@dataclass(frozen=True)
class CurvePoint:
    """A report during an epoch, or an epoch's end. `train` and `validation` hold `loss` and `top1` (0…1) where they are known.

    `train` of a report holds the loss terms by their names, and what NOT_LOSSES lists.
    """

    step: int
    epoch: int
    is_epoch_end: bool
    train: dict[str, Any]
    validation: dict[str, float]


def curves(points: Sequence[CurvePoint], axis: Axis = "epoch", steps_per_epoch: float = 0) -> dict[str, Any]:
    """Points in the order of their steps. On the epoch axis a step lies within its epoch when `steps_per_epoch` is known."""
    ends = [point for point in points if point.is_epoch_end]
    reports = thinned([point for point in points if not point.is_epoch_end], MOST_POINTS)
    x = place_on(axis, steps_per_epoch)
    traces = [
        _trace(_("training, within epochs"), BLUE, reports, x, _report_loss, opacity=0.45, width=1),
        *_term_traces(reports, x),
        _trace(_("training"), BLUE, ends, x, lambda point: point.train.get("loss")),
        _trace(_("validation"), ORANGE, ends, x, lambda point: point.validation.get("loss")),
        _trace(_("training accuracy"), BLUE, ends, x, lambda point: point.train.get("top1"), place="2"),
        _trace(_("validation accuracy"), ORANGE, ends, x, lambda point: point.validation.get("top1"), place="2"),
    ]
    return {"data": [trace for trace in traces if trace["x"]], "layout": _layout(axis)}


def place_on(axis: Axis, steps_per_epoch: float = 0) -> Callable[[CurvePoint], float]:
    """Where a point stands on the axis."""
    if axis == "step":
        return lambda point: point.step
    return lambda point: point.step / steps_per_epoch if steps_per_epoch else point.epoch


def _report_loss(point: CurvePoint) -> float | None:
    """What was minimised: the sum of the loss terms."""
    terms = _terms(point)
    return sum(terms.values()) if terms else None


def _terms(point: CurvePoint) -> dict[str, float]:
    return {name: value for name, value in point.train.items() if name not in NOT_LOSSES}


def _term(name: str, point: CurvePoint) -> float | None:
    return _terms(point).get(name)


def _term_traces(reports: Sequence[CurvePoint], x: Callable[[CurvePoint], float]) -> list[dict[str, Any]]:
    """Of each loss term, where there are several."""
    names = list(dict.fromkeys(name for point in reports for name in _terms(point)))
    if len(names) < 2:
        return []
    titles = [_("training: %(term)s") % {"term": str(name_of(name)).lower()} for name in names]
    return [
        _trace(title, color, reports, x, partial(_term, name), opacity=0.45, width=1)
        for title, name, color in zip(titles, names, cycle(TERM_COLORS), strict=False)
    ]


def _trace(
    name: str,
    color: str,
    points: Sequence[CurvePoint],
    x: Callable[[CurvePoint], float],
    y: Callable[[CurvePoint], float | None],
    *,
    place: str = "",
    opacity: float = 1,
    width: int = 2,
) -> dict[str, Any]:
    known = [(x(point), value) for point in points if (value := y(point)) is not None]
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(known) < 40 and opacity == 1 else "lines",
        "name": name,
        "x": [place_on_x for place_on_x, _value in known],
        "y": [value for _x, value in known],
        "xaxis": f"x{place}",
        "yaxis": f"y{place}",
        "opacity": opacity,
        "line": {"color": color, "width": width},
        "marker": {"size": 5},
        "legend": f"legend{place}",
        "hovertemplate": "%{y:.1%}" if place else "%{y:.4f}",
    }


def _layout(axis: Axis) -> dict[str, Any]:
    above, below = {"yanchor": "bottom", "y": 1.0}, {"yanchor": "bottom", "y": 0.44}
    return {
        "height": 600,
        "margin": {"l": 8, "r": 12, "t": 36, "b": 40},
        "hovermode": "x unified",
        "uirevision": axis,
        "xaxis": {"anchor": "y", "matches": "x2", "showticklabels": False},
        "xaxis2": {"anchor": "y2", "title": {"text": _(AXIS_TITLES[axis])}, "rangemode": "tozero"},
        "yaxis": {"domain": [0.56, 1.0], "title": {"text": _("loss")}, "rangemode": "tozero"},
        "yaxis2": {"domain": [0.0, 0.42], "title": {"text": _("accuracy (top-1)")}, "range": [0, 1.02], "tickformat": ".0%"},
        "legend": {"orientation": "h", "x": 0, **above},
        "legend2": {"orientation": "h", "x": 0, **below},
    }


def thinned(points: Sequence[CurvePoint], most: int) -> list[CurvePoint]:
    """At most `most` points, evenly spread, the last one among them."""
    stride = -(-len(points) // most) if points else 1
    return list(points[::-1][::stride][::-1])
