"""How a measure is distributed over videos: bins of equal width, counted here so that the page stays small."""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, log2
from typing import Any

from django.utils.translation import gettext as _

from webapp.charts.palette import BLUE


def histogram(values: Sequence[float], title: str, unit: str) -> dict[str, Any]:
    """Figure of counts per bin; one thin bar at its value where all are equal, none where there are none."""
    edges, counts = bins(values)
    only = values[0] if len(counts) == 1 else None
    width = edges[1] - edges[0] if counts else 1.0
    centres = [edge + width / 2 for edge in edges[:-1]]
    spans = [f"{low:g} … {high:g}" for low, high in pairwise(edges)] if only is None else [f"{only:g}"]
    return {
        "data": [
            {
                "type": "bar",
                "x": centres,
                "y": counts,
                "width": [width * 0.96] * len(counts),
                "marker": {"color": BLUE},
                "customdata": spans,
                "hovertemplate": f"%{{customdata}} {unit}: %{{y}}<extra></extra>",
            }
        ],
        "layout": {
            "height": 230,
            "margin": {"l": 8, "r": 8, "t": 36, "b": 36},
            "title": {"text": title, "font": {"size": 13}},
            "xaxis": {"title": {"text": unit}, "fixedrange": True, **({} if only is None else _around(only))},
            "yaxis": {"title": {"text": _("videos")}, "fixedrange": True, "rangemode": "tozero"},
            "showlegend": False,
        },
    }


def _around(value: float) -> dict[str, Any]:
    """An axis on which the one bar stands in the middle, under its value."""
    return {"range": [value - 4, value + 4], "tickvals": [value], "ticktext": [f"{value:.4g}"]}


def bins(values: Sequence[float]) -> tuple[list[float], list[int]]:
    """Edges and counts of equal bins, as many as Sturges (1926) says: ⌈log₂ n⌉ + 1; the last bin holds its upper edge."""
    if not values:
        return [], []
    low, high = min(values), max(values)
    if low == high:
        return [low - 0.5, low + 0.5], [len(values)]
    K = ceil(log2(len(values))) + 1
    width = (high - low) / K
    counts = [0] * K
    for value in values:
        counts[min(K - 1, int((value - low) / width))] += 1
    return [low + i * width for i in range(K)] + [high], counts
