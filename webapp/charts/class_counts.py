"""Videos per class and subset: stacked horizontal bars, one line a class."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from webapp.charts.names import axis_names
from webapp.charts.palette import BLUE, GRAY, GREEN, ORANGE

LINE_PX, FRAME_PX = 20, 100
COLORS = (BLUE, ORANGE, GREEN, GRAY)


@dataclass(frozen=True)
class CountSeries:
    """One subset: its name, its count in every class, and where a click on a class's bar leads."""

    name: str
    counts: Sequence[int]
    href: Callable[[int], str]


def class_counts(classes: Sequence[str], series: Sequence[CountSeries]) -> dict[str, Any]:
    """Figure of counts; the first class on top. A subset without any video has no bar and no legend entry."""
    labels = axis_names(classes)
    shown = [(one, color) for one, color in zip(series, COLORS, strict=False) if any(one.counts)]
    return {
        "data": [_bars(one, labels, color) for one, color in shown],
        "layout": {
            "barmode": "stack",
            "height": FRAME_PX + LINE_PX * len(labels),
            "margin": {"l": 8, "r": 16, "t": 52, "b": 12},
            "bargap": 0.25,
            "xaxis": {"side": "top", "title": {"text": _("videos")}, "fixedrange": True, "rangemode": "tozero"},
            "yaxis": {"type": "category", "categoryorder": "array", "categoryarray": labels[::-1], "dtick": 1, "tickfont": {"size": 11}},
            "showlegend": True,
            "legend": {"orientation": "h", "yref": "container", "y": 1, "yanchor": "top", "x": 0, "traceorder": "normal"},
        },
    }


def _bars(series: CountSeries, labels: Sequence[str], color: str) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "name": series.name,
        "x": list(series.counts),
        "y": list(labels),
        "marker": {"color": color},
        "customdata": [{"href": series.href(position)} for position in range(len(labels))],
        "hovertemplate": "%{y}: %{x}<extra>%{fullData.name}</extra>",
    }
