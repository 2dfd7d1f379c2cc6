"""What a run gains or loses against another one, class by class."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from webapp.charts.names import axis_names
from webapp.charts.palette import BLUE, VERMILION
from webapp.experiments.results import ClassResult
from webapp.shares import in_percent


def recall_deltas(before: Sequence[ClassResult], after: Sequence[ClassResult], href: Callable[[int], str]) -> dict[str, Any]:
    """Recall of `after` minus recall of `before`, best gain on top; classes without videos are left out."""
    pairs = [(b, a, a.recall - b.recall) for b, a in zip(before, after, strict=True) if a.recall is not None and b.recall is not None]
    pairs.sort(key=lambda pair: (-pair[2], pair[1].name))
    labels = axis_names([after.name for _before, after, _delta in pairs])
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": [round(delta, 6) for _before, _after, delta in pairs],
        "y": labels,
        "marker": {"color": [BLUE if delta >= 0 else VERMILION for _before, _after, delta in pairs]},
        "customdata": [
            {"href": href(a.index), "change": _change(delta, a), "before": _right(b), "after": _right(a)} for b, a, delta in pairs
        ],
        "hovertemplate": f"%{{y}}: %{{customdata.change}}<br>{_('right')}: %{{customdata.before}} → %{{customdata.after}}<extra></extra>",
    }
    return {
        "data": [bars],
        "layout": {
            "height": 100 + 18 * len(labels),
            "margin": {"l": 8, "r": 16, "t": 36, "b": 8},
            "xaxis": {"tickformat": "+.0%", "side": "top", "title": {"text": _("change of recall")}, "fixedrange": True, "zeroline": True},
            "yaxis": {"type": "category", "categoryorder": "array", "categoryarray": labels[::-1], "dtick": 1, "tickfont": {"size": 11}},
        },
    }


def _change(delta: float, row: ClassResult) -> str:
    """`+12 %`: of recall, as exactly as the class's videos allow."""
    return f"{'+' if delta >= 0 else ''}{in_percent(delta, row.support)}"


def _right(row: ClassResult) -> str:
    return f"{row.correct} / {row.support}"
