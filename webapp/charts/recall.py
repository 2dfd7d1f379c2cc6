"""Per-class recall: a horizontal bar a class, or a group of bars where streams are shown side by side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from webapp.charts.names import axis_names
from webapp.charts.palette import BLUE, translucent
from webapp.experiments.results import ClassResult
from webapp.shares import share_of


@dataclass(frozen=True)
class RecallSeries:
    """One set of bars. `classes` in any order; `href(class index)` is where a click leads."""

    name: str
    classes: Sequence[ClassResult]
    href: Callable[[int], str]
    color: str = BLUE


def recall_bars(series: Sequence[RecallSeries], order: Sequence[int]) -> dict[str, Any]:
    """Bars from top to bottom in the order of these class indices; support beside the name, Wilson interval as error bars,
    for which the page chooses a colour that can be read.

    `meta.lines`: where a click beside the bars of a class leads, its label among it: a recall of zero has no bar.
    """
    first = {row.index: row for row in series[0].classes}
    labels = axis_names([f"{first[index].name} ({first[index].support})" for index in order])
    return {
        "data": [_bars(one, order, labels, f"s{number}") for number, one in enumerate(series)],
        "layout": {
            "meta": {"lines": {label: series[-1].href(index) for label, index in zip(labels, order, strict=True)}},
            "height": 110 + len(labels) * (18 if len(series) == 1 else 6 + 13 * len(series)),
            "margin": {"l": 8, "r": 16, "t": 36, "b": 44},
            "bargap": 0.25,
            "xaxis": {"range": [0, 1.02], "tickformat": ".0%", "title": {"text": _("recall")}, "side": "top", "fixedrange": True},
            "yaxis": {
                "type": "category",
                "categoryorder": "array",
                "categoryarray": labels,
                "autorange": "reversed",
                "dtick": 1,
                "tickfont": {"size": 11},
            },
            "showlegend": len(series) > 1,
            "legend": {"orientation": "h", "y": -0.02, "yanchor": "top", "traceorder": "normal"},
        },
    }


def _bars(series: RecallSeries, order: Sequence[int], labels: Sequence[str], group: str) -> dict[str, Any]:
    rows = {row.index: row for row in series.classes}
    chosen = [rows[index] for index in order]
    return {
        "type": "bar",
        "orientation": "h",
        "name": series.name,
        "offsetgroup": group,
        "x": [row.recall for row in chosen],
        "y": list(labels),
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [_distance(row.recall, row.recall_high) for row in chosen],
            "arrayminus": [_distance(row.recall_low, row.recall) for row in chosen],
            "thickness": 1.5,
            "width": 4,
        },
        "marker": {"color": translucent(series.color), "line": {"color": series.color, "width": 1}},
        "customdata": [_point(row, series.href(row.index)) for row in chosen],
        "hovertemplate": f"{_hover()}<extra>{'%{fullData.name}' if series.name else ''}</extra>",
    }


def _hover() -> str:
    right = _("right")
    counts = "%{customdata.correct} / %{customdata.support} (%{customdata.recall})"
    return f"%{{customdata.name}}<br>{right}: {counts}<br>95 %: %{{customdata.interval}}"


def _point(row: ClassResult, href: str) -> dict[str, Any]:
    recall, low, high = (share_of(value, row.support) for value in (row.recall, row.recall_low, row.recall_high))
    told = {"correct": row.correct, "support": row.support, "recall": recall, "interval": f"{low} … {high}" if row.support else "–"}
    return {"href": href, "name": axis_names([row.name])[0], **told}


def _distance(low: float | None, high: float | None) -> float | None:
    return None if low is None or high is None else round(high - low, 6)
