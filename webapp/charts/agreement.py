"""Which streams are right on the videos of each class, as one stacked bar a class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from webapp.charts.names import axis_names
from webapp.shares import share_of


@dataclass(frozen=True)
class Part:
    """One answer to “who is right?”, with its count and address for each class shown."""

    name: str
    color: str
    counts: Sequence[int]
    hrefs: Sequence[str]


def agreement_bars(names: Sequence[str], parts: Sequence[Part]) -> dict[str, Any]:
    """`names` from top to bottom; every bar adds up to its class's videos."""
    labels = axis_names(names)
    totals = [sum(part.counts[place] for part in parts) for place in range(len(names))]
    return {
        "data": [_segments(part, labels, totals) for part in parts],
        "layout": {
            "barmode": "stack",
            "bargap": 0.2,
            "height": 120 + 20 * len(labels),
            "margin": {"l": 8, "r": 16, "t": 36, "b": 44},
            "xaxis": {
                "range": [0, 1.02],
                "dtick": 0.2,
                "tickformat": ".0%",
                "side": "top",
                "title": {"text": _("share of the class")},
                "fixedrange": True,
            },
            "yaxis": {"type": "category", "categoryorder": "array", "categoryarray": labels[::-1], "dtick": 1, "tickfont": {"size": 11}},
            "legend": {"orientation": "h", "y": -0.02, "yanchor": "top", "traceorder": "normal"},
        },
    }


def _segments(part: Part, labels: Sequence[str], totals: Sequence[int]) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "name": part.name,
        "y": list(labels),
        "x": [count / total if total else 0 for count, total in zip(part.counts, totals, strict=True)],
        "marker": {"color": part.color},
        "customdata": [
            {"href": href, "count": count, "share": share_of(count / total if total else None, total)}
            for href, count, total in zip(part.hrefs, part.counts, totals, strict=True)
        ],
        "hovertemplate": f"%{{y}}<br>%{{customdata.count}} {_('videos')} (%{{customdata.share}})<extra>%{{fullData.name}}</extra>",
    }
